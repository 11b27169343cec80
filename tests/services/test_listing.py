"""The list of an area: compared, confirmed by another, in force when no episode runs."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import openpyxl
import pytest

from emergency.clock import SHANGHAI
from emergency.domain.episode import Fact
from emergency.domain.level import Level
from emergency.domain.orders import Order
from emergency.domain.people import NotAllowed
from emergency.domain.reduction.versions import Listing, SameHand, Stand, StillRefused
from emergency.lists.reading import NoList, read_file
from emergency.services import listing as lists
from emergency.services.listing import Look, NothingRead, OddDay, Overtaken
from emergency.store import listing as kept
from tests.lists import PLAIN, WORDS, a_line, code, ugly
from tests.world import DISTRICT, World


def a_file(*lines: Sequence[object]) -> bytes:
    """A workbook of these rows under the plain heading."""
    book = openpyxl.Workbook()
    for line in (PLAIN, *lines):
        book.active.append(list(line))
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


GOOD = a_file(a_line(grade="C"), a_line(name="样例砖厂乙", code=code(2), yellow="停1号窑（共2座）"))


def today(world: World) -> date:
    """The civil day."""
    return world.now.astimezone(SHANGHAI).date()


def looked(world: World, body: bytes, *, on: date | None = None) -> Look:
    """What the file says of the district."""
    with world.store.reading() as tx:
        return lists.look(tx, world.rules, WORDS, body, area=DISTRICT, on=on or today(world))


def laid(world: World, body: bytes, *, by: str = "lj-duty", on: date | None = None) -> Listing:
    """A version laid before a second person."""
    found, at = looked(world, body, on=on), on or today(world)
    return world.store.run(
        lambda tx: lists.lay(
            tx, found, name="清单", file_sha256="0" * 64, valid_from=at, by=world.person(by), now=world.now
        )
    )


def confirmed(world: World, one: Listing, *, by: str = "lj-approver3", without_refused: bool = False) -> Listing:
    """The version confirmed by another person, who saw what it was compared with."""
    return world.store.run(
        lambda tx: lists.confirm(
            tx, world.rules, one.id, without_refused=without_refused, based_on=one.based_on, by=world.person(by),
            now=world.now,
        )
    )  # fmt: skip


def names(world: World) -> set[str]:
    """The enterprises that get orders now."""
    with world.store.reading() as tx:
        return {one.name for one in kept.enterprises(tx, DISTRICT)}


def orders(world: World) -> dict[str, Order]:
    """The district's orders by the name of who got them."""
    with world.store.reading() as tx:
        known = {one.id: one.name for one in tx.recipients_called([one.recipient_id for one in world.orders()])}
    return {known[one.recipient_id]: one for one in world.orders()}


def test_a_look_changes_nothing_and_says_what_would(world: World) -> None:
    before = names(world)

    found = looked(world, GOOD)

    assert names(world) == before
    assert (found.counts["added"], found.counts["removed"], found.counts["refused"]) == (2, len(before), 0)


def test_a_list_counts_once_another_person_has_confirmed_it(world: World) -> None:
    one = laid(world, GOOD)
    before = names(world)
    with pytest.raises(NotAllowed):
        confirmed(world, one, by="lj-duty")
    assert names(world) == before

    found = confirmed(world, one)

    assert found.stand is Stand.IN_FORCE
    assert names(world) == {"样例砖厂甲", "样例砖厂乙"}
    with world.store.reading() as tx:
        facts = tx.facts_about(str(one.id))
    assert [json.loads(one)["what"] for one in facts] == ["listing.drafted", "listing.confirmed", "listing.in_force"]


def test_whoever_may_do_both_still_needs_another(world: World) -> None:
    one = laid(world, GOOD)
    its_own = replace(one, laid_by="lj-approver3")
    fact = Fact("listing.drafted", str(one.id), "lj-approver3", world.now)
    world.store.run(lambda tx: kept.save(tx, its_own, fact=fact))

    with pytest.raises(SameHand):
        confirmed(world, one)


def test_refused_rows_are_left_out_expressly_and_their_enterprises_stay_as_they_stand(world: World) -> None:
    confirmed(world, laid(world, GOOD))
    world.forward(hours=1)
    slipped = laid(world, a_file(a_line(grade="F"), a_line(name="样例砖厂丙", code=code(3))))

    with pytest.raises(StillRefused):
        confirmed(world, slipped)
    confirmed(world, slipped, without_refused=True)

    assert names(world) == {"样例砖厂甲", "样例砖厂丙"}


def test_a_running_episode_keeps_its_list_and_the_next_one_waits_for_its_end(world: World) -> None:
    confirmed(world, laid(world, GOOD))
    world.activated(Level.YELLOW)
    ordered = set(orders(world))
    world.forward(hours=1)

    waiting = confirmed(world, laid(world, a_file(a_line(yellow="停产"))))

    assert {"样例砖厂甲", "样例砖厂乙"} <= ordered
    assert waiting.stand is Stand.CONFIRMED
    assert lists.enter_all(world.store, world.rules, now=world.now) == []
    assert names(world) == {"样例砖厂甲", "样例砖厂乙"}


