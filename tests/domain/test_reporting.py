"""Who owes a report for which day, which may be filed, and what its figures may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from emergency.domain import drawing
from emergency.domain.orders import Order, RecipientKind, Status
from emergency.domain.reporting import (
    BadFigure,
    NoWords,
    Paper,
    Wanted,
    choices,
    figures_in,
    filed,
    fresh,
    owes_daily,
    owes_summary,
)
from tests.builders import A_MEASURE, NOW, a_recipient, an_id, drawn_up

EFFECT = NOW + timedelta(hours=7)
TODAY = date(2026, 1, 10)
TOWN = a_recipient("拉堡镇", kind=RecipientKind.TOWN)


def an_order(check: str = "daily_report", **how: object) -> Order:
    """A town's order with one duty, from its effect on."""
    measure = replace(A_MEASURE, check=check, starts_after_minutes=0)
    return replace(drawn_up(recipient=TOWN, measures=[measure]).order, **how)  # type: ignore[arg-type]  # told by the test


def test_a_daily_report_is_owed_for_a_duty_that_asks_for_it_and_bound_at_the_hour() -> None:
    assert owes_daily(an_order(), at=EFFECT)
    assert not owes_daily(an_order(), at=EFFECT - timedelta(minutes=1)), "the duty had not begun"
    assert not owes_daily(an_order("photo_in_window"), at=EFFECT)
    assert not owes_daily(an_order(issued_at=EFFECT + timedelta(minutes=1)), at=EFFECT), "given after the hour"
    assert not owes_daily(an_order(status=Status.LIFTED), at=EFFECT)
    assert owes_daily(an_order(status=Status.IN_PLACE), at=EFFECT)


def test_what_was_taken_back_is_not_summed_up() -> None:
    lifted, _ = drawing.lift(an_order(), decision_id=an_id("release"), effective_at=EFFECT, now=NOW)
    taken_back, _ = drawing.withdraw(an_order(), decision_id=an_id("withdraw"), effective_at=EFFECT, now=NOW)

    assert owes_summary(lifted)
    assert not owes_summary(taken_back)
    assert not owes_summary(an_order())


def test_the_report_most_likely_meant_comes_first() -> None:
    order, yesterday, before = an_order(), TODAY - timedelta(days=1), TODAY - timedelta(days=2)
    missed = fresh(order, Wanted(Paper.DAILY, yesterday), due_at=NOW, asked_at=NOW)
    came = replace(fresh(order, Wanted(Paper.DAILY, before), due_at=NOW, asked_at=NOW), filed_at=NOW)

    found = choices(order, TOWN, [came, missed], today=TODAY)

    assert [one.day for one in found] == [yesterday, TODAY, before]
    assert [one.day for one in choices(order, TOWN, [], today=TODAY)] == [TODAY]


def test_after_the_end_the_summary_may_be_filed_and_what_is_missing_and_nothing_new() -> None:
    order = an_order(status=Status.LIFTED)
    summary = fresh(order, Wanted(Paper.SUMMARY, TODAY), due_at=NOW, asked_at=NOW)
    missed = fresh(order, Wanted(Paper.DAILY, TODAY - timedelta(days=3)), due_at=NOW, asked_at=NOW)

    assert choices(order, TOWN, [missed, summary], today=TODAY) == (summary.wanted, missed.wanted)
    assert choices(order, TOWN, [], today=TODAY) == ()


def test_an_enterprise_files_none() -> None:
    assert choices(an_order(), a_recipient(), [], today=TODAY) == ()


def test_figures_are_counts_and_what_is_left_out_is_not_nought() -> None:
    assert figures_in({"inspected": " 12 ", "problems": "3", "corrected": ""}) == {"inspected": 12, "problems": 3}


@pytest.mark.parametrize(
    "said",
    [
        {"inspected": "-1"},
        {"inspected": "3.5"},
        {"inspected": "十二"},
        {"inspected": "٣"},
        {"inspected": "9999999"},
        {"problems": "2", "corrected": "3"},
    ],
)
def test_what_counts_nothing_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadFigure):
        figures_in(said)


def test_a_report_needs_its_words() -> None:
    report = fresh(an_order(), Wanted(Paper.DAILY, TODAY), due_at=NOW, asked_at=None)

    with pytest.raises(NoWords):
        filed(report, words=" \n", figures={"inspected": 1}, by="镇值守", via="link", now=NOW)
