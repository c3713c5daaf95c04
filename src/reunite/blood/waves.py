"""Whom to ask for blood, how many at once, and when to stop.

Pure functions: a recruitment is what has been asked and answered so far, ``plan`` says what to
do now.  A wave holds as few people as are likely to fill the need within the patience that the
urgency allows: ceil(a needed / p), where p is how likely each of them is to say yes in that time
and a, from 1 to 2, is what the urgency adds.
Nobody is asked twice for one request, nobody after it is filled, and nobody whom any request
reached within 30 days, but for the rarest types and an imminent need with a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import log
from statistics import NormalDist
from typing import Final

from reunite.blood.demands import Need, needs_null
from reunite.blood.phenotype import HType
from reunite.blood.rules import Grade
from reunite.kernel.errors import InvalidInputError

MOST_UNITS: Final = 60  # of one request; more is a mistake or a disaster with other means
FATIGUE: Final = timedelta(days=30)  # proposal of this project; nobody has published one

# Yes to a request, before anything is known of the donor: Beta(3, 7), mean 30 %, worth ten asks.
# 50 to 60 of 200 registered Bombay donors of Mumbai were active (DNA, 2016); volunteers of
# emergency apps respond to 17 to 47 % of alerts (Khalemsky et al., JMIR mHealth 2023, e41551).
PRIOR_YES: Final = 3.0
PRIOR_NO: Final = 7.0
# What this request has shown counts against what was expected of it as much as so many yeses.
_SHRINKAGE: Final = 3.0

# Of those who answer a message at all, 60 % did within 45 minutes (168 of 278; Chow et al.,
# Sexual Health 19 (2022) 145).  The spread of the logarithm is an assumption.
_ANSWERED_WITHIN_45_MINUTES: Final = 0.6
ANSWER_SIGMA: Final = 1.5
_STANDARD: Final = NormalDist()
ANSWER_MU: Final = log(45) - ANSWER_SIGMA * _STANDARD.inv_cdf(_ANSWERED_WITHIN_45_MINUTES)

# Full siblings of somebody homozygous for a rare recessive gene: one in four shares the type.
SIBLING_SHARE: Final = 0.25

_READY_MINUTES: Final = 30.0  # to leave work or home: an assumption
_CITY_KM, _CITY_KMH, _ROAD_KMH = 20.0, 30.0, 80.0  # assumptions, as the next three
_FAST_FROM_KM, _FAST_KMH, _FAST_EXTRA_MINUTES = 250.0, 250.0, 90.0  # high-speed rail, aircraft
# Donors within a band are as near as one another, and what they are like decides.
_BANDS_MINUTES: Final = (60.0, 120.0, 240.0, 480.0, 960.0)


class Urgency(StrEnum):
    """How soon the blood is needed."""

    ROUTINE = "routine"  # an operation in some days
    URGENT = "urgent"  # within a day
    IMMINENT = "imminent"  # a life depends on the next hours


PATIENCE: Final[Mapping[Urgency, timedelta]] = {
    Urgency.ROUTINE: timedelta(hours=4),
    Urgency.URGENT: timedelta(minutes=30),
    Urgency.IMMINENT: timedelta(minutes=15),
}


# A wave is made so many times as large as needed / p, for the cost of waiting: with 1.0 the need
# is filled within the patience in about six cases of ten, with 2.0 in about nine.
ASSURANCE: Final[Mapping[Urgency, float]] = {
    Urgency.ROUTINE: 1.0,
    Urgency.URGENT: 1.5,
    Urgency.IMMINENT: 2.0,
}


class Answer(StrEnum):
    """What became of asking somebody."""

    COMING = "coming"
    CANNOT = "cannot"
    NOT_ME = "not_me"  # not me any more: do not ask again
    ARRIVED = "arrived"
    UNSUITABLE = "unsuitable"
    GIVEN = "given"


_HELPS: Final = frozenset({Answer.COMING, Answer.ARRIVED, Answer.GIVEN})


@dataclass(frozen=True, slots=True)
class History:
    """How often a donor was asked before, and how often they said yes."""

    asked: int = 0
    yes: int = 0

    @property
    def probability(self) -> float:
        """How likely they are to say yes: the mean of the Beta posterior."""
        return (self.yes + PRIOR_YES) / (self.asked + PRIOR_YES + PRIOR_NO)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A donor of ``matching`` with what decides on asking them.

    ``sibling``: of the patient.  One who is not typed yet (``NEEDS_TYPING``) may be asked too,
    to be typed.
    """

    donor_id: int
    grade: Grade
    distance_km: float
    history: History = History()
    last_asked_at: datetime | None = None
    sibling: bool = False

    @property
    def probability(self) -> float:
        """How likely they are to come and be of use."""
        share = SIBLING_SHARE if self.grade is Grade.NEEDS_TYPING else 1.0
        return self.history.probability * share


