"""An alarm that nothing takes back by itself is settled on the desk's page, by those who see it and for a reason."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from emergency.store import Tx
from tests.web.conftest import SignedIn, token_in
from tests.world import CITY, World

WALL, SILENT, CITYS = "exercise-wall:sms", "silent:bureau", "exercise-wall:voice"


@pytest.fixture(autouse=True)
def alarms(world: World) -> None:
    """One at every desk that waits for a person, one that ends by itself, and one of the city alone."""

    def raised(tx: Tx) -> None:
        tx.raise_alarm(WALL, area="", detail="3 messages of an exercise were stopped before sms", now=world.now)
        tx.raise_alarm(SILENT, area="", detail="数据源 bureau 无应答", now=world.now)
        tx.raise_alarm(CITYS, area=CITY, detail="1 message of an exercise was stopped before voice", now=world.now)

    world.store.run(raised)


def standing(world: World) -> set[str]:
    with world.store.reading() as tx:
        return {one.name for one in tx.standing_alarms()}


def settled(browser: FlaskClient, name: str, because: str = "演练时收回了号码", **more: Any) -> Any:
    token = token_in(browser.get("/console").text)
    form = {"csrf_token": token, "name": name, "because": because, **more}
    return browser.post("/console/alarms/settle", data=form, follow_redirects=True)


def test_whoever_sees_it_settles_it_with_a_reason_that_the_journal_keeps(world: World, signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    page = browser.get("/console").text
    assert f'name="name" value="{WALL}"' in page
    assert f'name="name" value="{SILENT}"' not in page, "it ends when the feed talks again"

    answer = settled(browser, WALL).text

    assert "告警已了结" in answer
    assert "人工了结告警 · 演练时收回了号码" in answer, "in the journal beside it"
    assert standing(world) == {SILENT, CITYS}
    with world.store.reading() as tx:
        rows = tx.connection.execute(text("select about, by from journal where what = 'alarm.settled'")).all()
    assert [tuple(row) for row in rows] == [(WALL, "lj-duty")]
    assert "这项告警已经结束" in settled(browser, WALL).text


@pytest.mark.parametrize(
    ("name", "because", "words"),
    [(WALL, "  ", "请写明了结告警的理由"), (SILENT, "不再需要", "该告警在原因消除后自动结束")],
)
def test_nothing_is_settled_without_a_reason_nor_while_its_cause_can_be_seen(
    world: World, signed_in: SignedIn, name: str, because: str, words: str
) -> None:
    assert words in settled(signed_in("lj-duty"), name, because).text

    assert standing(world) == {WALL, SILENT, CITYS}


def test_a_district_settles_no_alarm_of_the_citys_desk(world: World, signed_in: SignedIn) -> None:
    assert settled(signed_in("lj-duty"), CITYS).status_code == 403
    settled(signed_in("city-duty"), CITYS)

    assert standing(world) == {WALL, SILENT}


def test_a_form_of_another_site_settles_nothing(world: World, signed_in: SignedIn) -> None:
    assert settled(signed_in("lj-duty"), WALL, csrf_token="made up").status_code == 400

    assert WALL in standing(world)


def test_met_again_it_stands_again(world: World, signed_in: SignedIn) -> None:
    settled(signed_in("lj-duty"), WALL)

    assert world.store.run(lambda tx: tx.raise_alarm(WALL, area="", detail="1 more", now=world.now))
