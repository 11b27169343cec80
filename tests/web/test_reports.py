"""A unit files its daily report by phone or at the portal without a script; the desk sees who has not."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from emergency.domain.orders import Order
from emergency.domain.reporting import Report
from emergency.services import rounds
from emergency.store import reporting as kept
from tests.web.conftest import SignedIn, token_in
from tests.world import World


@pytest.fixture
def order(world: World) -> Order:
    """The order of Labao town, whose daily report has been asked for."""
    world.activated(deliver=False)
    world.clock.forward(hours=24)  # 17:05 of the first day
    rounds.go(world.store, world.rules, now=world.now)
    return next(one for one in world.orders() if one.recipient_id == world.person("labao-town").recipient_id)


def of(world: World, order: Order) -> list[Report]:
    """The reports of one order."""
    with world.store.reading() as tx:
        return kept.of_order(tx, order.id)


def said(order: Order, **more: str) -> dict[str, str]:
    """A report as its form sends it."""
    return {"revision": str(order.revision), "action": "report", "of": "daily:2015-02-09", **more}


def test_a_phone_files_it_with_its_figures_and_shows_what_was_filed(
    world: World, client: FlaskClient, order: Order
) -> None:
    path = f"/o/{world.token(order)}"
    page = client.get(path).text
    assert "待填 1" in page
    assert '<option value="daily:2015-02-09"' in page
    assert page.count("<script") == 1
    assert len(page.encode()) < 50_000
    assert of(world, order)[0].filed_at is None, "looking files nothing"

    form = said(order, remark="检查12家 <b>3处</b>", inspected="12", problems="3", corrected="2")
    page = client.post(f"{path}/answer", data=form, follow_redirects=True).text

    (report,) = of(world, order)
    assert dict(report.figures) == {"inspected": 12, "problems": 3, "corrected": 2}
    assert "答复已经记录" in page
    assert "待填" not in page
    assert "检查数 12" in page
    assert "&lt;b&gt;3处" in page


def test_a_figure_that_counts_nothing_is_refused_and_what_was_typed_stays(
    world: World, client: FlaskClient, order: Order
) -> None:
    form = said(order, remark="检查若干家", inspected="若干")

    answer = client.post(f"/o/{world.token(order)}/answer", data=form)

    assert answer.status_code == 422
    assert "数字请填" in answer.text
    assert "检查若干家</textarea>" in answer.text
    assert 'value="若干"' in answer.text
    assert of(world, order)[0].filed_at is None


def test_a_day_nobody_asks_for_is_refused_and_no_answer_is_kept(
    world: World, client: FlaskClient, order: Order
) -> None:
    form = said(order, remark="补报", of="daily:2015-01-01")

    answer = client.post(f"/o/{world.token(order)}/answer", data=form)

    assert answer.status_code == 422
    assert world.order(order.id) == order


def test_the_portal_lists_what_is_missing_and_files_it_in_the_persons_name(
    world: World, order: Order, signed_in: SignedIn
) -> None:
    browser = signed_in("labao-town")
    assert "还没有填报" in browser.get("/portal").text
    path = f"/portal/orders/{order.id}"
    form = said(order, remark="巡查三个村", csrf_token=token_in(browser.get(path).text))

    page = browser.post(f"{path}/answer", data=form, follow_redirects=True).text

    (report,) = of(world, order)
    assert (report.filed_by, report.via, dict(report.figures)) == (world.person("labao-town").name, "portal", {})
    assert "巡查三个村" in page
    assert "还没有填报" not in browser.get("/portal").text


def test_nobody_files_for_another_and_an_enterprise_has_no_such_form(
    world: World, order: Order, signed_in: SignedIn
) -> None:
    kiln = signed_in("sample-kiln")
    own = next(one for one in world.orders() if one.recipient_id == world.person("sample-kiln").recipient_id)
    page = kiln.get(f"/portal/orders/{own.id}").text
    assert 'id="reports"' not in page

    form = said(order, remark="代报", csrf_token=token_in(page))
    assert kiln.post(f"/portal/orders/{order.id}/answer", data=form).status_code == 404
    assert kiln.post(f"/portal/orders/{own.id}/answer", data={**form, "of": ""}).status_code == 422
    assert of(world, order)[0].filed_at is None


def test_the_desk_sees_who_reported_what_and_who_has_not(world: World, order: Order, signed_in: SignedIn) -> None:
    world.clock.forward(hours=3)
    rounds.go(world.store, world.rules, now=world.now)
    client = signed_in("labao-town")
    path = f"/portal/orders/{order.id}"
    token = token_in(client.get(path).text)
    client.post(f"{path}/answer", data=said(order, remark="巡查三个村", inspected="3", csrf_token=token))

    page = signed_in("lj-duty").get(f"/console/episodes/{world.episode().id}").text

    assert "2015-02-09 日报" in page
    assert "已报 1 家" in page
    assert "缺报" in page
    assert "已催" in page
    assert "巡查三个村" in page
    assert "检查数 3" in page
    assert "每 8 小时一次" in page


def test_the_review_says_by_when_the_evaluation_is_due_and_when_it_was_done(
    world: World, signed_in: SignedIn
) -> None:
    world.activated(deliver=False)
    world.released()
    paper = f"/review/{world.episode().id}"
    assert "总结评估应于 2015-02-27 00:00 前完成" in signed_in("lj-reviewer").get(paper).text

    world.review()

    assert "完成于 2015-02-08" in signed_in("lj-reviewer").get(paper).text
