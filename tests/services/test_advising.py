"""Days that only get a health advisory: suggested once, signed by two, given to units and never to a plant."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from emergency.domain import advising
from emergency.domain.episode import Move, Phase
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.orders import LIVE, RecipientKind
from emergency.services import intake
from emergency.store import advising as kept
from tests.feeds.bench import PAYLOADS, a_feed, read_at
from tests.feeds.test_causes import by_the_book
from tests.world import CITY, DISTRICT, World

O3 = (Cause.O3,) * 3


def kinds(world: World, *, area: str) -> set[RecipientKind]:
    """Who holds a live order in the area's episode."""
    with world.store.reading() as tx:
        found = tx.running_episode(area)
        assert found is not None
        return {tx.recipient(one.recipient_id).kind for one in tx.orders(found.id) if one.status in LIVE}


def test_days_of_ozone_are_suggested_as_an_advisory_once(world: World) -> None:
    (found,) = world.forecast(168, 172, 160, causes=O3)

    assert (found.move, found.level, found.area) == (Move.ADVISE, Level.NONE, CITY)
    assert len(advising.of(found)) == 3
    world.clock.forward(minutes=60)
    assert world.forecast(168, 172, 160, causes=O3) == []
    world.decide(found)
    world.clock.forward(minutes=60)
    assert world.forecast(168, 172, 160, causes=O3) == []


def test_an_ozone_day_of_a_source_with_concentrations_is_suggested_as_an_advisory_and_as_no_warning(
    world: World,
) -> None:
    path = PAYLOADS / "openmeteo" / "ok-ozone-both-dust-2026-08-24.json"
    world.clock.forward(minutes=(read_at(path) - world.now).total_seconds() / 60)
    said = a_feed("openmeteo", index=by_the_book, place="柳州").parse(path.read_bytes(), now=world.now)
    world.store.run(lambda tx: intake.keep_air(tx, said.forecasts, [], now=world.now))

    (found,) = intake.weigh_all(world.store, world.rules, now=world.now)

    assert (found.move, found.level) == (Move.ADVISE, Level.NONE)
    assert [(one.cause, one.aqi) for one in advising.of(found)] == [
        (Cause.O3, 180),
        (Cause.O3, 180),
        (Cause.SAND_DUST, 338),
    ]
    assert "AQI 180" in found.notice.reason


def test_an_advisory_reaches_units_and_never_a_plant(world: World) -> None:
    (found,) = world.forecast(168, 172, 160, causes=O3)
    signed = world.decide(found)

    assert "健康提示（不是预警）" in signed.notice.public_text
    assert re.search(r"自2015年[^自至]+起，至2015年[^自至]+。", signed.notice.public_text)
    assert kinds(world, area=CITY)
    assert RecipientKind.ENTERPRISE not in kinds(world, area=CITY)
    world.deliver()
    assert world.phone.sent
    assert not any("预警级别" in one.text or "停产" in one.text for one in world.phone.sent if one.order_id)


def test_further_days_and_a_new_cause_are_suggested_again(world: World) -> None:
    (first,) = world.forecast(168, 90, causes=(Cause.O3, Cause.O3))
    world.decide(first)
    world.clock.forward(minutes=60)
    (more,) = world.forecast(168, 210, causes=(Cause.O3, Cause.SAND_DUST))

    assert {one.cause for one in advising.of(more)} == {Cause.O3, Cause.SAND_DUST}


def test_an_advisory_ends_by_itself_and_leaves_nothing_running(world: World) -> None:
    (found,) = world.forecast(168, causes=(Cause.O3,))
    world.decide(found)
    world.clock.forward(minutes=2880)
    world.sweep()

    with world.store.reading() as tx:
        assert tx.running_episode(CITY) is None
        assert tx.episode(found.episode_id).phase is Phase.DISMISSED
        assert not [one for one in tx.orders(found.episode_id) if one.status in LIVE]


