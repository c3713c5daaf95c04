"""Opt in to alerts near a place, change one's mind, leave."""

from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.volunteers import Volunteer
from reunite.app.services import Services
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of, find_town, nearest_town, require_on_land


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Where and about what somebody wishes to be told: a point or a town, one of them."""

    modules: frozenset[Module]
    point: Point | None = None
    town_id: int | None = None  # GeoNames


def join_alerts(services: Services, actor: Actor | None, request: JoinRequest) -> Volunteer:
    """Opt in, or replace what was said before.  Only the H3 cell of the place is kept.

    Raises InvalidInputError ``modules_required``, ``place_required``, ``town_unknown``,
    ``place_at_sea``.
    """
    actor = require_role(actor, EVERYONE)
    if not request.modules:
        raise InvalidInputError("modules_required", field="modules")
    country = services.settings.country
    if request.point is not None:
        point = require_on_land(request.point, "place")
        town = nearest_town(point, country)
    elif request.town_id is not None:
        found = find_town(request.town_id, country)
        if found is None:
            raise InvalidInputError("town_unknown", field="town")
        point, town = found.point, found
    else:
        raise InvalidInputError("place_required", field="town")
    volunteer = Volunteer(
        account_id=actor.account_id,
        cell=cell_of(point),
        place_label=str(town.geonames_id),
        modules=request.modules,
        joined_at=services.clock.now(),
        language=Language(actor.language),
    )
    with services.database.transaction() as transaction:
        transaction.volunteers.save(volunteer)
    return volunteer


def find_volunteer(services: Services, actor: Actor | None) -> Volunteer | None:
    """What the actor has opted in to."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return transaction.volunteers.find(actor.account_id)


def leave_alerts(services: Services, actor: Actor | None) -> None:
    """Opt out; the place is forgotten."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        transaction.volunteers.delete(actor.account_id)
