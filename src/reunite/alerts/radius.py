"""How far an alert reaches: from who is lost and for how long.

People on foot are found within a distance that search-and-rescue has counted for each
category of lost person.  The quantiles are Koester's for urban terrain as converted to
kilometres in the public ISRID-based tool IGT4SAR.
"""

from dataclasses import dataclass
from datetime import timedelta

from reunite.kernel.errors import InvalidInputError

WALKING_SPEED_KMH = 3.2  # 2 mph, the planning speed of search managers
# Below this too few volunteers hear of it; a push within 3 km is what worked for Toutiao.
SMALLEST_RADIUS_KM = 3.0
LARGEST_RADIUS_KM = 500.0  # the widest tier of the police platform Tuanyuan
# After this the person may be anywhere, and the town where they vanished is asked.
ON_FOOT_FOR = timedelta(days=3)
TOWN_RADIUS_KM = 30.0
CHILD_ALONE_UNTIL_YEARS = 16


@dataclass(frozen=True, slots=True)
class Range:
    """Distance from the last known place, in km: half and 95 % of people are found within."""

    half_km: float
    most_km: float


CHILD_BY_AGE = (
    (3, Range(0.48, 1.1)),
    (6, Range(0.48, 3.4)),
    (9, Range(0.48, 5.1)),
    (12, Range(1.4, 5.8)),
    (CHILD_ALONE_UNTIL_YEARS, Range(1.3, 10.0)),
)
ELDER_WITH_DEMENTIA = Range(1.1, 12.6)


def child_range(age_years: int) -> Range:
    """The distance range of a lost child of this age; a grown one has the widest."""
    for oldest, distance in CHILD_BY_AGE:
        if age_years <= oldest:
            return distance
    return CHILD_BY_AGE[-1][1]


def radius_km(distance: Range, missing_for: timedelta) -> float:
    """The radius to alert: as far as they can have walked, within what is usual.

    Never shrinks as time passes.
    """
    if missing_for > ON_FOOT_FOR:
        return TOWN_RADIUS_KM
    hours = max(0.0, missing_for / timedelta(hours=1))
    walked = max(distance.half_km, min(distance.most_km, WALKING_SPEED_KMH * hours))
    return max(SMALLEST_RADIUS_KM, walked)


def require_radius(radius: float) -> float:
    """``radius`` itself.  Raises InvalidInputError ``radius_out_of_range``."""
    if not 0 < radius <= LARGEST_RADIUS_KM:
        raise InvalidInputError("radius_out_of_range", field="radius_km", maximum=LARGEST_RADIUS_KM)
    return radius
