"""Ages as they are written on pages: one year, or a range where it is not known better."""

from reunite.cases.case import Case
from reunite.kernel.people import YearRange

WEAK_EVIDENCE_BELOW_YEARS = 6  # faces of small children look alike to every model


def year_span(years: YearRange | None) -> str:
    """E.g. ``2015`` or ``2013–2016``; empty when unknown."""
    if years is None:
        return ""
    return _span(years.first, years.last)


def age_span(years: YearRange | None, in_year: int | None) -> str:
    """The age in a year, e.g. ``8`` or ``7–9``; empty when unknown."""
    if years is None or in_year is None:
        return ""
    return _span(max(0, in_year - years.last), max(0, in_year - years.first))


def is_small_child(years: YearRange | None, in_year: int | None) -> bool:
    """Whether the person may have been below six in that year."""
    if years is None or in_year is None:
        return False
    return in_year - years.last < WEAK_EVIDENCE_BELOW_YEARS


def likely_birth_years(ages: tuple[int, int], in_year: int) -> YearRange:
    """The years of birth of somebody between these ages; a birthday may still be to come."""
    youngest, oldest = ages
    return YearRange(in_year - oldest - 1, in_year - youngest)


def seen_year(case: Case) -> int | None:
    """The year in which the person was last seen, or found."""
    seen = case.circumstances.seen_at
    return None if seen is None else seen.year


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"
