"""Deputies of a proposal: who else may sign, from when, and by which clause one did; places, paces and providers."""

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
    for column in ("asked_at", "start_by", "in_place_by"):
        op.add_column("orders", sa.Column(column, Instant, nullable=True))
    op.add_column("messages", sa.Column("waits_for", sa.Uuid(), nullable=True))
    op.add_column("messages", sa.Column("waits_until", Instant, nullable=True))
    op.drop_index("ix_messages_channel_lane_due_at_ready", table_name="messages")
    for name, columns, where in (
        ("channel_lane_due_at_ready", ["channel", "lane", "due_at"], "state = 'ready' AND waits_for IS NULL"),
        ("waits_for_waiting", ["waits_for"], "waits_for IS NOT NULL"),
        ("state_failed", ["area"], "state = 'failed' OR ambiguous"),
    ):
        op.create_index(
            f"ix_messages_{name}",
            "messages",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    for table, column in (
        ("decisions", sa.Column("deputies", Json, nullable=False, server_default="[]")),
        ("decisions", sa.Column("deputies_at", Instant, nullable=True)),
        ("decisions", sa.Column("deputised", sa.String(length=80), nullable=False, server_default="")),
    ):
        op.add_column(table, column)
    op.drop_table("slots")  # leases of seconds: whoever held one asks again
    op.create_table(
        "slots",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("leased_until", Instant, nullable=False),
        sa.Column("broken_until", Instant, nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "lane", "place", name=op.f("pk_slots")),
    )
    op.create_table(
        "paces",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("taken_until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_paces")),
    )
    op.add_column("messages", sa.Column("provider", sa.String(length=20), nullable=False, server_default=""))
    op.create_table(
        "providers",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("recent", Json, nullable=False),
        sa.Column("good_proofs", sa.Integer(), nullable=False),
        sa.Column("failed_at", Instant, nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("broken_until", Instant, nullable=True),
        sa.Column("preferred_since", Instant, nullable=True),
        sa.Column("because", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("channel", "name", name=op.f("pk_providers")),
    )
