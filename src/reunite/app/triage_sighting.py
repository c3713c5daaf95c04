"""Triage: reviewers weigh what volunteers saw."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Account, Actor, require_role
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.kernel.ids import SightingId
from reunite.kernel.places import distance_km


@dataclass(frozen=True, slots=True)
class SightingView:
    """A sighting with what helps to judge it."""

    sighting: Sighting
    case: Case
    reporter: Account
    distance_km: float | None  # from where the person was last seen


def list_sightings(
    services: Services,
    actor: Actor | None,
    status: SightingStatus = SightingStatus.NEW,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[SightingView]:
    """Sightings to weigh, the newest first."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        sightings = transaction.sightings.list_with_status(status, limit=limit, offset=offset)
        cases = transaction.cases.get_many([sighting.case_id for sighting in sightings])
        views = []
        for sighting in sightings:
            case = cases[sighting.case_id]
            lost = case.circumstances.place
            views.append(
                SightingView(
                    sighting,
                    case,
                    transaction.accounts.get(sighting.reported_by),
                    distance_km(lost, sighting.place) if lost and sighting.place else None,
                )
            )
        return views


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
