"""Whom a ladder would not reach is shown where it can be mended: before a signature, on a page, behind its alarm."""

from __future__ import annotations

import re

from emergency.domain.level import Level
from emergency.domain.people import Role
from emergency.services import reaching
from tests.web.conftest import SignedIn
from tests.web.test_access import newcomer
from tests.world import DISTRICT, World


def test_a_signature_is_warned_of_steps_that_reach_nobody(world: World, signed_in: SignedIn) -> None:
    decision = world.bulletin(Level.YELLOW)
    assert decision is not None

    page = signed_in("lj-approver3").get(f"/console/decisions/{decision.id}").text

    assert "签发前请注意：催办有够不到的步骤" in page
    assert re.search(r"<b>\d+ 家</b> 没有第二联系人", page)
    assert "影响：告知第二联系人" in page
    signed = world.sign(decision, by="lj-approver3")
    assert "签发前请注意" not in signed_in("lj-approver3").get(f"/console/decisions/{signed.id}").text


def test_an_end_needs_no_ladder_and_no_warning_of_it(world: World, signed_in: SignedIn) -> None:
    world.activated()
    release = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert release is not None

    assert "签发前请注意" not in signed_in("lj-approver3").get(f"/console/decisions/{release.id}").text


def test_the_page_lists_every_recipient_and_the_alarm_leads_there(world: World, signed_in: SignedIn) -> None:
    with world.store.reading() as tx:
        some = reaching.shortfalls(tx, world.rules, world.rules.plan_of(tx, DISTRICT), DISTRICT, wall=world.wall.now())
    reaching.look(world.store, world.rules, now=world.now, wall=world.wall.now())
    browser = signed_in("lj-duty")

    desk = browser.get("/console").text
    page = browser.get("/console/reach").text

    assert "催办有够不到的步骤" in desk
    assert f'href="/console/reach?area={DISTRICT}"' in desk
    assert sum(one.count for one in some) > 20
    assert all(recipient.name in page for one in some for recipient in one.recipients)
    assert "no second contact" in browser.get("/console/reach?lang=en").text


def test_a_town_is_shown_its_own_recipients_only(world: World, signed_in: SignedIn) -> None:
    town = newcomer(world, area=f"{DISTRICT}.labao", role=Role.DUTY_OFFICER)
    browser = signed_in(town.login)

    page = browser.get("/console/reach").text

    listed = re.findall(r'<li>[^<]+ <small class="hint">([^<]+)</small></li>', page)
    assert set(listed) <= {"拉堡镇"}
    assert browser.get(f"/console/reach?area={DISTRICT}").status_code == 403