@dataclass(frozen=True, slots=True)
class Ask:
    """One donor asked; ``probability`` as it was then."""

    donor_id: int
    at: datetime
    probability: float
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Recruitment:
    """A request and everything that has been asked for it.

    ``needed`` is in donors; ``rarest`` lifts the fatigue limit and puts siblings first;
    ``override_reason`` lifts the limit for an imminent need, and is kept.
    """

    needed: int
    urgency: Urgency
    opened_at: datetime
    needed_by: datetime | None = None
    rarest: bool = False
    override_reason: str = ""
    asks: tuple[Ask, ...] = ()
    closed: bool = False

    @property
    def coming(self) -> int:
        """Donors who are on their way, have arrived or have given."""
        return sum(ask.answer in _HELPS for ask in self.asks)

    @property
    def filled(self) -> bool:
        """Whether nobody else is to be asked."""
        return self.closed or self.coming >= self.needed

    @property
    def acceptance(self) -> float:
        """Yeses here beside those expected, shrunk towards 1: the waves' own correction."""
        resolved = [ask for ask in self.asks if ask.answer is not None]
        yes = sum(ask.answer in _HELPS or ask.answer is Answer.UNSUITABLE for ask in resolved)
        expected = sum(ask.probability for ask in self.asks if ask.answer is not None)
        return (yes + _SHRINKAGE) / (expected + _SHRINKAGE)


