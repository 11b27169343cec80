"""What a reduction list is read by: grading schemes by date, words for categories and industries, where areas lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from emergency.domain.arithmetic_choice import Guard
from emergency.domain.orders import Category
from emergency.domain.plan import Basis
from emergency.domain.reduction.grades import Scheme
from emergency.domain.reduction.sheets import plain
from emergency.plans.reading import Sheet, read_yaml

Source = Annotated[str, Field(min_length=4)]
Words = tuple[Annotated[str, Field(min_length=1)], ...]
Weight = Annotated[float, Field(gt=0, le=100)]
Degree = Annotated[float, Field(ge=-180, le=180)]


class _Scheme(Sheet):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,20}$")]
    name: Annotated[str, Field(min_length=2)]
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    grades: Annotated[Words, Field(min_length=1)]
    basis: Basis
    source: Source

    @field_validator("since")
    @classmethod
    def _a_day(cls, since: str) -> str:
        date.fromisoformat(since)
        return since


class _Categories(Sheet):
    basis: Basis
    source: Source
    listed: Words
    guaranteed: Words
    key_works: Words
    small_micro: Words
    construction_site: Words
    long_stopped: Words


class _Bounds(Sheet):
    area: str
    west: Degree
    south: Degree
    east: Degree
    north: Degree
    basis: Basis
    source: Source

    @model_validator(mode="after")
    def _some_land(self) -> _Bounds:
        if self.west >= self.east or self.south >= self.north:
            raise ValueError("the bounds hold nothing")
        return self


class _Proposing(Sheet):
    basis: Basis
    source: Source
    grades: Words
    categories: tuple[Category, ...]
    weights: dict[str, Weight]
    otherwise: Weight


class _File(Sheet):
    schemes: Annotated[tuple[_Scheme, ...], Field(min_length=1)]
    categories: _Categories
    industries: dict[str, str | Words]
    bounds: tuple[_Bounds, ...]
    proposing: _Proposing

    @model_validator(mode="after")
    def _of_grades_there_are(self) -> _File:
        known = {one for scheme in self.schemes for one in scheme.grades}
        if unknown := sorted({*self.proposing.grades, *self.proposing.weights} - known):
            raise ValueError(f"no scheme has the grade {unknown[0]}")
        return self

    @field_validator("industries")
    @classmethod
    def _with_a_basis(cls, said: dict[str, str | Words]) -> dict[str, str | Words]:
        if not isinstance(said.get("source"), str) or not isinstance(said.get("basis"), str):
            raise ValueError("industries need a basis and a source")
        seen: dict[str, str] = {}
        for key, words in _sectors(said):
            for word in words:
                if plain(word) in seen:
                    raise ValueError(f"{word} is called {seen[plain(word)]} and {key}")
                seen[plain(word)] = key
        return said


@dataclass(frozen=True)
class ListWords:
    """
    The words and figures a list is read by.

    ``categories`` and ``industries``: a word as it compares → what we call it; ``bounds``: area → west, south, east,
    north in degrees; ``guard``: who is protected where a set of measures is proposed.
    """

    schemes: tuple[Scheme, ...]
    categories: Mapping[str, Category]
    industries: Mapping[str, str]
    bounds: Mapping[str, tuple[float, float, float, float]]
    category_words: Mapping[Category, str]
    industry_words: Mapping[str, str]
    guard: Guard


def load_list_words(path: Path) -> ListWords:
    """
    The words of the file.

    :raises Misconfigured: "path:line: reason"
    """
    said = read_yaml(path, _File)
    categories = [(one, getattr(said.categories, one.value)) for one in Category if one is not Category.UNIT]
    industries = list(_sectors(said.industries))
    return ListWords(
        schemes=tuple(
            Scheme(one.id, one.name, date.fromisoformat(one.since), tuple(one.grades)) for one in said.schemes
        ),
        categories={plain(word): one for one, words in categories for word in words},
        industries={plain(word): key for key, words in industries for word in (*words, key)},
        bounds={one.area: (one.west, one.south, one.east, one.north) for one in said.bounds},
        category_words={one: words[0] for one, words in categories},
        industry_words={key: words[0] for key, words in industries},
        guard=Guard(
            frozenset(said.proposing.grades),
            frozenset(said.proposing.categories),
            dict(said.proposing.weights),
            said.proposing.otherwise,
        ),
    )


def _sectors(said: Mapping[str, str | Words]) -> Iterator[tuple[str, Words]]:
    return ((key, words) for key, words in said.items() if not isinstance(words, str))
