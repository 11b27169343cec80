"""The public page: a citizen reads the level, since when, until when and what to do; a district never warns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask.testing import FlaskClient

from emergency.domain.episode import Decision, Move
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.system import System
from emergency.web import create_app
from tests.world import DISTRICT, World


def warn(world: World, *aqi: int) -> Decision:
    """The city warns after this forecast."""
    (suggested,) = world.forecast(*aqi)
    return world.decide(suggested)


def test_without_a_warning_it_says_so_plainly(world: World, client: FlaskClient) -> None:
    page = client.get("/public").text

    assert "柳州市" in page
    assert "没有预警" in page
    assert "还没有发布过预警" in page


def test_a_warning_says_its_level_in_words_since_until_and_what_to_do(world: World, client: FlaskClient) -> None:
    decision = warn(world, 210, 220, 160)

    page = client.get("/public").text

    assert decision.level is Level.ORANGE
    assert "橙色 ▲▲ Ⅱ级" in page
    assert "这是第 3 级" in page
    assert "2015-02-08 17:05" in page
    assert "另行通知" in page
    assert "儿童、老年人和心肺疾病患者留在室内" in page
    assert decision.notice.issuer in page
    assert decision.notice.public_text.splitlines()[0] in page


def test_advice_of_a_higher_level_replaces_the_lower(world: World, client: FlaskClient) -> None:
    warn(world, 210, 220, 160)

    page = client.get("/public").text

    assert "减少户外活动，外出戴口罩" not in page


def test_a_proposal_is_not_a_warning(world: World, client: FlaskClient) -> None:
    (suggested,) = world.forecast(210, 220, 160)
    world.put_forward(suggested)

    assert "没有预警" in client.get("/public").text


def test_a_district_never_appears_as_a_warning_of_its_own(world: World, client: FlaskClient) -> None:
    world.activated(Level.YELLOW, deliver=False)

    page = client.get("/public").text

    assert "没有预警" in page
    assert "柳江区已按柳州市的通知启动应急响应（黄色 ▲ Ⅲ级）" in page
    assert page.count("<h1") == 1


def test_a_release_signed_ahead_keeps_the_warning_until_it_ends(world: World, client: FlaskClient) -> None:
    warn(world, 210, 220, 160)
    world.clock.forward(hours=2)
    world.sign(
        world.propose(
            Move.RELEASE, Level.NONE, override_because="会商结论", effective_at=world.now + timedelta(hours=5)
        )
    )

    before = client.get("/public").text
    world.clock.forward(hours=6)
    after = client.get("/public").text

    assert "橙色 ▲▲ Ⅱ级" in before
    assert "已签发解除" in before
    assert "没有预警" in after
    assert "上一次预警已于 2015-02-09 00:05 解除" in after


def test_a_withdrawn_warning_is_said_to_be_withdrawn(world: World, client: FlaskClient) -> None:
    warn(world, 210, 220, 160)
    world.sign(world.propose(Move.WITHDRAW, Level.NONE, override_because="数据有误"))

    page = client.get("/public").text

    assert "没有预警" in page
    assert "此前发布的预警已经撤回" in page


def test_the_same_page_is_not_sent_twice(world: World, client: FlaskClient) -> None:
    first = client.get("/public")

    again = client.get("/public", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304

    warn(world, 210, 220, 160)
    changed = client.get("/public", headers={"If-None-Match": first.headers["ETag"]})

    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_anybody_may_keep_it_for_ten_seconds_and_nobody_is_followed(world: World, client: FlaskClient) -> None:
    answer = client.get("/public")

    assert answer.headers["Cache-Control"].startswith("public, max-age=10")
    assert "Set-Cookie" not in answer.headers
    assert "<script" not in answer.text
    assert "csrf" not in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_whoever_has_signed_in_sees_the_same_bytes(world: World, client: FlaskClient, signed_in: object) -> None:
    assert callable(signed_in)
    warn(world, 210, 220, 160)

    assert signed_in("city-duty").get("/public").data == client.get("/public").data


def test_a_replay_is_marked_as_one(world: World, system: System) -> None:
    rules = replace(world.rules, label="推演", origin="本次为历史数据推演，数据来自2015年2月的柳州。")
    page = create_app(replace(system, rules=rules)).test_client().get("/public").text

    assert "【推演】" in page
    assert "数据来自2015年2月的柳州" in page


def test_english_says_the_same(world: World, client: FlaskClient) -> None:
    warn(world, 210, 220, 160)

    page = client.get("/public?lang=en").text

    assert "What to do" in page
    assert "further notice" in page
    assert "Everybody stays indoors" not in page
    assert "everyone else avoids outdoor exercise" in page


def test_a_health_advisory_stands_in_words_and_is_no_warning(world: World, client: FlaskClient) -> None:
    (suggested,) = world.forecast(168, 172, causes=(Cause.O3, Cause.O3))
    assert "健康提示" not in client.get("/public").text
    world.decide(suggested)

    page, english = client.get("/public").text, client.get("/public?lang=en").text

    assert "健康提示（不是预警）" in page
    assert "没有预警" in page
    assert "照常生活即可" not in page
    assert "孩子的户外活动" in page
    assert "Health advisory (not a warning)" in english
    assert "Ozone is highest" in english


def test_a_districts_advisory_is_not_on_the_public_page(world: World, client: FlaskClient) -> None:
    world.forecast(168, causes=(Cause.O3,))
    world.decide(world.propose(Move.ADVISE, Level.NONE, area=DISTRICT, by="lj-duty"))

    assert "健康提示（不是预警）" not in client.get("/public").text
