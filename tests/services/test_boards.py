"""A board's address: signed, without a row of its own, and out of date with whatever changes the board."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from emergency.domain.boards import Board
from emergency.domain.level import Level
from emergency.errors import Missing
from emergency.services import boards
from emergency.services.boards import Checked
from emergency.services.links import Links
from emergency.store import listing as kept
from tests.lists import a_line, code
from tests.services.test_listing import GOOD, a_file, confirmed, laid
from tests.statements import asked
from tests.world import DISTRICT, World


def named(world: World, name: str) -> Board:
    """The board of the enterprise of this name."""
    with world.store.reading() as tx:
        (found,), _ = kept.found(tx, DISTRICT, q=name)
        return boards.board(tx, world.rules, found)


def checked(world: World, address: str) -> Checked:
    """What the address comes to."""
    with world.store.reading() as tx:
        return boards.check(tx, world.rules, address.rpartition("/")[2])


def test_a_board_is_that_of_the_list_in_force_and_its_address_says_so(world: World) -> None:
    listing = confirmed(world, laid(world, GOOD))

    one = named(world, "样例砖厂乙")
    found = checked(world, boards.address(world.rules.links, one))

    assert (one.listing_id, one.listing_name) == (listing.id, "清单")
    assert [each.text for each in one.steps[Level.YELLOW] or ()] == ["停1号窑（共2座）"]
    assert found.board == one
    assert found.listing == kept_now(world)


def kept_now(world: World) -> object:
    """The list in force."""
    with world.store.reading() as tx:
        return kept.in_force(tx, DISTRICT)


def test_a_newer_list_makes_every_board_of_the_older_one_out_of_date(world: World) -> None:
    confirmed(world, laid(world, GOOD))
    address = boards.address(world.rules.links, named(world, "样例砖厂乙"))
    world.clock.forward(minutes=5)
    newer = confirmed(
        world, laid(world, a_file(a_line(), a_line(name="样例砖厂乙", code=code(2), yellow="停1号窑（共2座）")))
    )

    found = checked(world, address)

    assert found.board is None
    assert found.listing is not None
    assert found.listing.id == newer.id


def test_a_plant_that_left_the_list_has_no_board(world: World) -> None:
    confirmed(world, laid(world, GOOD))
    one = named(world, "样例砖厂乙")
    world.clock.forward(minutes=5)
    confirmed(world, laid(world, a_file(a_line())))

    assert checked(world, boards.address(world.rules.links, one)) == Checked(None, None)
    with world.store.reading() as tx, pytest.raises(Missing):
        boards.board(tx, world.rules, one.recipient.id)


@pytest.mark.parametrize("spoilt", ["", "A", "A" * 46, "é" * 46, "%00" * 15 + "A", "_" * 46, "A" * 4000])
def test_an_address_that_was_not_signed_here_is_none(world: World, spoilt: str) -> None:
    with pytest.raises(Missing):
        checked(world, f"/b/{spoilt}")


def test_no_letter_of_an_address_can_be_changed_and_another_secret_signs_none(world: World) -> None:
    one = named(world, "样例砖厂01")
    token = boards.address(world.rules.links, one).rpartition("/")[2]

    for at in range(len(token) - 1):  # the last holds bits of nothing besides
        with pytest.raises(Missing):
            checked(world, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
    with pytest.raises(Missing):
        checked(world, boards.address(replace(world.rules.links, secret=b"another"), one))
    assert isinstance(world.rules.links, Links)


def test_units_and_strangers_have_no_board(world: World) -> None:
    with world.store.reading() as tx:
        town = next(one for one in tx.recipients() if one.kind.value == "town")
        for who in (town.id, UUID(int=1)):
            with pytest.raises(Missing):
                boards.board(tx, world.rules, who)
        assert boards.boards_of(tx, world.rules, [town.id]) == []


def test_a_batch_asks_as_much_for_forty_as_for_two(world: World) -> None:
    with world.store.reading() as tx:
        ids, total = kept.found(tx, DISTRICT)
        with asked(tx.connection.engine) as few:
            boards.boards_of(tx, world.rules, ids[:2])
        with asked(tx.connection.engine) as many:
            made = boards.boards_of(tx, world.rules, ids[:40])

    assert total == len(ids) > 40
    assert [one.recipient.id for one in made] == ids[:40]
    assert len(many) <= len(few) + 4 * len({one.town.id for one in made})  # by area, not by plant