class Why(StrEnum):
    """Why a plan is what it is."""

    ASK = "ask"
    WAIT = "wait"
    FILLED = "filled"
    EXHAUSTED = "exhausted"  # nobody is left who may be asked


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now: ask these, in this order; look again ``next_look_at``, or at any answer."""

    why: Why
    donor_ids: tuple[int, ...] = ()
    next_look_at: datetime | None = None


def require_units(units: int) -> int:
    """``units`` itself.  Raises InvalidInputError ``number_out_of_range``."""
    if not 1 <= units <= MOST_UNITS:
        raise InvalidInputError("number_out_of_range", field="units", least=1, most=MOST_UNITS)
    return units


def require_override(urgency: Urgency, reason: str) -> str:
    """The reason for asking people who were asked within 30 days, trimmed; "" for none.

    Raises InvalidInputError ``override_not_imminent``: only an imminent need justifies it.
    """
    if reason.strip() and urgency is not Urgency.IMMINENT:
        raise InvalidInputError("override_not_imminent", field="override_reason")
    return reason.strip()


def is_rarest(need: Need) -> bool:
    """Whether the patient needs one of the types whose few donors are asked for every request."""
    patient = need.patient
    if patient.h is not HType.ORDINARY:
        return True
    return any(needs_null(patient, name) for name in need.policy.reserve_lacking)


def answered_within(time: timedelta) -> float:
    """The share of answers that have come by then, of all that ever come."""
    minutes = time / timedelta(minutes=1)
    return _STANDARD.cdf((log(minutes) - ANSWER_MU) / ANSWER_SIGMA) if minutes > 0 else 0.0


def travel_minutes(distance_km: float) -> float:
    """Until somebody so far away is there, by road or, when it is far, by fast train or air."""
    by_road = min(distance_km, _CITY_KM) / _CITY_KMH + max(0.0, distance_km - _CITY_KM) / _ROAD_KMH
    minutes = _READY_MINUTES + 60 * by_road
    if distance_km > _FAST_FROM_KM:
        fast = _READY_MINUTES + _FAST_EXTRA_MINUTES + 60 * distance_km / _FAST_KMH
        minutes = min(minutes, fast)
    return minutes


def rank(
    recruitment: Recruitment, candidates: Iterable[Candidate], now: datetime
) -> list[Candidate]:
    """Those who may be asked now, best first.

    Whoever cannot be there in time comes last; then by siblings (for the rarest types), grade,
    travel time in bands, likelihood of a yes, and how long ago they were asked.
    """
    asked = {ask.donor_id for ask in recruitment.asks}
    open_to = [
        one
        for one in candidates
        if one.donor_id not in asked and _may_be_asked(recruitment, one, now)
    ]

    def order(one: Candidate) -> tuple[object, ...]:
        minutes = travel_minutes(one.distance_km)
        late = recruitment.needed_by is not None and _late(now, minutes, recruitment.needed_by)
        band = sum(minutes > limit for limit in _BANDS_MINUTES)
        asked_before = one.last_asked_at.timestamp() if one.last_asked_at else float("-inf")
        return (
            late,
            not (one.sibling and recruitment.rarest),
            one.grade,
            band,
            -one.probability,
            asked_before,
            one.distance_km,
            one.donor_id,
        )

    return sorted(open_to, key=order)


def _late(now: datetime, minutes: float, needed_by: datetime) -> bool:
    # Minutes may be infinite, where nobody knows the place.
    return minutes > (needed_by - now) / timedelta(minutes=1)


def _may_be_asked(recruitment: Recruitment, one: Candidate, now: datetime) -> bool:
    if not (one.grade.usable or (one.sibling and one.grade is Grade.NEEDS_TYPING)):
        return False
    if recruitment.rarest or recruitment.override_reason:
        return True
    return one.last_asked_at is None or now - one.last_asked_at >= FATIGUE


def plan(recruitment: Recruitment, candidates: Iterable[Candidate], now: datetime) -> Plan:
    """The next wave, or why there is none; to be asked at every answer and at ``next_look_at``."""
    if recruitment.filled:
        return Plan(Why.FILLED)
    patience = PATIENCE[recruitment.urgency]
    pending = [ask for ask in recruitment.asks if ask.answer is None]
    fresh = [ask for ask in pending if now - ask.at < patience]
    look = min((ask.at + patience for ask in fresh), default=None)
    expected = sum(_yet_to_come(ask, now, patience) for ask in fresh) * recruitment.acceptance
    missing = recruitment.needed - recruitment.coming - expected
    if fresh and missing <= _TOLERATED:
        return Plan(Why.WAIT, next_look_at=look)
    ranked = rank(recruitment, candidates, now)
    if not ranked:
        return Plan(Why.WAIT, next_look_at=look) if pending else Plan(Why.EXHAUSTED)
    wanted = missing * ASSURANCE[recruitment.urgency]
    chosen = _wave(ranked, wanted, answered_within(patience) * recruitment.acceptance)
    return Plan(Why.ASK, tuple(one.donor_id for one in chosen), now + patience)


# A shortfall of less than this of a donor waits for the next look: no wave for every "no".
_TOLERATED: Final = 0.25


def _yet_to_come(ask: Ask, now: datetime, patience: timedelta) -> float:
    """How likely a yes is to come until the patience ends, nothing having come so far."""
    told = now - ask.at
    before, after = answered_within(told), answered_within(patience)
    # Given silence until now: those who never say yes, and those who will later.
    silent = 1 - ask.probability * before
    return ask.probability * (after - before) / silent


def _wave(ranked: Sequence[Candidate], wanted: float, share: float) -> list[Candidate]:
    """The fewest of the best whose likely yeses within the patience are as many as wanted."""
    chosen: list[Candidate] = []
    likely = 0.0
    for one in ranked:
        if chosen and likely >= wanted:
            break
        chosen.append(one)
        likely += one.probability * min(1.0, share)
    return chosen


def to_call(recruitment: Recruitment) -> tuple[int, ...]:
    """Those who were written to and are silent, best first: for whoever can telephone meanwhile."""
    if recruitment.filled:
        return ()
    return tuple(ask.donor_id for ask in recruitment.asks if ask.answer is None)


def to_thank(recruitment: Recruitment) -> tuple[int, ...]:
    """Everybody who was asked and did not decline: told once that it is over, with thanks."""
    if not recruitment.filled:
        return ()
    declined = {Answer.CANNOT, Answer.NOT_ME}
    return tuple(ask.donor_id for ask in recruitment.asks if ask.answer not in declined)
