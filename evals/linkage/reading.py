"""Generated records in the form that the comparator reads."""

from evals.linkage.generator import Record
from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import Point
from reunite.partners.linkage.description import Description, Reading, read_description

SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "": Sex.UNKNOWN}


def read(record: Record) -> Reading:
    """One generated record, read."""
    first, last = record.birth_first, record.birth_last
    place = None
    if record.latitude is not None and record.longitude is not None:
        place = Point(record.latitude, record.longitude)
    return read_description(
        Description(
            names=(record.name,) if record.name else (),
            sex=SEXES[record.sex],
            birth_years=None if first is None or last is None else YearRange(first, last),
            height_cm=record.height_cm,
            marks=record.marks,
            dialect=record.dialect,
            blood_group=record.blood_group,
            place=place,
            region=record.region,
            home_regions=frozenset({record.home_region}) if record.home_region else frozenset(),
            seen_on=record.seen_on,
        )
    )
