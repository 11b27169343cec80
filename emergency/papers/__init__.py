"""Papers set in type: the sign-boards of enterprises and their response plans, as PDF."""

from __future__ import annotations

from emergency.papers.filling import Ground, facts
from emergency.papers.typesetting import MOST_BOARDS, TooMany, board_pdf, plan_pdf
from emergency.papers.words import starts

__all__ = ["MOST_BOARDS", "Ground", "TooMany", "board_pdf", "facts", "plan_pdf", "starts"]
