"""How an alert was decided: how far, why, and when it is widened."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reunite.alerts.drawing import Drawing
from reunite.alerts.pushing import IMMINENT_FOR
from reunite.alerts.radius import (
    LARGEST_RADIUS_KM,
    RULES,
    WIDENING_EVERY,
    Category,
    TravelMode,
    Wave,
    radius_km,
    waves,
)
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import AccountId, CaseId

MAX_REASON_LENGTH = 500
# Less than this is rounding, not a reviewer's decision.
SAME_RADIUS = 0.02

WAITING_TIPS: int = RULES["saturation"]["waiting"]
GOOD_TIPS: int = RULES["saturation"]["passed_on"]


class StopReason(StrEnum):
    """Why an alert is not widened any more."""

    ENDED = "ended"  # the case is closed or withdrawn
    SATURATED = "saturated"  # more tips than reviewers can weigh, or good ones
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The radius by the rules, and where they have it from."""

    radius_km: float
    category: Category
    mode: TravelMode
    source: str
    missing_for: timedelta

    @property
    def is_imminent(self) -> bool:
        """Whether people may be woken: the first hours after somebody vanished."""
        return timedelta(0) <= self.missing_for <= IMMINENT_FOR


def suggest(category: Category, missing_for: timedelta, mode: TravelMode) -> Suggestion:
    """What the rules say of somebody of this category now."""
    radius = radius_km(category, missing_for, mode)
    return Suggestion(radius, category, mode, _source(category, mode, radius), missing_for)


def _source(category: Category, mode: TravelMode, radius: float) -> str:
    if mode is TravelMode.VEHICLE or category is Category.ABDUCTION:
        rule = RULES["vehicle"]["source"]
    elif radius == RULES["foot"]["smallest_km"]:
        rule = RULES["foot"]["smallest_source"]
    elif radius == RULES["foot"]["town_km"]:
        rule = RULES["foot"]["town_source"]
    else:
        rule = RULES["category"][category.value]["source"]
    return str(RULES["sources"][rule])


@dataclass(slots=True)
class AlertPlan:
    """The decision behind the alert of one case.

    ``reason`` is the reviewer's for another area than the rules suggest.  ``schedule`` holds
    the waves that are left: each is sent at its time at the earliest, one after the other.
    """

    case_id: CaseId
    decided_by: AccountId
    decided_at: datetime
    drawing: Drawing
    suggested_km: float
    category: Category
    mode: TravelMode
    source: str
    reason: str = ""
    is_imminent: bool = False
    schedule: tuple[Wave, ...] = field(default=())
    waves_sent: int = 1
    stopped_at: datetime | None = None
    stopped_by: AccountId | None = None
    stop_reason: StopReason | None = None

    def next_wave(self) -> Wave | None:
        """The wave that is to be sent next; None for the last one or a stopped alert."""
        if self.stopped_at is not None or not self.schedule:
            return None
        return self.schedule[0]

    def widen(self) -> Drawing:
        """Take the next wave off the schedule; what it reaches.

        Raises ValueError where none is left.
        """
        wave = self.next_wave()
        if wave is None:
            raise ValueError("no wave is left")
        self.schedule = self.schedule[1:]
        self.waves_sent += 1
        self.drawing = self.drawing.widened(wave.radius_km)
        return self.drawing

    def wait(self) -> timedelta | None:
        """How long after one wave the next one is due."""
        wave = self.next_wave()
        return None if wave is None else max(WIDENING_EVERY, wave.after)

    def stop(self, reason: StopReason, at: datetime, by: AccountId | None = None) -> None:
        """No further waves; whoever stopped it first is remembered."""
        if self.stopped_at is None:
            self.stopped_at, self.stopped_by, self.stop_reason = at, by, reason


def decide(
    case_id: CaseId,
    by: AccountId,
    at: datetime,
    suggestion: Suggestion,
    drawing: Drawing,
    *,
    reason: str = "",
    is_imminent: bool = False,
) -> AlertPlan:
    """A plan; waves follow the rules from what was chosen on.

    Raises InvalidInputError ``override_reason_required`` for an area that the rules do not
    suggest, ``text_too_long``.
    """
    if overrides(suggestion, drawing) and not reason.strip():
        raise InvalidInputError("override_reason_required", field="reason")
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidInputError("text_too_long", field="reason", maximum=MAX_REASON_LENGTH)
    return AlertPlan(
        case_id=case_id,
        decided_by=by,
        decided_at=at,
        drawing=drawing,
        suggested_km=suggestion.radius_km,
        category=suggestion.category,
        mode=suggestion.mode,
        source=suggestion.source,
        reason=reason.strip(),
        is_imminent=is_imminent,
        schedule=schedule_of(suggestion, drawing),
    )


def overrides(suggestion: Suggestion, drawing: Drawing) -> bool:
    """Whether this is not what the rules suggest."""
    ratio = drawing.radius_km / suggestion.radius_km
    return not drawing.is_circle or bool(drawing.without) or abs(ratio - 1) > SAME_RADIUS


def schedule_of(suggestion: Suggestion, drawing: Drawing) -> tuple[Wave, ...]:
    """Waves after the first: ``after`` is counted from the wave before.

    Times are spans and not moments, so that a clock that jumps makes no two waves one.
    """
    if not drawing.is_circle:
        return ()
    listed = waves(suggestion.category, suggestion.missing_for, suggestion.mode)
    reached, before, left = drawing.radius_km, listed[0].after, []
    for wave in listed[1:]:
        if reached * RULES["widening"]["least_growth"] <= wave.radius_km <= LARGEST_RADIUS_KM:
            left.append(Wave(wave.after - before, wave.radius_km))
            reached, before = wave.radius_km, wave.after
    return tuple(left)


def is_saturated(waiting: int, passed_on: int) -> bool:
    """Whether more tips would only be in the way."""
    return waiting >= WAITING_TIPS or passed_on >= GOOD_TIPS
