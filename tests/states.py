"""docs/states.md as the machines draw themselves; `make docs` writes it, a house rule compares."""

from __future__ import annotations

import sys

from emergency.domain.consultation import CONSULTATION
from emergency.domain.episode import DECISION, EPISODE
from emergency.domain.exercise import EXERCISE
from emergency.domain.messages import MESSAGE
from emergency.domain.orders import ORDER
from emergency.domain.reduction.versions import LISTING
from emergency.domain.review import REVIEW

ABOUT = {
    "episode": "One stretch of bad air in one area, from the first suggestion to the signed review.",
    "decision": "The rule suggests, one person puts forward, another of enough rank signs.",
    "order": "What one recipient must do in one episode; compliance is a finding, not a state.",
    "message": "One wording to one address by one channel; «sent» and «delivered» are the provider's words.",
    "exercise": "The real path behind a wall: one calls it, another confirms it, and it ends with every opening.",
    "review": "Two signatures, by two people; the episode closes with the second.",
    "listing": "A version of the reduction list: one lays it down, another confirms; a running episode keeps its own.",
    "consultation": "Those asked say their word until somebody concludes; a decision rests on a conclusion only.",
}


def drawn() -> str:
    """The whole page."""
    parts = ["# States", "", "Drawn by the machines themselves (`make docs`); a test compares.", ""]
    for machine in (EPISODE, DECISION, ORDER, MESSAGE, REVIEW, CONSULTATION, EXERCISE, LISTING):
        parts += [f"## {machine.name}", "", ABOUT[machine.name], "", "```mermaid", machine.drawn(), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(drawn())
