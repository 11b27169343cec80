"""The review: drafted from the record, every figure with its rows, signed by two, and the episode closed with it."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from emergency.domain.episode import Episode, Phase
from emergency.domain.level import Level
from emergency.domain.orders import Action
from emergency.domain.review import Stage
from emergency.store import record
from tests.web.conftest import SignedIn, token_in
from tests.world import PASSWORD, World


@pytest.fixture
def episode(world: World) -> Episode:
    """A response of the district that is over: some answered, one declined, the rest chased."""
    world.observe(120, 193, until=0)
    world.activated(Level.YELLOW, deliver=False)
    first, second, *_ = world.orders()
    world.answer(first)
    world.answer(second, Action.DECLINE, remark="窑温须三天才能降下来")
    world.forward(minutes=40, step=40)
    return world.released()


def page_of(browser: FlaskClient, episode: Episode) -> str:
    """The review's page."""
    answer = browser.get(f"/review/{episode.id}")
    assert answer.status_code == 200
    return answer.text


def press(browser: FlaskClient, episode: Episode, deed: str, **form: str) -> tuple[int, str]:
    """Press a button of the review and follow."""
    page = page_of(browser, episode)
    version = re.search(r'name="version" value="(\d+)"', page)
    said = {"csrf_token": token_in(page), "version": version.group(1) if version else "", "password": PASSWORD, **form}
    answer = browser.post(f"/review/{episode.id}/{deed}", data=said, follow_redirects=True)
    return answer.status_code, answer.text


def stage(world: World, episode: Episode) -> Stage | None:
    """Where the review stands."""
    with world.store.reading() as tx:
        found = record.review_of(tx, episode.id)
    return found.stage if found else None


def test_a_review_is_drafted_signed_countersigned_and_then_the_episode_is_closed(
    world: World, episode: Episode, signed_in: SignedIn
) -> None:
    status, page = press(signed_in("lj-duty"), episode, "draft", lessons="夜间答复慢")
    assert (status, stage(world, episode)) == (200, Stage.DRAFTED)
    assert "夜间答复慢" in page

    press(signed_in("lj-reviewer"), episode, "signature")
    assert stage(world, episode) is Stage.SIGNED

    _, page = press(signed_in("lj-approver3"), episode, "countersignature")
    assert stage(world, episode) is Stage.COUNTERSIGNED
    assert world.episode().phase is Phase.CLOSED
    assert "已复核归档" in page
    assert "<textarea" not in page


def test_the_first_signer_cannot_be_the_second_and_is_told_why(
    world: World, episode: Episode, signed_in: SignedIn
) -> None:
    press(signed_in("lj-duty"), episode, "draft")
    reviewer = signed_in("lj-reviewer")
    press(reviewer, episode, "signature")

    page = page_of(reviewer, episode)
    assert "您已签过字，复核须由另一人进行" in page
    assert "countersignature" not in page

    forged = {"csrf_token": token_in(page), "version": "2", "password": PASSWORD}
    answer = reviewer.post(f"/review/{episode.id}/countersignature", data=forged)

    assert answer.status_code == 422
    assert "复核签字须由另一人完成" in answer.text
    assert world.episode().phase is Phase.RELEASED


def test_a_wrong_password_signs_nothing(world: World, episode: Episode, signed_in: SignedIn) -> None:
    press(signed_in("lj-duty"), episode, "draft")

    status, page = press(signed_in("lj-reviewer"), episode, "signature", password="not mine")

    assert status == 403
    assert "密码不正确" in page
    assert stage(world, episode) is Stage.DRAFTED


def test_what_changed_after_it_was_read_is_not_signed(world: World, episode: Episode, signed_in: SignedIn) -> None:
    press(signed_in("lj-duty"), episode, "draft", lessons="一")
    press(signed_in("lj-duty"), episode, "draft", lessons="二")

    status, page = press(signed_in("lj-reviewer"), episode, "signature", version="1")

    assert status == 422
    assert "有变化，请重新核对后再签" in page
    assert stage(world, episode) is Stage.DRAFTED


def test_lessons_that_could_not_be_saved_are_still_on_the_page(
    world: World, episode: Episode, signed_in: SignedIn
) -> None:
    duty = signed_in("lj-duty")
    press(duty, episode, "draft")
    page = page_of(duty, episode)
    press(signed_in("lj-reviewer"), episode, "signature")

    said = {"csrf_token": token_in(page), "lessons": "来晚了的一条"}
    answer = duty.post(f"/review/{episode.id}/draft", data=said)

    assert answer.status_code == 422
    assert "来晚了的一条" in answer.text


def test_while_the_response_runs_it_can_be_read_and_not_drafted(world: World, signed_in: SignedIn) -> None:
    running = world.activated(Level.YELLOW, deliver=False)

    page = page_of(signed_in("lj-duty"), running)

    assert "应急过程还没有解除" in page
    assert "<textarea" not in page


