"""What two records say about one person: where they agree and where they contradict."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from reunite.cases.case import Case
from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import distance_km

# A birth year from an estimate at a station is rarely nearer than this.
BIRTH_YEAR_TOLERANCE_YEARS = 5


class Agreement(StrEnum):
    """How two values of one fact stand to each other."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FactComparison:
    """One fact on both sides.  ``fact`` is a code that the interface puts into words."""

    fact: str
    agreement: Agreement
    missing_value: str
    found_value: str


def compare(missing: Case, found: Case) -> list[FactComparison]:
    """Every fact that at least one of the two records knows."""
    return [
        comparison
        for comparison in (
            _sex(missing, found),
            _birth(missing, found),
            _place(missing, found),
            _time(missing, found),
            _blood(missing, found),
        )
        if comparison.missing_value or comparison.found_value
    ]


def contradictions(missing: Case, found: Case) -> list[FactComparison]:
    """The facts on which the two records cannot both be right."""
    return [c for c in compare(missing, found) if c.agreement is Agreement.CONTRADICTS]


def _years(years: YearRange | None) -> str:
    if years is None:
        return ""
    return str(years.first) if years.first == years.last else f"{years.first}-{years.last}"


def _verdict(known: bool, agrees: bool) -> Agreement:  # noqa: FBT001
    if not known:
        return Agreement.UNKNOWN
    return Agreement.AGREES if agrees else Agreement.CONTRADICTS


def _sex(missing: Case, found: Case) -> FactComparison:
    a, b = missing.person.sex, found.person.sex
    known = Sex.UNKNOWN not in (a, b)
    text = {Sex.UNKNOWN: "", Sex.FEMALE: "female", Sex.MALE: "male"}
    return FactComparison("sex", _verdict(known, a == b), text[a], text[b])


def _birth(missing: Case, found: Case) -> FactComparison:
    a, b = missing.person.birth_years, found.person.birth_years
    agrees = False
    if a is not None and b is not None:
        wide = YearRange(b.first - BIRTH_YEAR_TOLERANCE_YEARS, b.last + BIRTH_YEAR_TOLERANCE_YEARS)
        agrees = a.overlaps(wide)
    return FactComparison(
        "birth_year", _verdict(a is not None and b is not None, agrees), _years(a), _years(b)
    )


def _place(missing: Case, found: Case) -> FactComparison:
    a, b = missing.circumstances.place, found.circumstances.place
    values = (missing.circumstances.place_label, found.circumstances.place_label)
    if a is None or b is None:
        return FactComparison("place", Agreement.UNKNOWN, *values)
    # People are carried across the country: distance never contradicts.
    near = distance_km(a, b) <= 100  # noqa: PLR2004
    return FactComparison("place", Agreement.AGREES if near else Agreement.UNKNOWN, *values)


def _time(missing: Case, found: Case) -> FactComparison:
    a, b = missing.circumstances.seen_at, found.circumstances.seen_at
    values = ("" if a is None else a.date().isoformat(), "" if b is None else b.date().isoformat())
    if a is None or b is None:
        return FactComparison("time", Agreement.UNKNOWN, *values)
    # Found before they were lost: one of the two dates, or the lead, is wrong.
    return FactComparison("time", _verdict(True, a.date() <= b.date()), *values)


def _blood(missing: Case, found: Case) -> FactComparison:
    texts = missing.person.blood_group.strip(), found.person.blood_group.strip()
    a, b = (_blood_group(text) for text in texts)
    if a is None or b is None:
        same = bool(texts[0]) and texts[0] == texts[1]
        return FactComparison(
            "blood_group", Agreement.AGREES if same else Agreement.UNKNOWN, *texts
        )
    # A+ and A do not contradict each other: few people know their rhesus factor.
    rhesus_agrees = not (a[1] and b[1]) or a[1] == b[1]
    return FactComparison("blood_group", _verdict(True, a[0] == b[0] and rhesus_agrees), *texts)


def _blood_group(text: str) -> tuple[str, str] | None:
    """The group and, where it is given, the rhesus factor of "AB", "o+", "A型", "Rh阴性B型"."""
    plain = unicodedata.normalize("NFKC", text).upper()
    plain = plain.replace("阳性", "+").replace("阴性", "-").replace("−", "-")
    plain = re.sub(r"RH|[D型血()\s]", "", plain)
    match = re.fullmatch(r"([+-]?)(AB|A|B|O)([+-]?)", plain)
    if match is None:
        return None
    return match[2], match[1] or match[3]
