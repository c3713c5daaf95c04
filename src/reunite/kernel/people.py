"""Facts about a person that every module uses: side, module, sex, birth year, age."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum


class Side(IntEnum):
    """Which side of a reunion a record stands on."""

    MISSING = 1  # somebody is looking for this person
    FOUND = 2  # this person is here, and somebody may be looking


class Module(IntEnum):
    """The three kinds of help; also what a volunteer opts in to."""

    CHILD = 1
    ELDER = 2
    BLOOD = 3


class Sex(IntEnum):
    """Sex as recorded; ``UNKNOWN`` agrees with everything."""

    UNKNOWN = 0
    FEMALE = 1
    MALE = 2


EARLIEST_BIRTH_YEAR = 1880


@dataclass(frozen=True, slots=True)
class YearRange:
    """An inclusive range of years, e.g. of a birth that is known to about two years."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("a range of years runs forward")

    def overlaps(self, other: "YearRange") -> bool:
        """Whether one year could be both."""
        return self.first <= other.last and other.first <= self.last


def age_in_years(born: int, at: date) -> int:
    """Age in whole years of somebody born in the year ``born``; exact to one year."""
    return at.year - born
