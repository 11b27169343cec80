"""Reduction lists as versions with dates; enterprises know their credit code and whether a list in force has them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0004"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("credit_code", sa.String(length=18), nullable=False, server_default=""),
        sa.Column("measures_whole", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("off_list", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("recipients", column)
    op.create_table(
        "listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("notes", Json, nullable=False),
        sa.Column("laid_by", sa.String(length=120), nullable=False),
        sa.Column("laid_at", Instant, nullable=False),
        sa.Column("stand", sa.String(length=12), nullable=False),
        sa.Column("based_on", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=120), nullable=False),
        sa.Column("confirmed_at", Instant, nullable=True),
        sa.Column("entered_at", Instant, nullable=True),
        sa.Column("ended_at", Instant, nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["area"], ["areas.id"], name=op.f("fk_listings_area_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
    )
    op.create_index(op.f("ix_listings_area_laid_at"), "listings", ["area", "laid_at"])
    in_force = sa.text("stand = 'in_force'")
    op.create_index(
        "uq_listings_area_in_force",
        "listings",
        ["area"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
    op.create_table(
        "listed",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("entry", Json, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_listed_listing_id_listings")),
        sa.PrimaryKeyConstraint("listing_id", "recipient_id", name=op.f("pk_listed")),
    )
    op.create_index(op.f("ix_listed_listing_id_number"), "listed", ["listing_id", "number"])
