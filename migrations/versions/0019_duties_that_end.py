"""What a change that is signed and still to come asks no more binds until it takes effect, and is owed till then."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("ending", kind, nullable=False, server_default="[]"))
