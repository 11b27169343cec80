"""What came of a notice, and why a decision that nobody signed is over, in the language of whoever reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from emergency.domain.episode import UNDECIDED, Decision, Move, Standing
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.signing import lapse, supersede
from emergency.services import exercising, nagging
from emergency.web.lapsing import why_over
from tests.builders import NOW, a_suggestion
from tests.services.test_exercising import Held
from tests.services.test_replacing import FIRST, NEWER, PROPOSER, waiting
from tests.web.conftest import SignedIn, token_in
from tests.web.test_console import bulletin_form
from tests.world import World

__all__ = ["waiting"]  # the fixture
LATIN = re.compile(r"[A-Za-z]{3,}")


def enter(browser: FlaskClient, **changes: object) -> str:
    """The page a desk sees after it entered this notice."""
    form = bulletin_form(csrf_token=token_in(browser.get("/console/bulletins/new").text), **changes)
    answer = browser.post("/console/bulletins/new", data=form)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"]).text


def typed(world: World, *, minutes: int = 0) -> str:
    """A moment as a form has it, in Beijing's hours."""
    return (world.now + timedelta(hours=8, minutes=minutes)).strftime("%Y-%m-%dT%H:%M")


def times(world: World, *, minutes: int = 0) -> dict[str, object]:
    at = typed(world, minutes=minutes)
    return {"issued_at": at, "received_at": at, "effective_at": at}


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "因本通知失效，无须审批"), ("en", "has lapsed by this bulletin and needs no decision")],
)
@pytest.mark.parametrize("how", [{"action": "withdraw"}, {"action": "upgrade", "level": "red"}])
def test_whoever_enters_a_notice_is_told_what_lapsed_by_it(
    world: World, signed_in: SignedIn, waiting: Decision, how: dict[str, object], language: str, said: str
) -> None:
    world.clock.forward(minutes=10)
    browser = signed_in(PROPOSER)
    browser.set_cookie("lang", language)

    page = enter(browser, number=NEWER, **how, **times(world))

    assert said in page
    assert said not in enter(browser, number="柳气预警〔2015〕5号", **how, **times(world)), "nothing lapses by it"


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "本通知不再有效，不提出建议"), ("en", "no proposal is made of it")]
)
def test_whoever_enters_a_notice_that_was_over_before_is_told_by_which(
    world: World, signed_in: SignedIn, language: str, said: str
) -> None:
    browser = signed_in(PROPOSER)
    browser.set_cookie("lang", language)
    enter(browser, number=NEWER, action="withdraw", **times(world))

    page = enter(browser, number=FIRST, **times(world, minutes=-30))

    assert said in page
    assert NEWER in page


@pytest.mark.parametrize(("language", "said"), [("zh", "以后发的为准，不提出建议"), ("en", "nothing is proposed")])
def test_whoever_enters_a_notice_issued_before_the_one_that_waits_is_told_which_holds(
    world: World, signed_in: SignedIn, waiting: Decision, language: str, said: str
) -> None:
    browser = signed_in(PROPOSER)
    browser.set_cookie("lang", language)

    page = enter(browser, number=NEWER, level="yellow", **times(world, minutes=-30))

    assert said in page
    assert FIRST in page


def overdue(world: World, signed: Decision) -> Decision:
    end = world.now + timedelta(hours=9)
    found = world.put_forward(signed, changes={"expected_end_at": end, "open_ended": False})
    world.clock.forward(minutes=9 * 60)
    nagging.lapse_overdue(world.store, world.rules, now=world.now)
    return found


def overtaken_by_air(world: World, suggested: Decision) -> Decision:
    world.clock.forward(minutes=60)
    world.forecast(250, 310, 320, 330)
    return suggested


def proposed_otherwise(world: World, suggested: Decision) -> Decision:
    world.propose(Move.ACTIVATE, Level.RED, override_because="实况上升更快")
    return suggested


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (overdue, "规定时间内无人作出决定"),
        (overtaken_by_air, "新的研判结论不同"),
        (proposed_otherwise, "另行提出：启动 红色"),
    ],
)
def test_chinese_pages_say_in_chinese_why_nobody_signed(
    world: World, signed_in: SignedIn, ends: Callable[[World, Decision], Decision], said: str
) -> None:
    over = ends(world, world.forecast(120, 193, 229)[0])
    with world.store.reading() as tx:
        kept = tx.decision(over.id)
    browser = signed_in("city-approver3")

    assert kept.standing in (Standing.LAPSED, Standing.SUPERSEDED)
    for path in (f"/console/decisions/{over.id}", f"/console/episodes/{over.episode_id}"):
        page = browser.get(path).text
        assert said in page
        assert kept.decided_because not in page


def test_what_further_days_set_aside_is_said_in_words(app: Flask, world: World) -> None:
    (first,) = world.forecast(168, 90, causes=(Cause.O3, Cause.O3))
    world.clock.forward(minutes=60)
    world.forecast(168, 172, causes=(Cause.O3, Cause.O3))
    with world.store.reading() as tx:
        advice = tx.decision(first.id)
    assert advice.standing is Standing.SUPERSEDED

    with app.test_request_context():
        assert not LATIN.search(why_over(advice, {}))


def test_an_exercises_end_is_said_in_words(app: Flask, world: World) -> None:
    held = Held(world).begun()
    (suggested,) = held.let_in()
    held.run(lambda tx: exercising.end(tx, held.one.id, by=world.person("city-duty"), now=world.now))
    with world.store.reading() as tx:
        over = tx.decision(suggested.id)

    with app.test_request_context():
        assert why_over(over, {}) == "演练已结束"


@pytest.mark.parametrize(
    ("decision", "zh", "en"),
    [
        (lapse(a_suggestion(), now=NOW), "规定时间内无人作出决定", "Nobody decided in time"),
        (
            supersede(a_suggestion(), now=NOW, because="duty proposed release none"),
            "王值班另行提出：解除",
            "王值班 proposed otherwise: Release",
        ),
        (supersede(a_suggestion(), now=NOW, because="gone proposed"), "gone proposed", "gone proposed"),
        (replace(a_suggestion(), standing=Standing.REJECTED, decided_because=UNDECIDED), UNDECIDED, UNDECIDED),
    ],
    ids=["undecided", "by hand", "unknown", "a person's own words"],
)
def test_a_reason_is_said_to_each_reader_and_a_persons_own_words_stay(
    app: Flask, decision: Decision, zh: str, en: str
) -> None:
    for language, said in (("zh", zh), ("en", en)):
        with app.test_request_context():
            g.lang = language
            assert why_over(decision, {"duty": "王值班"}) == said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_interface_says_why_nobody_signed_in_both_languages_whoever_asks(
    world: World, signed_in: SignedIn, language: str
) -> None:
    (found,) = world.forecast(120, 193, 229)
    by_hand = world.propose(Move.ACTIVATE, Level.RED, override_because="会商认为将明显加重", open_ended=True)

    answer = signed_in("city-duty").get(f"/api/v1/episodes/{found.episode_id}", headers={"Accept-Language": language})

    told = {one["id"]: (one["because_zh"], one["because_en"]) for one in answer.json["decisions"]}
    zh, en = told[str(found.id)]
    assert "另行提出" in zh
    assert "proposed" in en
    assert "另行" not in en
    assert told[str(by_hand.id)] == ("", ""), "it waits"
    assert answer.headers["Content-Language"].startswith(language)
