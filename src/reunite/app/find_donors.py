"""Donors who could be asked for a request, and why others are not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from reunite.app.services import Services
from reunite.blood.appeals import Appeal, DonorAsk
from reunite.blood.compatibility import Verdict, judge
from reunite.blood.deferral import Hindrance
from reunite.blood.donors import ConsentPurpose, RegisteredDonor
from reunite.blood.live_pool import KIND_OF
from reunite.blood.matching import distance_km, match, vector_of
from reunite.blood.rules import Grade
from reunite.blood.waves import FATIGUE, Candidate, rank
from reunite.kernel.ids import DonorId
from reunite.ports import Transaction

# So many of the best are weighed by travel time and answers; a wave takes a few dozen of them.
MOST_WEIGHED = 3000
NEAREST_EXPLAINED = 200
FAR_AWAY_KM = 40_100.0  # of somebody whose place nobody knows: beyond the other side of the Earth


@dataclass(frozen=True, slots=True)
class RankedDonor:
    """One donor in the order in which they would be asked, or the reason why they are not.

    ``obstacle`` is empty, or one of ``deferred``, ``asked_lately``, ``too_far``, ``asked``
    and ``unsuitable``.  ``distance_km`` None: nobody knows the place.
    """

    donor: RegisteredDonor
    verdict: Verdict
    distance_km: float | None
    sibling: bool
    obstacle: str = ""
    hindrance: Hindrance | None = None


@dataclass(frozen=True, slots=True)
class DonorList:
    """Whom a request could reach.

    ``graded`` counts the whole register, deferred or not; ``deferred`` those of them who would
    suit and may not give now.
    """

    ranked: list[RankedDonor]
    not_asked: list[RankedDonor]
    graded: dict[Grade, int]
    deferred: int


def find_candidates(
    services: Services, transaction: Transaction, appeal: Appeal
) -> tuple[list[Candidate], dict[DonorId, RegisteredDonor]]:
    """Everybody who may be asked, in no particular order; ``waves`` decides."""
    request, today = appeal.request, services.clock.now().date()
    pool = services.donors.pool().for_component(request.need.component, today)
    matches = match(pool, request.need, request.place, today)
    ids = [DonorId(int(number)) for number in matches.ids[:MOST_WEIGHED]]
    donors = transaction.donors.get_many(ids)
    family = _family(transaction, appeal, today)
    grades = dict(zip(ids, matches.grades[:MOST_WEIGHED].tolist(), strict=True))
    donors |= {one.id: one for one in family}
    siblings = {one.id for one in family}
    candidates = []
    for donor in donors.values():
        km = distance_of(donor, appeal)
        # A sibling comes as far as it takes.
        if donor.travel_km is not None and km > donor.travel_km and donor.id not in siblings:
            continue
        grade = grades.get(donor.id)
        if grade is None:
            grade = judge(donor.phenotype, request.need).grade
        candidates.append(
            Candidate(
                donor.id,
                Grade(grade),
                km,
                donor.history,
                donor.last_asked_at,
                sibling=donor.id in siblings,
            )
        )
    return candidates, donors


def list_donors(
    services: Services,
    transaction: Transaction,
    appeal: Appeal,
    asks: Iterable[DonorAsk],
    limit: int = 50,
) -> DonorList:
    """The best donors in order, and the nearest of the others, each with every reason."""
    now, request = services.clock.now(), appeal.request
    asked = list(asks)
    candidates, donors = find_candidates(services, transaction, appeal)
    order = rank(appeal.recruitment(asked), candidates, now)
    ranked = [_explained(donors[DonorId(one.donor_id)], one, appeal) for one in order[:limit]]
    pool = services.donors.pool().for_component(request.need.component, now.date())
    matches = match(pool, request.need, request.place, now.date())
    shown = {one.donor.id for one in ranked}
    chords = np.linalg.norm(pool.vectors - np.array(vector_of(request.place)), axis=1)
    nearest = np.argsort(chords, kind="stable")[:NEAREST_EXPLAINED]
    others = transaction.donors.get_many([DonorId(int(number)) for number in pool.ids[nearest]])
    by_id = {one.donor_id: one for one in candidates}
    already = {one.donor_id for one in asked}
    not_asked = [
        _not_asked(donor, appeal, by_id.get(donor.id), services, asked=donor.id in already)
        for donor in (
            others[DonorId(int(number))]
            for number in pool.ids[nearest]
            if DonorId(int(number)) in others and int(number) not in shown
        )
    ]
    return DonorList(
        ranked,
        [one for one in not_asked if one.obstacle][:limit],
        dict(matches.graded),
        matches.deferred,
    )


def distance_of(donor: RegisteredDonor, appeal: Appeal) -> float:
    """How far a donor is away; ``inf`` where nobody knows."""
    return float("inf") if donor.point is None else distance_km(donor.point, appeal.request.place)


def _family(transaction: Transaction, appeal: Appeal, today: date) -> list[RegisteredDonor]:
    """Siblings who agreed to be asked first, and may give."""
    code = appeal.request.family_code
    if not code:
        return []
    kind = KIND_OF[appeal.request.need.component]
    return [
        one
        for one in transaction.donors.list_family(code)
        if one.may_be_asked
        and ConsentPurpose.FAMILY in one.consents
        and one.next_eligible(kind, today).on(today)
    ]


def _explained(donor: RegisteredDonor, one: Candidate, appeal: Appeal) -> RankedDonor:
    verdict = judge(donor.phenotype, appeal.request.need)
    return RankedDonor(donor, verdict, known_km(one.distance_km), one.sibling)


def known_km(km: float) -> float | None:
    """A distance, None where nobody knows it."""
    return None if km == float("inf") else km


def _not_asked(
    donor: RegisteredDonor,
    appeal: Appeal,
    candidate: Candidate | None,
    services: Services,
    *,
    asked: bool,
) -> RankedDonor:
    now = services.clock.now()
    verdict = judge(donor.phenotype, appeal.request.need)
    km = distance_of(donor, appeal)
    kind = KIND_OF[appeal.request.need.component]
    eligibility = donor.next_eligible(kind, now.date())
    obstacle, hindrance = "", None
    if asked:
        obstacle = "asked"
    elif not verdict.usable:
        obstacle = "unsuitable"
    elif not eligibility.on(now.date()) or kind not in donor.kinds:
        obstacle = "deferred"
        hindrance = eligibility.hindrances[0] if eligibility.hindrances else None
    elif donor.travel_km is not None and km > donor.travel_km:
        obstacle = "too_far"
    elif donor.last_asked_at is not None and now - donor.last_asked_at < FATIGUE:
        obstacle = "asked_lately"
    sibling = candidate is not None and candidate.sibling
    return RankedDonor(donor, verdict, known_km(km), sibling, obstacle, hindrance)
