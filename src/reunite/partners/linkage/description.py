"""What linkage knows of a person: a record of either side, read once, compared often."""

from dataclasses import dataclass
from datetime import date

from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import Point
from reunite.partners.linkage.blood import read_blood_group
from reunite.partners.linkage.dialects import Dialect, read_dialect
from reunite.partners.linkage.marks import Mark, read_marks
from reunite.partners.linkage.names import NOBODY, Name, read_name

MAX_NAMES = 4


@dataclass(frozen=True, slots=True)
class Description:
    """The facts of one record as they are written.  Everything may be unknown."""

    names: tuple[str, ...] = ()  # the name first, then what else the person is called
    sex: Sex = Sex.UNKNOWN
    birth_years: YearRange | None = None
    height_cm: int | None = None
    marks: str = ""
    dialect: str = ""
    blood_group: str = ""
    place: Point | None = None  # last seen, or found
    region: int = 0  # province of that place, GeoNames admin1 as a number
    home_regions: frozenset[int] = frozenset()  # provinces of the life before
    seen_on: date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A description read: names taken apart, marks and dialect understood."""

    facts: Description
    names: tuple[Name, ...]
    marks: frozenset[Mark]
    dialect: Dialect | None
    blood: tuple[str, str] | None  # ABO group, sign of the rhesus factor or nothing


def read_description(facts: Description) -> Reading:
    """Read once what will be compared with many others."""
    names = tuple(read_name(name) for name in facts.names[:MAX_NAMES])
    return Reading(
        facts=facts,
        names=tuple(name for name in names if name is not NOBODY),
        marks=read_marks(facts.marks) if facts.marks else frozenset(),
        dialect=read_dialect(facts.dialect) if facts.dialect else None,
        blood=read_blood_group(facts.blood_group) if facts.blood_group else None,
    )
