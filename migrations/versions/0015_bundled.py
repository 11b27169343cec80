"""What a bundled reminder stands for is kept, so that it follows the answers that come before it leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bundled",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("deadline", sa.String(12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_bundled_message_id_messages"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_bundled_order_id_orders"),
        sa.PrimaryKeyConstraint("message_id", "order_id", "deadline", name="pk_bundled"),
    )
