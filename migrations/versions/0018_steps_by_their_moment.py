"""A step of the ladder is taken once of each moment at which the plan wants it, and not once in a revision."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rungs") as rungs:
        rungs.drop_constraint("pk_rungs", type_="primary")
        rungs.create_primary_key("pk_rungs", ["order_id", "revision", "step", "due_at"])
