"""Calls that were made because no message helped, what a person settled of a message, and who was asked at each try."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0003"
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("attempts", sa.Column("provider", sa.String(length=20), nullable=False, server_default=""))
    uncertain = sa.text("outcome = 'uncertain'")
    op.create_index(
        "ix_attempts_message_id_uncertain",
        "attempts",
        ["message_id"],
        sqlite_where=uncertain,
        postgresql_where=uncertain,
    )
    op.create_table(
        "settlements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_settlements_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlements")),
    )
    op.create_index(op.f("ix_settlements_message_id"), "settlements", ["message_id"])
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("spoke_to", sa.String(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("received", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("called_at", Instant, nullable=False),
        sa.Column("noted_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_calls_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_order_id_called_at"), "calls", ["order_id", "called_at"])
