"""How many reminders an address was given in the last hour is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    chased = sa.text("kind IN ('reminder', 'escalation')")
    op.create_index(
        "ix_messages_to_put_at_chased",
        "messages",
        ["to", "put_at"],
        sqlite_where=chased,
        postgresql_where=chased,
    )
