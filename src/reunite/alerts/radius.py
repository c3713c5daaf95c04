"""How far an alert reaches: from who is lost, for how long, and how they move.

The numbers and their sources are in ``radius_rules.toml`` beside this module.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any

from reunite.kernel.errors import InvalidInputError


class Category(StrEnum):
    """Who is lost, as search-and-rescue counts them."""

    CHILD_TO_3 = "child_to_3"
    CHILD_TO_6 = "child_to_6"
    CHILD_TO_9 = "child_to_9"
    CHILD_TO_12 = "child_to_12"
    YOUTH = "youth"
    DEMENTIA = "dementia"
    AUTISM = "autism"
    INTELLECTUAL_DISABILITY = "intellectual_disability"
    DESPONDENT = "despondent"
    ABDUCTION = "abduction"


class TravelMode(StrEnum):
    """How somebody moves, as far as anyone knows."""

    FOOT = "foot"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True)
class Range:
    """Distance from the last known place, in km: half and 95 % of people are found within."""

    half_km: float
    most_km: float


@dataclass(frozen=True, slots=True)
class Wave:
    """A widening of an alert: ``after`` so long missing, everybody within the radius."""

    after: timedelta
    radius_km: float


RULES: dict[str, Any] = tomllib.loads(
    files("reunite.alerts").joinpath("radius_rules.toml").read_text(encoding="utf-8")
)

WALKING_SPEED_KMH: float = RULES["foot"]["speed_kmh"]
SMALLEST_RADIUS_KM: float = RULES["foot"]["smallest_km"]
TOWN_RADIUS_KM: float = RULES["foot"]["town_km"]
ON_FOOT_FOR = timedelta(hours=RULES["foot"]["hours"])
LARGEST_RADIUS_KM: float = RULES["vehicle"]["largest_km"]
LEAST_GROWTH: float = RULES["widening"]["least_growth"]
WIDENING_EVERY = timedelta(minutes=RULES["widening"]["every_minutes"])

RANGES = {
    Category(name): Range(rule["quantiles_km"][1], rule["quantiles_km"][3])
    for name, rule in RULES["category"].items()
}
_CHILD_BY_AGE = (
    (3, Category.CHILD_TO_3),
    (6, Category.CHILD_TO_6),
    (9, Category.CHILD_TO_9),
    (12, Category.CHILD_TO_12),
)


def child_category(age_years: int) -> Category:
    """The category of a lost child of this age; a grown one has the widest."""
    for oldest, category in _CHILD_BY_AGE:
        if age_years <= oldest:
            return category
    return Category.YOUTH


def radius_km(
    category: Category, missing_for: timedelta, mode: TravelMode = TravelMode.FOOT
) -> float:
    """The radius to alert: as far as they can have come, within what is usual.

    Never shrinks as time passes, and is never smaller by vehicle than on foot.
    """
    if mode is TravelMode.VEHICLE or category is Category.ABDUCTION:
        return _by_vehicle_km(missing_for)
    if missing_for > ON_FOOT_FOR:
        return TOWN_RADIUS_KM
    distance = RANGES[category]
    hours = max(0.0, missing_for / timedelta(hours=1))
    walked = max(distance.half_km, min(distance.most_km, WALKING_SPEED_KMH * hours))
    return max(SMALLEST_RADIUS_KM, walked)


def waves(
    category: Category, missing_for: timedelta, mode: TravelMode = TravelMode.FOOT
) -> tuple[Wave, ...]:
    """When to widen an alert that is sent after ``missing_for``, the first wave included.

    Each reaches markedly further than the one before, and tells only those who have not heard.
    """
    return tuple(_iter_waves(category, max(timedelta(0), missing_for), mode))


def _iter_waves(category: Category, begin: timedelta, mode: TravelMode) -> Iterator[Wave]:
    reached = radius_km(category, begin, mode)
    yield Wave(begin, reached)
    # Beyond the days on foot nothing grows any more.
    steps = max(0, (ON_FOOT_FOR - begin) // WIDENING_EVERY) + 1
    for step in range(1, steps + 1):
        after = begin + step * WIDENING_EVERY
        radius = radius_km(category, after, mode)
        if radius >= reached * LEAST_GROWTH:
            reached = radius
            yield Wave(after, radius)


def _by_vehicle_km(missing_for: timedelta) -> float:
    hours = missing_for / timedelta(hours=1)
    for until_hours, kilometres in RULES["vehicle"]["tiers"]:
        if hours <= until_hours:
            return float(kilometres)
    return LARGEST_RADIUS_KM


def require_radius(radius: float) -> float:
    """``radius`` itself.  Raises InvalidInputError ``radius_out_of_range``."""
    if not 0 < radius <= LARGEST_RADIUS_KM:
        raise InvalidInputError("radius_out_of_range", field="radius_km", maximum=LARGEST_RADIUS_KM)
    return radius
