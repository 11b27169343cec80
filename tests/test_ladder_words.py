"""A plan's ladder may name the portal, a voice and the call list, each where it can be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from emergency.plans.plans import check, load_plans
from tests.test_plans import GOOD

DISTRICT_STEP = "  - {step: district, after_minutes: 90, notify: district_duty, by: [sms], basis: text, source: doc}\n"
CALL_STEP = "  - {step: call_list, after_minutes: %d, notify: call_list, by: [sms], basis: text, source: doc}\n"


def problems(folder: Path, old: str, new: str) -> list[str]:
    """What is wrong with the plan after one change."""
    assert old in GOOD
    (folder / "city.yaml").write_text(GOOD.replace(old, new, 1), "utf-8")
    return [one.reason for one in check(folder)]


def test_a_ladder_goes_from_the_portal_over_a_voice_to_the_call_list(tmp_path: Path) -> None:
    portal, voice = "notify: recipient, by: [portal, sms]", "notify: district_duty, by: [sms, voice]"
    text = GOOD.replace("notify: recipient, by: [sms]", portal).replace("notify: district_duty, by: [sms]", voice)
    text = text.replace("release:\n", CALL_STEP % 120 + "release:\n", 1)
    (tmp_path / "city.yaml").write_text(text, "utf-8")

    ladder = load_plans(tmp_path)["city"].ladder

    assert [(one.notify, one.by) for one in ladder] == [
        ("recipient", ("portal", "sms")),
        ("district_duty", ("sms", "voice")),
        ("call_list", ("sms",)),
    ]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("notify: district_duty, by: [sms]", "notify: district_duty, by: [portal]", "not its district_duty"),
        (DISTRICT_STEP, CALL_STEP % 60 + DISTRICT_STEP, "call_list is the last step"),
        ("notify: district_duty", "notify: paper", "call_list"),  # the words there are, named
    ],
)
def test_a_step_that_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, word: str) -> None:
    found = problems(tmp_path, old, new)

    assert any(word in one for one in found), found


def test_the_first_homes_plans_end_in_the_call_list() -> None:
    for plan_id in ("liuzhou", "liujiang"):
        steps = [one for one in load_plans()[plan_id].ladder if one.deadline == "acknowledge"]
        ways = [(one.notify, *one.by) for one in steps]
        assert ways[:4] == [
            ("recipient", "portal"), ("recipient", "sms"), ("recipient", "voice"), ("second_contact", "sms")
        ]
        assert ways[-1][0] == "call_list"
        assert ("town", "sms") in ways or plan_id == "liuzhou", "a city's recipients lie in no town"
