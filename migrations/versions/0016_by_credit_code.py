"""A recipient is found by its credit code: a machine's key is tied to one, and asks every few seconds."""

from alembic import op

revision = "0016"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_recipients_credit_code", "recipients", ["credit_code"])
