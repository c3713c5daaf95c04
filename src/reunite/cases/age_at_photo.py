"""How old somebody was in a photo: from the record where it says, else as they look."""

from dataclasses import dataclass

from reunite.cases.photos import CasePhoto, EstimatedAge
from reunite.kernel.people import YearRange


@dataclass(frozen=True, slots=True)
class AgeAtPhoto:
    """Years with their range; ``is_estimated`` where only the face told."""

    years: float
    low: float
    high: float
    is_estimated: bool


def recorded_age(birth_years: YearRange | None, captured_year: int | None) -> AgeAtPhoto | None:
    """The age that the record gives, None where a year is missing.

    A birthday may still have been to come, which widens the range by a year downward.
    """
    if birth_years is None or captured_year is None:
        return None
    low = max(0, captured_year - birth_years.last - 1)
    high = max(0, captured_year - birth_years.first)
    return AgeAtPhoto(years=(low + high + 1) / 2, low=low, high=high + 1, is_estimated=False)


def age_at_photo(birth_years: YearRange | None, photo: CasePhoto) -> AgeAtPhoto | None:
    """The recorded age, else the estimated one, else None."""
    recorded = recorded_age(birth_years, photo.captured_year)
    if recorded is not None:
        return recorded
    looks = photo.estimated_age
    if looks is None:
        return None
    return AgeAtPhoto(looks.years, looks.low, looks.high, is_estimated=True)


def likely_birth_year(birth_years: YearRange | None, photo: CasePhoto) -> int | None:
    """The year of birth by record, else counted back from how old the person looks.

    None where neither the record nor the photo's year allow it.
    """
    if birth_years is not None:
        return (birth_years.first + birth_years.last) // 2
    looks: EstimatedAge | None = photo.estimated_age
    if looks is None or photo.captured_year is None:
        return None
    return photo.captured_year - round(looks.years)
