"""Triage: reviewers weigh what volunteers saw, and answer them."""

from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, STAFF, Account, Actor, require_role
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.plausibility import History, Plausibility, weigh
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.kernel.ids import SightingId
from reunite.kernel.people import Side
from reunite.kernel.places import distance_km
from reunite.ports import Transaction

# More than reviewers weigh in a day; what is older waits behind them.
RANKED = 500


@dataclass(frozen=True, slots=True)
class SightingView:
    """A sighting with what helps to judge it."""

    sighting: Sighting
    case: Case
    reporter: Account
    distance_km: float | None  # from where the person was last seen
    plausibility: Plausibility


@dataclass(frozen=True, slots=True)
class OwnSighting:
    """What somebody sent, as they see it."""

    sighting: Sighting
    case: Case


def list_sightings(
    services: Services,
    actor: Actor | None,
    status: SightingStatus = SightingStatus.NEW,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[SightingView]:
    """Sightings: those that wait, the most plausible of the newest first; others newest first."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        if status is not SightingStatus.NEW:
            found = transaction.sightings.list_with_status(status, limit=limit, offset=offset)
            return _views(transaction, found)
        waiting = _views(transaction, transaction.sightings.list_with_status(status, limit=RANKED))
    # Sorting is stable: of equally plausible ones the newest stay first.
    waiting.sort(key=lambda view: -view.plausibility.points)
    return waiting[offset : offset + limit]


def list_sightings_of_case(
    services: Services, actor: Actor | None, reference: str
) -> list[SightingView]:
    """Everything that was seen of one person, in the order in which it was seen."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        views = _views(transaction, transaction.sightings.list_of_case(case.id))
    return sorted(views, key=lambda view: (view.sighting.seen_at, view.sighting.id))


def list_own_sightings(services: Services, actor: Actor | None) -> list[OwnSighting]:
    """What the actor has sent, the newest first, with what reviewers answered."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        sent = transaction.sightings.list_of_reporter(actor.account_id)
        cases = transaction.cases.get_many([sighting.case_id for sighting in sent])
    return [OwnSighting(sighting, cases[sighting.case_id]) for sighting in sent]


def decide_sighting(
    services: Services, actor: Actor | None, sighting_id: SightingId, status: SightingStatus
) -> None:
    """Pass a sighting on to those who search, or set it aside.

    Raises ConflictError ``sighting_decided``.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        sighting = transaction.sightings.get(sighting_id, lock=True)
        sighting.decide(status, actor.account_id, services.clock.now())
        transaction.sightings.save(sighting)


def answer_sighting(
    services: Services, actor: Actor | None, sighting_id: SightingId, reply: str
) -> None:
    """Tell the reporter something, e.g. thanks or a question.

    Raises InvalidInputError ``required``, ``text_too_long``.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        sighting = transaction.sightings.get(sighting_id, lock=True)
        sighting.answer(reply, actor.account_id, services.clock.now())
        transaction.sightings.save(sighting)


def _views(transaction: Transaction, sightings: list[Sighting]) -> list[SightingView]:
    cases = transaction.cases.get_many([sighting.case_id for sighting in sightings])
    reporters = {sighting.reported_by for sighting in sightings}
    histories = transaction.sightings.histories(sorted(reporters))
    accounts = {account_id: transaction.accounts.get(account_id) for account_id in reporters}
    views = []
    for sighting in sightings:
        case = cases[sighting.case_id]
        lost, seen_at = case.circumstances.place, case.circumstances.seen_at
        away_km = distance_km(lost, sighting.place) if lost and sighting.place else None
        # Of a found person one asks where they were before: no way has to be possible.
        is_way = case.side is Side.MISSING and seen_at is not None
        plausibility = weigh(
            sighting,
            away_km,
            sighting.seen_at - seen_at if is_way and seen_at else None,
            histories.get(sighting.reported_by, History()),
        )
        views.append(
            SightingView(sighting, case, accounts[sighting.reported_by], away_km, plausibility)
        )
    return views
