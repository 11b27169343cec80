"""While nobody decides: when people are told again, what the rule says since, and why it was signed all the same."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0005"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("nag_at", Instant, nullable=True),
        sa.Column("nags", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rule_now", sa.String(length=20), nullable=False, server_default=""),
        sa.Column("against", Json, nullable=False, server_default="{}"),
    ):
        op.add_column("decisions", column)
    op.execute("UPDATE decisions SET nag_at = decide_by WHERE standing IN ('suggested', 'proposed')")
