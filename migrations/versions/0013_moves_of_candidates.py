"""The log of candidate plans has the moves they would have suggested beside their levels."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("asks", "active_asks"):
        op.add_column("shadow_verdicts", sa.Column(name, sa.String(length=40), nullable=True))
