"""What a review points at: each mark where it belongs, and nothing where all went as the plan says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from emergency.domain import signing
from emergency.domain.assess import assess
from emergency.domain.assessment import as_data
from emergency.domain.deputising import turns
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.flags import Flag, Mark, flags
from emergency.domain.forecast import Air, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.plan import Approval, Deputy, Plan
from emergency.plans.plans import load_plans
from tests.builders import NOW, a_proposal, an_approver, an_id
from tests.world import PLAYBOOKS

CITY_PLAN = load_plans(PLAYBOOKS / "plans")["liuzhou"]  # yellow within 120 minutes, orange and red within 60


def signed(*, after: float = 10, **how: Any) -> Decision:
    """A decision signed so many minutes after it was put forward; as the rule said, unless told otherwise."""
    one = a_proposal(**{"suggested_at": NOW, **how})
    return signing.approve(one, by=an_approver(), now=NOW + timedelta(minutes=after), content=one.content_sha)


def marks(
    *some: Decision,
    plan: Plan | None = CITY_PLAN,
    received_at: Mapping[UUID, datetime] | None = None,
    calm_at: Mapping[UUID, bool] | None = None,
) -> list[tuple[str, int | None]]:
    """What is pointed at, with the minutes."""
    return [(one.mark, one.minutes) for one in found(*some, plan=plan, received_at=received_at, calm_at=calm_at)]


def found(*some: Decision, plan: Plan | None = CITY_PLAN, received_at: Any = None, calm_at: Any = None) -> list[Flag]:
    """The flags themselves."""
    return list(flags(some, plan=plan, received_at=received_at or {}, calm_at=calm_at or {}))


def test_what_went_as_the_plan_says_is_not_pointed_at() -> None:
    assert marks(signed()) == []


@pytest.mark.parametrize(("level", "mark"), [(Level.RED, Mark.ABOVE_RULE), (Level.BLUE, Mark.BELOW_RULE)])
def test_another_level_than_the_rules_is_pointed_at_with_its_reason(level: Level, mark: Mark) -> None:
    told = signed(level=level, rule_says=Level.YELLOW, override_because="区域传输加重")

    (one,) = found(told)

    assert (one.mark, one.because, one.more) == (mark.value, "区域传输加重", {"rule_says": "yellow"})
    assert one.decision_id == str(told.id)


def test_a_decision_without_grounds_is_pointed_at_if_ever_the_rows_hold_one() -> None:
    assert marks(replace(signed(), assessment={})) == [("ungrounded", None)]


def test_a_decision_taken_without_any_air_data_is_pointed_at_and_one_on_the_citys_paper_is_not() -> None:
    blind = {"level": "none", "days": [], "bulletin": ""}

    assert marks(replace(signed(), assessment=blind)) == [("no_data", None)]
    assert marks(replace(signed(), assessment={**blind, "bulletin": "柳气预警〔2026〕1号"})) == []


@pytest.mark.parametrize("move", [Move.RELEASE, Move.DOWNGRADE])
def test_letting_go_against_the_release_test_is_pointed_at_and_is_no_lower_level(move: Move) -> None:
    level = Level.NONE if move is Move.RELEASE else Level.YELLOW
    low = signed(
        move=move, level=level, level_before=Level.RED, rule_says=Level.RED, override_because="降雨将至", rank_needed=3
    )

    assert marks(low) == [("let_go_uncalm", None)]
    met = replace(low, rule_says=level)
    assert marks(met, calm_at={met.id: True}) == []
    assert marks(met, calm_at={met.id: False}) == [("let_go_uncalm", None)]  # the air turned before the signature
    assert marks(replace(met, bulletin_id=an_id("paper")), calm_at={met.id: False}) == []  # the city's to answer for


def test_a_warning_in_calm_air_is_pointed_at() -> None:
    told = signed()

    assert marks(told, calm_at={told.id: True}) == [("warned_in_calm", None)]
    assert marks(told, calm_at={told.id: False}) == []


def test_a_suggestion_nobody_took_up_in_time_is_counted_in_minutes() -> None:
    """The plan gives 120 minutes for yellow."""
    at = NOW - timedelta(minutes=120)
    lay = replace(signed(), suggested_at=at - timedelta(minutes=35))

    assert marks(lay) == [("suggestion_lay", 35)]
    assert marks(replace(lay, suggested_at=at)) == []
    overtaken = replace(
        lay,
        proposed_by=None,
        standing=Standing.SUPERSEDED,
        proposed_at=at,
        suggested_at=at,
        decided_at=NOW + timedelta(minutes=5),
    )
    assert marks(overtaken) == [("suggestion_lay", 5)]


def test_a_signature_past_the_plans_time_is_counted_in_minutes() -> None:
    assert marks(signed(after=150)) == [("decided_late", 30)]
    assert marks(signed(after=120)) == []


def test_a_signature_later_than_the_lead_time_is_counted_in_minutes() -> None:
    """The bad air begins at 00:00 on the 12th, which is 16:00 UTC on the 11th; the plan wants 24 hours before it."""
    air = Air("柳州", tuple(DayOfAir(date(2026, 1, 12 + n), 210, Source.FORECAST) for n in range(2)))
    told = replace(signed(), assessment=as_data(assess(CITY_PLAN, air)))
    in_time = datetime(2026, 1, 10, 16, tzinfo=UTC)
    late = in_time + timedelta(hours=2)

    assert marks(replace(told, decided_at=in_time, decide_by=late)) == []
    assert marks(replace(told, decided_at=late, decide_by=late)) == [("lead_missed", 120)]
    assert marks(replace(told, decided_at=late, decide_by=late, move=Move.EXTEND)) == []
    assert marks(replace(told, decided_at=late, decide_by=late), plan=None) == []


def test_the_citys_paper_passed_on_too_late_is_counted_from_when_it_came() -> None:
    """The plan gives 60 minutes."""
    told = replace(signed(after=30), bulletin_id=an_id("paper"))

    came = {an_id("paper"): NOW - timedelta(minutes=45)}
    assert marks(told, received_at=came) == [("relayed_late", 15)]
    assert marks(told, received_at={an_id("paper"): NOW}) == []


def test_a_deputys_decision_names_clause_and_minutes_in_both_languages() -> None:
    red = Approval(3, "指挥长", 60, (Deputy("副指挥长", 2, 30),))
    one = replace(
        a_proposal(suggested_at=NOW, rank_needed=3), deputies=turns(red, clause="approval.red", waits_since=NOW)
    )
    late = NOW + timedelta(minutes=42)
    by = an_approver("deputy", rank=2)

    (told,) = found(signing.approve(one, by=by, now=late, content=one.content_sha))

    assert told.words_zh == "副指挥长代指挥长审批，提出后已等 42 分钟，依据预案条款 approval.red.deputies.0"
    assert "by the plan's clause approval.red.deputies.0" in told.words_en
    assert [one.mark for one in found(signing.reject(one, by=by, now=late, because="依据不足"))] == ["by_deputy"]


def test_a_dismissed_suggestion_is_listed_with_its_reason() -> None:
    none = Level.NONE
    told = signed(move=Move.DISMISS, level=none, rule_says=none, override_because="沙尘过程，非本地排放")

    assert [(one.mark, one.because) for one in found(told)] == [("dismissed", "沙尘过程，非本地排放")]


@pytest.mark.parametrize("mark", list(Mark))
def test_every_mark_has_its_sentence_in_both_languages(mark: Mark) -> None:
    told = Flag(mark.value, "", "activate", "red", 7, more={"who": "甲", "instead_of": "乙", "clause": "c"})

    assert told.words_zh
    assert "{" not in told.words_zh
    assert told.words_en
    assert "{" not in told.words_en
