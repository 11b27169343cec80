"""How a feed's page is asked for next, over a restart; and what a person says drives a day as one source tells it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0007"
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feed_validators",
        sa.Column("feed", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.String(length=80), nullable=False),
        sa.Column("not_before", Instant, nullable=True),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feed_validators")),
    )
    op.create_table(
        "day_causes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("feed", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_causes")),
    )
    op.create_index(op.f("ix_day_causes_place_day"), "day_causes", ["place", "day"])
