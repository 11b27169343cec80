"""Units are asked for daily reports and summaries, chased once when one is missing, and what they file is kept."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from emergency.clock import SHANGHAI
from emergency.domain.level import Level
from emergency.domain.messages import Kind, Message, State
from emergency.domain.orders import Action, Order, Status
from emergency.domain.reporting import DAILY_CHECK, NotAsked, NoWords, Paper, Report, reports
from emergency.errors import Missing
from emergency.services import auditing, reporting, rounds
from emergency.services.answering import Answered
from emergency.services.reporting import Filing
from emergency.store import reporting as kept
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import MessageRow
from tests.world import World

FIRST_DAY = date(2015, 2, 9)  # the response takes effect at 00:05


def round_at(world: World, hour: float, *, day: date = FIRST_DAY) -> list[Message]:
    """One round at this hour of the day; what it said of reports."""
    here = world.now.astimezone(SHANGHAI)
    at = here.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0) + timedelta(hours=hour)
    assert at >= here
    world.clock.forward(seconds=(at - here).total_seconds())
    before = {one.id for one in put(world)}
    rounds.go(world.store, world.rules, now=world.now)
    return [one for one in put(world) if one.id not in before]


def put(world: World) -> list[Message]:
    """What lies in the post of reports, or has left it."""
    asked = select(table(MessageRow)).where(MessageRow.kind == Kind.REPORT.value)
    with world.store.reading() as tx:
        return [saving.message(row) for row in tx.connection.execute(asked)]


def owing(world: World) -> list[Order]:
    """Orders with a duty that is proved by a report a day."""
    return [one for one in world.orders() if reports(world.recipient(one))
            and any(duty.check == DAILY_CHECK for duty in one.duties)]  # fmt: skip


def a_unit(world: World) -> Order:
    """One of them."""
    return owing(world)[0]


def filed(
    world: World, order: Order, words: str = "检查", *, wanted: str = "", only_of: UUID | None = None, **figures: int
) -> Answered:
    """Its unit files a report at the portal."""
    filing, own = Filing(wanted, order.revision, words, figures), only_of or order.recipient_id
    return world.store.run(
        lambda tx: reporting.file(
            tx, world.rules, order.id, filing, by="镇值守", via="portal", only_of=own, now=world.now
        )
    )


def lifted_now(world: World) -> None:
    """The response ends at once."""
    ending = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert ending is not None
    world.sign(ending, by="lj-approver3")


def of(world: World, order: Order) -> list[Report]:
    """The reports of one order, the newest day first."""
    with world.store.reading() as tx:
        return kept.of_order(tx, order.id)


def test_at_the_plans_hour_each_that_owes_one_is_asked_once_and_nobody_else(world: World) -> None:
    world.activated(deliver=False)
    assert round_at(world, 16.9) == []

    asked = round_at(world, 17)
    assert sorted(one.order_id for one in asked) == sorted(one.id for one in owing(world))
    assert len(asked) > 5
    assert "日报" in asked[0].text
    assert asked[0].link_id is not None
    assert round_at(world, 17.5) == []


def test_who_filed_before_the_hour_is_not_asked(world: World) -> None:
    world.activated(deliver=False)
    early = a_unit(world)
    round_at(world, 12)
    filed(world, early)

    assert early.id not in {one.order_id for one in round_at(world, 17)}
    (report,) = of(world, early)
    assert (report.paper, report.day, report.asked_at) == (Paper.DAILY, FIRST_DAY, None)


def test_what_is_filed_is_kept_with_who_when_words_and_figures_and_the_last_word_holds(world: World) -> None:
    world.activated(deliver=False)
    round_at(world, 17)
    order = a_unit(world)
    filed(world, order, "检查10家", inspected=10)
    filed(world, order, "检查12家，发现3处，整改2处", inspected=12, problems=3, corrected=2)

    (report,) = of(world, order)
    assert (report.words, report.filed_by, report.via) == ("检查12家，发现3处，整改2处", "镇值守", "portal")
    assert dict(report.figures) == {"inspected": 12, "problems": 3, "corrected": 2}
    assert report.filed_at == world.now
    with world.store.reading() as tx:
        told = [one for one in tx.facts_about(str(report.id)) if '"what":"report.filed"' in one]
        assert ["检查10家" in one for one in told] == [True, False], "what was said before stays in the journal"
        assert tx.order(order.id).status is Status.ACKNOWLEDGED, "whoever reports has received the order"


def test_what_is_missing_is_chased_once_on_both_phones_and_what_came_is_not(world: World) -> None:
    world.activated(deliver=False)
    round_at(world, 17)
    came, *missing = owing(world)
    filed(world, came)

    assert round_at(world, 18.9) == []
    chased = round_at(world, 19)
    assert {one.order_id for one in chased} == {one.id for one in missing}
    first = missing[0]
    numbers = [one.phone for one in world.recipient(first).contacts if one.phone][:2]
    assert sorted(one.to for one in chased if one.order_id == first.id) == sorted(numbers)
    assert round_at(world, 23) == []
    with world.store.reading() as tx:
        (told,) = [one for one in tx.facts_about(str(world.episode().id)) if '"what":"reports.chased"' in one]
    assert world.recipient(first).name in told
    assert world.recipient(came).name not in told


def test_hours_that_passed_in_an_outage_ask_for_the_last_day_only(world: World) -> None:
    world.activated(deliver=False)
    asked = round_at(world, 10, day=date(2015, 2, 12))

    assert {report.day for order in owing(world) for report in of(world, order)} == {date(2015, 2, 11)}
    assert len(asked) == len(owing(world))
    assert round_at(world, 11.9, day=date(2015, 2, 12)) == [], "asked late, they have the plan's minutes all the same"


def test_after_the_end_no_daily_report_is_asked_or_chased(world: World) -> None:
    world.activated(deliver=False)
    round_at(world, 17)
    lifted_now(world)

    assert {one.text for one in round_at(world, 20) if "日报" in one.text} == set()


def test_after_the_end_each_unit_owes_a_summary_in_working_days_and_is_chased_once(world: World) -> None:
    world.activated(deliver=False)
    units = [one for one in world.orders() if reports(world.recipient(one))]
    round_at(world, 18)
    lifted_now(world)

    asked = round_at(world, 18.1)
    assert {one.order_id for one in asked} == {one.id for one in units}
    due = world.rules.calendar.due(world.now, world.rules.plan("liujiang").summary_due_workdays, zone=SHANGHAI)
    assert due == date(2015, 2, 12)
    (summary, *_) = of(world, units[0])
    assert (summary.paper, summary.day) == (Paper.SUMMARY, due)
    lifted = world.order(units[0].id)
    filed(world, lifted, "全区共检查120家", wanted=f"summary:{due.isoformat()}")

    assert round_at(world, 23, day=due) == []
    chased = round_at(world, 0.1, day=due + timedelta(days=1))
    assert {one.order_id for one in chased} == {one.id for one in units[1:]}
    assert world.order(units[0].id).status is Status.LIFTED, "a summary opens nothing again"


def test_a_report_is_refused_without_words_for_another_day_and_from_whoever_it_is_not_asked(world: World) -> None:
    world.activated(deliver=False)
    round_at(world, 17)
    order, plant = a_unit(world), world.an_order()

    with pytest.raises(NoWords):
        filed(world, order, "  ")
    with pytest.raises(NotAsked):
        filed(world, order, wanted="daily:2015-02-01")
    with pytest.raises(NotAsked):
        filed(world, plant)
    with pytest.raises(Missing):
        filed(world, order, "代报", only_of=plant.recipient_id)
    assert all(one.filed_at is None for one in of(world, order))


def test_a_phone_link_files_in_its_contacts_name_and_a_waiting_text_is_taken_back(world: World) -> None:
    world.activated(deliver=False)
    order = a_unit(world)
    round_at(world, 16.9)
    world.clock.forward(minutes=6)
    rounds.go(world.store, world.rules, now=world.now)  # asked, and the text has not left yet
    filing = Filing("", order.revision, "检查8家", {"inspected": 8})
    world.store.run(
        lambda tx: reporting.file_by_link(tx, world.rules, world.token(order), filing, now=world.now)
    )

    (report,) = of(world, order)
    assert (report.filed_by, report.via) == (world.recipient(order).contacts[0].name, "link")
    assert [one.state for one in put(world) if one.order_id == order.id] == [State.CANCELLED]


def test_a_round_that_never_comes_by_is_found_by_the_auditor(world: World) -> None:
    world.activated(deliver=False)
    round_at(world, 17)
    world.clock.forward(hours=2, minutes=6)

    assert "rounds" in auditing.audit(world.store, world.rules, now=world.now, wall=world.wall.now())
    rounds.go(world.store, world.rules, now=world.now)
    auditing.audit(world.store, world.rules, now=world.now, wall=world.wall.now())
    with world.store.reading() as tx:
        assert "rounds" not in {one.name for one in tx.standing_alarms()}


def test_an_answer_of_another_kind_is_no_report(world: World) -> None:
    world.activated(deliver=False)
    order = a_unit(world)
    round_at(world, 17)
    world.answer(order, Action.START)

    assert order.id in {one.order_id for one in round_at(world, 19)}
