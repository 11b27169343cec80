"""When a person put a message back in the post: what it was in doubt of before ends no second try."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("put_back_at", sa.DateTime(timezone=True), nullable=True))