def test_every_count_of_orders_opens_its_rows(world: World, episode: Episode, signed_in: SignedIn) -> None:
    browser = signed_in("lj-reviewer")

    page = page_of(browser, episode)
    links = set(re.findall(r'href="(/console/orders\?episode=[^"]+)"', page))

    assert f"/console/orders?episode={episode.id}&amp;status=lifted" in links
    for link in links:
        answer = browser.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        count = re.search(rf'{re.escape(link)}">(\d+)</a>', page)
        if count and "status=" in link and "town=" not in link:
            assert count.group(1) in answer.text


def test_the_summary_counts_what_the_record_holds(world: World, episode: Episode, signed_in: SignedIn) -> None:
    orders = len(world.orders())
    with world.store.reading() as tx:
        kept = record.record(tx, episode.id)

    page = page_of(signed_in("lj-reviewer"), episode)

    assert f"共下达指令 {orders} 件" in page
    assert kept.asked == orders
    assert len(kept.minutes) == 2
    assert f"要求答复 {orders} 次，答复 2 次，始终未答复 {orders - 2} 次" in page
    assert "每项的提出人与签发人均不相同" in page


def test_forecast_and_observed_stand_side_by_side(world: World, signed_in: SignedIn) -> None:
    world.forecast(150, 160, 170)
    world.clock.forward(days=1)
    world.observe(180, until=0)
    running = world.activated(Level.YELLOW, deliver=False)

    page = page_of(signed_in("lj-reviewer"), running)

    row = re.search(r'<th scope="row">2015-02-09</th>(.*?)</tr>', page, re.S)
    assert row
    assert re.findall(r'<td class="num">([^<]+)</td>', row.group(1)) == ["180", "150", "—", "—"]
    assert "平均偏差 -30.0，平均绝对误差 30.0" in page


def test_the_rule_and_the_people_are_never_merged(world: World, episode: Episode, signed_in: SignedIn) -> None:
    page = page_of(signed_in("lj-reviewer"), episode)

    assert '<th scope="col">规则结论</th><th scope="col">决定</th>' in page
    assert "依据：" in page


def test_another_districts_or_a_citys_review_is_not_for_the_district(
    world: World, episode: Episode, signed_in: SignedIn
) -> None:
    for one in world.forecast(210, 220, 230):
        world.decide(one)
    city = world.episode("450200")

    assert signed_in("lj-reviewer").get(f"/review/{city.id}").status_code == 403
    assert signed_in("city-reviewer").get(f"/review/{episode.id}").status_code == 200


def test_the_list_has_the_area_and_what_lies_below_and_how_far_each_review_is(
    world: World, episode: Episode, signed_in: SignedIn
) -> None:
    for one in world.forecast(210, 220, 230):
        world.decide(one)
    city = world.episode("450200")

    below = signed_in("lj-reviewer").get("/review").text
    above = signed_in("city-reviewer").get("/review").text

    assert episode.number in below
    assert "待起草" in below
    assert city.number not in below
    assert city.number in above
    assert episode.number in above


def test_with_nothing_to_review_the_list_says_so(world: World, signed_in: SignedIn) -> None:
    assert "还没有可以评估的应急过程" in signed_in("lj-reviewer").get("/review").text


def test_an_unknown_review_is_not_there(world: World, signed_in: SignedIn) -> None:
    assert signed_in("lj-reviewer").get("/review/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_duty_officer_is_told_why_they_cannot_sign(world: World, episode: Episode, signed_in: SignedIn) -> None:
    duty = signed_in("lj-duty")
    press(duty, episode, "draft")

    page = page_of(duty, episode)

    assert "签字由审批人或评估人员进行" in page
    assert "/signature" not in page
    answer = duty.post(f"/review/{episode.id}/signature", data={"csrf_token": token_in(page), "password": PASSWORD})
    assert answer.status_code == 403
    assert stage(world, episode) is Stage.DRAFTED


def test_the_english_review_has_no_chinese_frame(world: World, episode: Episode, signed_in: SignedIn) -> None:
    page = signed_in("lj-reviewer").get(f"/review/{episode.id}?lang=en").text

    assert "What the rule said and what people decided stand side by side" in page
    assert "233" in page or "orders went out" in page
    for word in ("摘要", "级别与时段", "研判与审批", "及时性", "逐级告知", "大事记"):
        assert word not in page


def test_the_paper_of_a_withdrawn_warning_counts_no_hours_and_names_nobody_as_silent(
    world: World, signed_in: SignedIn
) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.forward(hours=2, step=60)
    back = world.bulletin(Level.NONE, action="withdraw", effective_at=world.now)
    assert back is not None
    world.sign(back, by="lj-approver3")

    page = page_of(signed_in("lj-reviewer"), world.episode())

    assert "本次预警已撤回：响应时长计为零" in page
    assert "已撤回，不计时长。" in page
    assert f"撤回；已撤回指令 {len(world.orders())} 件" in page
    for word in ("始终未答复 2", "<li>升级告知", "解除；"):
        assert word not in page
    assert '<dt>始终未答复（次）</dt><dd>0</dd>' in page
