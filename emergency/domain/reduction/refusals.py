"""Why a cell of the list was not taken, or wants a person's eye; named by sheet, row, column and value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST: Final = 80  # characters of a value that a refusal repeats


class Why(StrEnum):
    """The reason, in English with room for what it names; pages have the Chinese."""

    FORMULA = "a formula is not worked out: put its value there"
    NO_NAME = "the enterprise has no name"
    NO_CODE = "the credit code is missing"
    CODE_LENGTH = "a credit code has 18 characters, this has {0}"
    CODE_LETTERS = "{0} does not occur in a credit code"
    CODE_DIGIT = "the check digit does not fit: GB 32100 makes it {0}"
    CODE_ROUNDED = "a spreadsheet has rounded this number: enter it as text"
    TWO_NAMES = "{0} has the same credit code"
    TWO_CODES = "{0} stands with the same name under another credit code"
    OTHER_AREA = "belongs to {0}, and this list is of {1}"
    NO_TOWN = "the town is missing"
    UNKNOWN_TOWN = "no town of {0} is called so"
    NO_INDUSTRY = "the industry is missing"
    NOTHING_TO_DO = "no measure at any level, and no playbook for this industry"
    UNKNOWN_CATEGORY = "no category is called so"
    UNKNOWN_GRADE = "no grade of {0}"
    UNKNOWN_SCHEME = "no grading scheme is called so"
    NOT_A_PHONE = "no telephone number"
    NO_PHONE = "no contact with a telephone number"
    NOT_A_NUMBER = "not a number"
    NEGATIVE = "an amount is never negative"
    NOT_A_COORDINATE = "no coordinate in degrees"
    HALF_A_PLACE = "longitude and latitude go together"
    SWAPPED = "longitude and latitude stand in each other's column"
    OUTSIDE = "outside of {0}: {1} to {2}"
    NOT_YES_OR_NO = "neither yes nor no"
    CONTRADICTS = "another row of this enterprise says {0}"
    # to look at, without being refused
    UNREAD_MEASURE = "no quantity could be read"
    AMBIGUOUS_MEASURE = "what it says depends on a case: {0}"
    PARTLY_READ_MEASURE = "a figure in it was not understood: {0}"
    CONFLICTING_MEASURE = "its own figures do not agree: {0}"
    UNKNOWN_INDUSTRY = "no playbook knows this industry; the list's own measures stand"
    UNKNOWN_TRACKER = "no unit here is called so: nobody would be told"
    NO_BASELINE = "a share of a load, and no baseline to take it from"
    LEVEL_MISSING = "no measure at this level; that of the level below stands"


@dataclass(frozen=True)
class Refusal:
    """One cell that was not taken (or is to be looked at): where it stands, what it says, and why."""

    sheet: str
    row: int
    column: str  # «F 统一社会信用代码»: the letter and the heading
    value: str
    why: Why
    about: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The reason in English."""
        return self.why.value.format(*self.about)


class Unfit(ValueError):  # noqa: N818 - caught by the reader, which knows the cell; never leaves the rules
    """A value cannot be what its column holds."""

    def __init__(self, why: Why, *about: object) -> None:
        super().__init__(why.value.format(*about))
        self.why, self.about = why, tuple(str(one) for one in about)
