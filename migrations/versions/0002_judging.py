"""Hours of forecasts, amended measures, consultations, verified forecasts, candidate plans, exercises."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Instant = sa.DateTime(timezone=True)
RUNNING = sa.text("phase IN ('opening','active')")


def upgrade() -> None:
    for table, column in (
        ("forecasts", sa.Column("hours", Json, nullable=False, server_default="[]")),
        ("decisions", sa.Column("amendments", Json, nullable=False, server_default="[]")),
        ("decisions", sa.Column("consulted", Json, nullable=False, server_default="[]")),
        ("episodes", sa.Column("exercise", sa.String(length=36), nullable=False, server_default="")),
        ("messages", sa.Column("exercise", sa.Boolean(), nullable=False, server_default=sa.false())),
    ):
        op.add_column(table, column)
    op.drop_index("uq_episodes_area_running", table_name="episodes")
    op.create_index(
        "uq_episodes_area_running",
        "episodes",
        ["area", "exercise"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )

    op.create_table(
        "verified_days",
        sa.Column("feed", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("lead_days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued_at", Instant, nullable=False),
        sa.Column("forecast_aqi", sa.Integer(), nullable=False),
        sa.Column("forecast_low", sa.Integer(), nullable=True),
        sa.Column("forecast_high", sa.Integer(), nullable=True),
        sa.Column("forecast_primary", Json, nullable=False),
        sa.Column("observed_aqi", sa.Integer(), nullable=False),
        sa.Column("observed_primary", Json, nullable=False),
        sa.Column("persistence_aqi", sa.Integer(), nullable=True),
        sa.Column("verified_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("feed", "place", "day", "lead_days", name=op.f("pk_verified_days")),
    )
    op.create_index(op.f("ix_verified_days_place_day"), "verified_days", ["place", "day"], unique=False)
    op.create_table(
        "exercises",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("area", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("drill", sa.String(length=80), nullable=False),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        sa.Column("called_at", Instant, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", Instant, nullable=True),
        sa.Column("begun_at", Instant, nullable=True),
        sa.Column("evening", sa.Integer(), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["area"], ["areas.id"], name=op.f("fk_exercises_area_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercises")),
    )
    op.create_index(op.f("ix_exercises_area_called_at"), "exercises", ["area", "called_at"], unique=False)
    op.create_table(
        "shadow_verdicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(length=200), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("plan_sha", sa.String(length=64), nullable=False),
        sa.Column("active_plan_id", sa.String(), nullable=False),
        sa.Column("active_plan_sha", sa.String(length=64), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("active_level", sa.Integer(), nullable=True),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("sentence_zh", sa.Text(), nullable=False),
        sa.Column("sentence_en", sa.Text(), nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["area"], ["areas.id"], name=op.f("fk_shadow_verdicts_area_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_verdicts")),
    )
    op.create_index(
        op.f("ix_shadow_verdicts_area_plan_id_since"), "shadow_verdicts", ["area", "plan_id", "since"], unique=False
    )
    op.create_table(
        "exercise_openings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exercise_id", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_exercise_openings_exercise_id_exercises")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_openings")),
        sa.UniqueConstraint("exercise_id", "address", name=op.f("uq_exercise_openings_exercise_id_address")),
    )
    op.create_table(
        "consultations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(length=200), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        sa.Column("called_at", Instant, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("assessment", Json, nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("concluded_by", sa.Uuid(), nullable=True),
        sa.Column("concluded_at", Instant, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["area"], ["areas.id"], name=op.f("fk_consultations_area_areas")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_consultations_decision_id_decisions")),
        sa.ForeignKeyConstraint(["episode_id"], ["episodes.id"], name=op.f("fk_consultations_episode_id_episodes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultations")),
    )
    op.create_index(op.f("ix_consultations_area_called_at"), "consultations", ["area", "called_at"], unique=False)
    op.create_index(op.f("ix_consultations_decision_id"), "consultations", ["decision_id"], unique=False)
    op.create_index(op.f("ix_consultations_episode_id"), "consultations", ["episode_id"], unique=False)
    op.create_table(
        "consultation_files",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_consultation_files_consultation_id_consultations")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["files.sha256"], name=op.f("fk_consultation_files_sha256_files")),
        sa.PrimaryKeyConstraint("consultation_id", "sha256", name=op.f("pk_consultation_files")),
    )
    op.create_table(
        "consultation_voices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("said_at", Instant, nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_consultation_voices_consultation_id_consultations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation_voices")),
    )
    op.create_index(
        op.f("ix_consultation_voices_consultation_id"), "consultation_voices", ["consultation_id"], unique=False
    )
