"""One real week, told in the order it happens: the city warns, the district answers, all are released and counted."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import LIVE, Action, Category, RecipientKind, Status
from emergency.domain.signing import NotEntitled, OwnProposal
from emergency.services import decisions, dispatch
from emergency.services.decisions import NoAuthority
from tests.world import CITY, DISTRICT, World

CLOSED_PLANT = "柳州柳工挖掘机有限公司"


def test_the_week_of_february_2015(world: World) -> None:
    # the evening of the 8th: one day above 200 is forecast
    (suggested,) = world.forecast(120, 193, 229)
    assert (suggested.area, suggested.move, suggested.level) == (CITY, Move.ACTIVATE, Level.YELLOW)
    assert suggested.standing is Standing.SUGGESTED
    assert "连续2天 AQI > 150" in str(suggested.assessment["sentence_zh"])
    assert suggested.doubtful, "Liuzhou's thresholds were never seen, and the proposal must say so"

    # two people, and the second of enough rank
    with pytest.raises(IllegalMove):
        world.sign(suggested)
    proposal = world.put_forward(suggested)
    signed = world.sign(proposal)
    assert signed.decided_by not in (None, signed.proposed_by)
    assert "黄色" in signed.notice.public_text

    # the city reaches its districts and its bureaus, no enterprise
    kinds = {world.recipient(one).kind for one in world.orders(CITY)}
    assert kinds == {RecipientKind.DISTRICT, RecipientKind.UNIT}
    assert world.deliver() > 0

    # the district cannot act on its own reading, only on the city's notice
    with pytest.raises(NoAuthority):
        world.propose(Move.ACTIVATE, Level.YELLOW, area=DISTRICT, by="lj-duty")
    world.activated(Level.YELLOW)
    orders = world.orders()
    names = {world.recipient(one).name for one in orders}
    assert CLOSED_PLANT not in names
    assert all(one.status is Status.ISSUED for one in orders)
    assert len([one for one in world.phone.sent if one.kind.value == "order" and one.area.startswith(DISTRICT)]) == len(
        orders
    )

    # some answer at once, one says nothing and is escalated, one cannot comply and is ruled on
    silent, objecting, *others = [one for one in orders if world.recipient(one).sample][:12]
    world.acknowledge_all(others)
    world.answer(objecting, Action.DECLINE, remark="窑内有坯，不能急停")
    world.forward(hours=2)
    assert world.order(silent.id).escalated >= 3
    assert all(world.order(one.id).escalated == 0 for one in others)
    ruled = world.store.run(
        lambda tx: dispatch.rule_on(
            tx,
            world.rules,
            objecting.id,
            exempt=True,
            because="批准分段停窑",
            by=world.person("lj-approver1"),
            now=world.now,
        )
    )
    assert ruled.status is Status.EXEMPTED
    world.answer(silent)

    # the evening of the 9th: two days above 200, and the city goes to orange
    world.forward(hours=22, step=60)
    (worse,) = world.forecast(193, 229, 271)
    assert (worse.move, worse.level) == (Move.UPGRADE, Level.ORANGE)
    world.decide(worse)
    before = {one.id: one for one in world.orders()}
    upgrade = world.bulletin(Level.ORANGE, action="upgrade")
    assert upgrade is not None
    assert upgrade.move is Move.UPGRADE
    world.sign(upgrade, by="lj-approver3")
    after = {one.id: one for one in world.orders()}
    assert after.keys() == before.keys()
    changed = {one for one in after if after[one].asks_from > before[one].asks_from}
    told = after.keys() - changed
    assert changed
    assert told
    assert all(after[one].duties == before[one].duties and after[one].status == before[one].status for one in told)

    # the bad days pass; a lower forecast alone lowers nothing
    world.forward(hours=24, step=120)
    world.observe(193, 229, 271, 269, until=3)
    world.forward(hours=72, step=360)
    assert world.forecast(221, 120, 120) == []
    assert world.episode(CITY).level is Level.ORANGE

    # two whole calm days ahead: release, effective at midnight
    world.forward(hours=24, step=360)
    world.observe(221, until=0)
    (calm,) = world.forecast(120, 120, 62)
    assert calm.move is Move.RELEASE
    world.decide(calm)
    assert world.episode(CITY).phase is Phase.RELEASED
    live = [one for one in world.orders() if one.status in LIVE]
    world.released()
    assert {one.id for one in live} == {one.id for one in world.orders() if one.status is Status.LIFTED}

    # counted, signed by two, closed
    assert world.review(CITY).phase is Phase.CLOSED
    assert world.review(DISTRICT).phase is Phase.CLOSED


def test_every_eligible_recipient_gets_one_order_and_the_long_stopped_none(world: World) -> None:
    world.activated(Level.ORANGE)

    with world.store.reading() as tx:
        listed = [one for one in tx.recipients([DISTRICT]) if one.category is not Category.LONG_STOPPED]
        stopped = [one for one in tx.recipients([DISTRICT]) if one.category is Category.LONG_STOPPED]

    ordered = [one.recipient_id for one in world.orders()]
    assert len(ordered) == len(set(ordered))
    assert set(ordered) == {one.id for one in listed}
    assert CLOSED_PLANT in {one.name for one in stopped}


def test_a_second_person_of_too_low_a_rank_is_refused(world: World) -> None:
    (suggested,) = world.forecast(210, 310, 220)
    assert suggested.level is Level.RED
    proposal = world.put_forward(suggested)

    with pytest.raises(NotEntitled):
        world.sign(proposal, by="city-approver1")


def test_an_approver_who_proposes_cannot_sign_it(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)
    proposal = world.put_forward(suggested, by="city-approver3")

    with pytest.raises(OwnProposal):
        world.sign(proposal, by="city-approver3")
    assert world.sign(proposal, by="city-approver2").standing is Standing.APPROVED


def test_the_district_may_appeal_before_there_is_a_warning(world: World) -> None:
    world.forecast(120, 193, 229)
    with world.store.reading() as tx:
        due = [task.kind for task in tx.open_tasks([DISTRICT])]
    assert due == ["appeal"]

    appeal = world.propose(
        Move.APPEAL, Level.NONE, area=DISTRICT, by="lj-duty", override_because="市级尚未发布，先行巡查"
    )
    world.sign(appeal, by="lj-approver1")

    orders = world.orders()
    assert orders
    assert all(one.level is Level.NONE for one in orders)
    for one in orders:
        enterprise = world.recipient(one).kind is RecipientKind.ENTERPRISE
        assert not (enterprise and any(duty.force == "mandatory" for duty in one.duties))
    world.deliver()
    texts = [one.text for one in world.phone.sent if one.kind.value == "order" and one.area.startswith(DISTRICT)]
    assert texts
    assert not [text for text in texts if any(word in text for word in ("黄色", "橙色", "红色", "Ⅲ级", "停产"))]

    world.activated(Level.YELLOW)
    assert world.episode().level is Level.YELLOW


def test_a_proposal_can_be_returned_and_made_again(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)
    proposal = world.put_forward(suggested)
    world.store.run(
        lambda tx: decisions.reject(
            tx, proposal.id, by=world.person("city-approver2"), because="请补充会商意见", now=world.now
        )
    )

    again = world.propose(Move.ACTIVATE, Level.YELLOW)

    assert world.sign(again).standing is Standing.APPROVED
