"""A forecast that is corrected under its issue time is kept beside what it corrects, as a further revision."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("forecasts") as forecasts:
        forecasts.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        forecasts.drop_constraint("uq_forecasts_feed_place_issued_at", type_="unique")
        forecasts.create_unique_constraint(
            "uq_forecasts_feed_place_issued_at_revision", ["feed", "place", "issued_at", "revision"]
        )
