"""Frozen values by the ten thousand that differ in a few fields."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def copied(one: T, **changes: Any) -> T:
    """
    What ``dataclasses.replace`` gives at a tenth of its cost: ``__init__``, which assigns every field, is not run.

    For a plain frozen dataclass, one without slots and ``__post_init__``.
    """
    made = object.__new__(type(one))
    vars(made).update(vars(one), **changes)
    return made
