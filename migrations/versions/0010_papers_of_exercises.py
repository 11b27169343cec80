"""A notice of the level above says of which exercise it is, so that none ends what a real one began."""

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None

BULLETINS = sa.table("bulletins", sa.column("id", sa.Uuid()), sa.column("area"), sa.column("exercise"))
DECISIONS = sa.table("decisions", sa.column("id", sa.Uuid()), sa.column("episode_id", sa.Uuid()))
EPISODES = sa.table("episodes", sa.column("id", sa.Uuid()), sa.column("exercise"))


def upgrade() -> None:
    op.add_column("bulletins", sa.Column("exercise", sa.String(length=36), nullable=False, server_default=""))
    connection = op.get_bind()
    areas = list(connection.execute(sa.select(BULLETINS.c.area).distinct()).scalars())
    signed = connection.execute(
        sa.select(DECISIONS.c.id, EPISODES.c.exercise)
        .join(EPISODES, EPISODES.c.id == DECISIONS.c.episode_id)
        .where(EPISODES.c.exercise != "")
    ).all()
    for decision in signed:  # the id of an exercise's notice stands for the decision it passes on
        its = [_passed_on(decision.id, area) for area in areas]
        connection.execute(sa.update(BULLETINS).where(BULLETINS.c.id.in_(its)).values(exercise=decision.exercise))


def _passed_on(decision: UUID, area: str) -> UUID:
    return uuid5(decision, f"relay:{area}")
