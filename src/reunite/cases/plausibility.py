"""How plausible a sighting is: an order for the queue, with the reasons in words.

Points are added up.  They are proposals, not probabilities: nobody has published how often
sightings of which kind are right.  They put a sighting earlier or later before a reviewer's
eyes, and never decide anything.
"""

from dataclasses import dataclass
from datetime import timedelta

from reunite.cases.sightings import Sighting

# 2 mph, the planning speed of search managers (lesar.org, article 3).
WALKING_SPEED_KMH = 3.2
# How far off a place is by which somebody was last seen, or seen.
PLACE_SLACK_KM = 1.0
# By car on roads, stops included; faster than this only by rail or air.
DRIVING_SPEED_KMH = 80.0
FLYING_SPEED_KMH = 900.0

# Different adults reach .40 once in a thousand pairs (SFace); the same person is seldom below.
FACE_SURE, FACE_ALIKE, FACE_UNLIKE = 0.5, 0.4, 0.2
FRESH = timedelta(hours=2)
# Of one's earlier sightings so many more right than wrong ones, or the reverse.
GOOD_HISTORY = 2


@dataclass(frozen=True, slots=True)
class History:
    """What reviewers made of somebody's earlier sightings."""

    passed_on: int = 0
    unlikely: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for (``points`` above zero) or against a sighting."""

    code: str
    points: float
    details: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Plausibility:
    """Reasons, the weightiest first, and their sum."""

    reasons: tuple[Reason, ...]

    @property
    def points(self) -> float:
        """Higher is more plausible; 0 where nothing is known."""
        return sum(reason.points for reason in self.reasons)


def weigh(
    sighting: Sighting,
    distance_km: float | None,
    missing_for: timedelta | None,
    history: History,
) -> Plausibility:
    """Weigh a sighting.

    distance_km : from where the person was last seen, None where either is unknown
    missing_for : from when the person was last seen until the sighting, None where unknown
    """
    found = [
        _way(distance_km, missing_for),
        _face(sighting),
        _history(history),
        _freshness(sighting),
        Reason("sighting_has_photo", 0.5) if sighting.photo_key is not None else None,
        None if sighting.place is not None else Reason("sighting_without_place", -0.5),
    ]
    reasons = [reason for reason in found if reason is not None]
    return Plausibility(tuple(sorted(reasons, key=lambda reason: -abs(reason.points))))


def _way(distance_km: float | None, missing_for: timedelta | None) -> Reason | None:
    if distance_km is None or missing_for is None:
        return None
    hours = max(0.0, missing_for / timedelta(hours=1))
    way_km = max(0.0, distance_km - PLACE_SLACK_KM)
    if way_km <= WALKING_SPEED_KMH * hours:
        return Reason("within_walking_distance", 1.0, (("distance_km", distance_km),))
    speed_kmh = way_km / hours if hours else float("inf")
    if speed_kmh <= DRIVING_SPEED_KMH:
        return Reason("only_by_vehicle", 0.0, (("distance_km", distance_km),))
    if speed_kmh <= FLYING_SPEED_KMH:
        return Reason("only_by_train_or_plane", -1.0, (("distance_km", distance_km),))
    return Reason("too_far_for_the_time", -3.0, (("distance_km", distance_km),))


def _face(sighting: Sighting) -> Reason | None:
    similarity = sighting.similarity
    if similarity is None:
        return None
    details = (("similarity", similarity),)
    if similarity >= FACE_SURE:
        return Reason("face_very_alike", 3.0, details)
    if similarity >= FACE_ALIKE:
        return Reason("face_alike", 1.5, details)
    if similarity < FACE_UNLIKE:
        return Reason("face_unlike", -1.5, details)
    return Reason("face_undecided", 0.0, details)


def _history(history: History) -> Reason | None:
    lead = history.passed_on - history.unlikely
    if lead >= GOOD_HISTORY:
        return Reason("reporter_often_right", 1.0, (("passed_on", history.passed_on),))
    if lead <= -GOOD_HISTORY:
        return Reason("reporter_often_wrong", -1.0, (("unlikely", history.unlikely),))
    return None


def _freshness(sighting: Sighting) -> Reason | None:
    # Whoever was seen just now may still be there.
    if sighting.reported_at - sighting.seen_at <= FRESH:
        return Reason("seen_just_now", 1.0)
    return None
