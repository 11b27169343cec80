"""Deputies of a proposal: who else may sign, from when, and by which clause one did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    for table, column in (
        ("decisions", sa.Column("deputies", Json, nullable=False, server_default="[]")),
        ("decisions", sa.Column("deputies_at", Instant, nullable=True)),
        ("decisions", sa.Column("deputised", sa.String(length=80), nullable=False, server_default="")),
    ):
        op.add_column(table, column)