def test_an_advisory_nobody_signs_leaves_nothing_running_either(world: World) -> None:
    (found,) = world.forecast(168, causes=(Cause.O3,))
    world.clock.forward(minutes=2880)
    world.sweep()

    with world.store.reading() as tx:
        assert tx.running_episode(CITY) is None
        assert tx.decision(found.id).standing.value == "lapsed"


def test_a_warning_after_an_advisory_runs_in_the_same_episode(world: World) -> None:
    (found,) = world.forecast(168, causes=(Cause.O3,))
    world.decide(found)
    world.clock.forward(minutes=60)
    (warning,) = [one for one in world.forecast(230, 240, 230) if one.area == CITY]

    assert (warning.move, warning.episode_id) == (Move.ACTIVATE, found.episode_id)


def test_fireworks_inside_a_warning_change_no_level_and_no_plant(world: World) -> None:
    (warning,) = [one for one in world.forecast(230, 240, 230) if one.area == CITY]
    world.decide(warning)
    with world.store.reading() as tx:
        before = {one.recipient_id: one.revision for one in tx.orders(warning.episode_id)}
        level = tx.episode(warning.episode_id).level
    world.clock.forward(minutes=60)
    (found,) = [
        one
        for one in world.forecast(230, 240, 230, 260, causes=(*(Cause.PM2_5,) * 3, Cause.FIREWORKS))
        if one.area == CITY
    ]
    assert found.move is Move.ADVISE
    world.decide(found)

    with world.store.reading() as tx:
        after = tx.orders(warning.episode_id)
        changed = [tx.recipient(one.recipient_id) for one in after if one.revision != before.get(one.recipient_id)]
        assert tx.episode(warning.episode_id).level is level
    assert changed
    assert not [one for one in changed if one.kind is RecipientKind.ENTERPRISE]


def test_a_district_advises_its_units_and_says_nothing_to_the_public(world: World) -> None:
    world.forecast(168, causes=(Cause.O3,))
    found = world.propose(Move.ADVISE, Level.RED, area=DISTRICT, by="lj-duty")
    signed = world.decide(found)

    assert (signed.level, signed.notice.public_text) == (Level.NONE, "")
    assert RecipientKind.ENTERPRISE not in kinds(world, area=DISTRICT)
    with world.store.reading() as tx:
        assert [one.area for one in kept.standing(tx, now=world.now)] == [DISTRICT]


def test_an_advisory_without_such_days_is_refused(world: World) -> None:
    world.forecast(90)
    with pytest.raises(advising.NothingToAdvise):
        world.propose(Move.ADVISE, Level.NONE)


def test_an_advisory_has_a_number_of_its_own_series_and_uses_up_none_of_the_warnings(world: World) -> None:
    (advisory,) = world.forecast(168, 172, 160, causes=O3)
    world.decide(advisory)
    world.clock.forward(minutes=60)

    (warning,) = world.forecast(210, 220, 230)

    assert advisory.notice.number == "柳气提示〔2015〕1号"
    assert "柳气提示〔2015〕1号" in advisory.notice.public_text
    assert "预警〔" not in advisory.notice.public_text
    assert warning.notice.number == "柳气预警〔2015〕1号"


def test_where_the_plan_gives_advisories_no_series_they_are_numbered_with_the_notices(world: World) -> None:
    plan = world.rules.plans["liuzhou"]
    texts = {name: one for name, one in plan.texts.items() if name != "advisory_number_format"}
    world.rules = replace(world.rules, plans={**world.rules.plans, "liuzhou": replace(plan, texts=texts)})
    (advisory,) = world.forecast(168, 172, 160, causes=O3)
    world.decide(advisory)

    (warning,) = world.forecast(210, 220, 230)

    assert [one.notice.number for one in (advisory, warning)] == ["柳气预警〔2015〕1号", "柳气预警〔2015〕2号"]
