"""What is repeated and reported while a response runs: broadcasts, daily reports and summaries; reminders of tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0009"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("put_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name=op.f("fk_broadcasts_episode_id_episodes")),
        sa.PrimaryKeyConstraint("episode_id", "due_at", name=op.f("pk_broadcasts")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("paper", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("asked_at", Instant, nullable=True),
        sa.Column("chased_at", Instant, nullable=True),
        sa.Column("filed_at", Instant, nullable=True),
        sa.Column("filed_by", sa.String(length=80), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_reports_order_id_orders")),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name=op.f("fk_reports_episode_id_episodes")),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipients.id"], name=op.f("fk_reports_recipient_id_recipients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index("uq_reports_order_id_paper_day", "reports", ["order_id", "paper", "day"], unique=True)
    op.create_index(op.f("ix_reports_episode_id_day"), "reports", ["episode_id", "day"])
    op.add_column("tasks", sa.Column("remind_at", Instant, nullable=True))
    for name, table, column, where in (
        ("ix_reports_due_at_missing", "reports", "due_at", "filed_at IS NULL AND chased_at IS NULL"),
        ("ix_tasks_remind_at_waiting", "tasks", "remind_at", "remind_at IS NOT NULL"),
    ):
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