def test_an_order_says_the_measure_of_its_level_and_nothing_of_the_level_below(world: World) -> None:
    confirmed(world, laid(world, GOOD))

    world.activated(Level.ORANGE)

    assert [duty.text for duty in orders(world)["样例砖厂甲"].duties] == ["停1号窑（共2座）"]


def test_a_list_enters_force_on_its_day_and_the_one_before_is_past(world: World) -> None:
    first = confirmed(world, laid(world, GOOD))
    world.forward(hours=1)
    second = confirmed(world, laid(world, a_file(a_line()), on=today(world) + timedelta(days=2)))
    assert second.stand is Stand.CONFIRMED

    world.forward(hours=48)
    lists.enter_all(world.store, world.rules, now=world.now)

    assert names(world) == {"样例砖厂甲"}
    with world.store.reading() as tx:
        stands = {one.id: one.stand for one in kept.of_area(tx, DISTRICT)}
    assert stands == {first.id: Stand.PAST, second.id: Stand.IN_FORCE}


def test_an_enterprise_keeps_its_orders_and_its_id_over_lists_and_comes_back_from_outside(world: World) -> None:
    confirmed(world, laid(world, GOOD))
    with world.store.reading() as tx:
        ids = {one.name: one.id for one in kept.enterprises(tx, DISTRICT)}
    world.forward(hours=1)
    confirmed(world, laid(world, a_file(a_line(phone="00059990009"))))
    world.forward(hours=1)

    confirmed(world, laid(world, GOOD))

    with world.store.reading() as tx:
        again = {one.name: one for one in kept.enterprises(tx, DISTRICT)}
    assert {name: one.id for name, one in again.items()} == ids
    assert [who.phone for who in again["样例砖厂甲"].contacts] == ["00059990001"]


def test_what_was_compared_with_another_list_is_not_confirmed(world: World) -> None:
    one, two = laid(world, GOOD), None
    world.forward(hours=1)
    two = laid(world, a_file(a_line()))
    confirmed(world, two)

    with pytest.raises(Overtaken):
        confirmed(world, one)


def test_nothing_and_odd_days_are_not_laid_before_anybody(world: World) -> None:
    with pytest.raises(NothingRead):
        laid(world, a_file(a_line(grade="F")))
    for days in (-1, 400):
        with pytest.raises(OddDay):
            laid(world, GOOD, on=today(world) + timedelta(days=days))
    with pytest.raises(NotAllowed):
        laid(world, GOOD, by="labao-town")


def test_what_goes_out_comes_back_in_as_the_same_list(world: World) -> None:
    body = ugly()
    one = confirmed(world, laid(world, body), without_refused=True)
    with world.store.reading() as tx:
        out = lists.exported(tx, one)
        entries = kept.entries(tx, one.id)

    found = looked(world, out)

    assert found.listed.refused == ()
    assert (found.counts["unchanged"], found.counts["changed"], found.counts["added"]) == (len(entries), 0, 0)
    assert found.listed.columns == one.columns
    for had, has in zip(entries, found.listed.entries, strict=True):
        assert replace(had, lines=()) == replace(has, lines=())
        assert [(line.cells, line.emitted) for line in had.lines] == [(line.cells, line.emitted) for line in has.lines]


def test_no_cell_that_goes_out_is_a_formula(world: World) -> None:
    one = confirmed(world, laid(world, a_file(a_line(name="+SUM(1,2)", contact="@甲", yellow="-停产"))))
    with world.store.reading() as tx:
        out = lists.exported(tx, one)

    sheet = openpyxl.load_workbook(io.BytesIO(out)).active

    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {str(cell.value)[0] for cell in cells if cell.quotePrefix} == {"+", "@", "-"}


def test_the_template_is_read_back_and_offers_the_words_we_know(world: World) -> None:
    with world.store.reading() as tx:
        body = lists.template(tx, WORDS, area=DISTRICT)

    found = looked(world, body)

    assert [one.name for one in found.listed.entries] == ["样例砖厂"]
    assert found.listed.refused == ()
    assert found.listed.without == ("填写说明",)
    sheet = openpyxl.load_workbook(io.BytesIO(body))["应急减排清单"]
    rules = {rule.type for rule in sheet.data_validations.dataValidation}
    assert rules == {"list", "textLength", "decimal"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "without one"),
        (GOOD[:300], "cut or damaged"),
        (b"", "empty"),
        (b"\x00\x01", "binary"),
        ("企业名称".encode("utf-16-le") + b"\xff\xff", "neither UTF-8 nor GB 18030"),
    ],
)
def test_a_file_that_is_no_list_is_refused_as_a_whole(body: bytes, why: str) -> None:
    with pytest.raises(NoList, match=why):
        read_file(body)


def test_a_csv_in_gb18030_is_the_same_list(world: World) -> None:
    rows = [PLAIN, a_line(), a_line(name="样例砖厂乙", code=code(2), yellow="=停产")]
    text = "\r\n".join(",".join(str(one) for one in row) for row in rows)

    found = looked(world, text.encode("gb18030"))

    assert [one.name for one in found.listed.entries] == ["样例砖厂甲"]
    assert [(one.sheet, one.row, one.why.name) for one in found.listed.refused] == [("CSV", 3, "FORMULA")]
