"""A copy without ``__init__`` is the copy that ``replace`` makes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from emergency.domain.copying import copied
from emergency.domain.messages import Message
from emergency.domain.orders import Order, Revision
from tests.builders import a_recipient


@pytest.mark.parametrize("kind", [Order, Revision, Message])
def test_what_is_copied_by_the_ten_thousand_has_neither_slots_nor_a_second_step(kind: type[Any]) -> None:
    assert not hasattr(kind, "__post_init__")
    assert not hasattr(kind, "__slots__")
    assert fields(kind)


def test_a_copy_differs_where_it_should_and_leaves_the_first_alone() -> None:
    first = a_recipient("样例窑")

    other = copied(first, name="另一座窑")

    assert other == replace(first, name="另一座窑")
    assert first.name == "样例窑"
    with pytest.raises(FrozenInstanceError):
        other.name = "又一座窑"  # type: ignore[misc]  # that it is refused is what is shown
