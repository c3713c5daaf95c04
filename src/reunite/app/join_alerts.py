"""Opt in to alerts near a place, change one's mind, leave."""

from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.pushing import DEFAULT_WEEKLY_PUSHES, QuietHours, require_weekly_pushes
from reunite.alerts.volunteers import PlaceKind, Precision, Volunteer, VolunteerPlace
from reunite.app.services import Services
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, Town, cell_of, find_town, nearest_town, require_on_land


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """About what, near which home, and how loudly somebody wishes to be told.

    The home is a point or a town, one of them.  What is None stays as it was said before.
    """

    modules: frozenset[Module]
    point: Point | None = None
    town_id: int | None = None  # GeoNames
    precision: Precision = Precision.FINE
    weekly_pushes: int | None = None
    quiet: QuietHours | None = None


def join_alerts(services: Services, actor: Actor | None, request: JoinRequest) -> Volunteer:
    """Opt in, or replace what was said before.  Only the H3 cell of the place is kept.

    Other places than home stay.  Quiet hours are those of the home's time zone.  Raises
    InvalidInputError ``modules_required``, ``place_required``, ``town_unknown``,
    ``place_at_sea``, ``weekly_pushes_out_of_range``.
    """
    actor = require_role(actor, EVERYONE)
    if not request.modules:
        raise InvalidInputError("modules_required", field="modules")
    home, town = make_place(
        services, PlaceKind.HOME, request.point, request.town_id, request.precision
    )
    now = services.clock.now()
    with services.database.transaction() as transaction:
        volunteer = transaction.volunteers.find(actor.account_id, lock=True)
        if volunteer is None:
            volunteer = Volunteer(
                actor.account_id,
                places=(),
                modules=request.modules,
                joined_at=now,
                weekly_pushes=DEFAULT_WEEKLY_PUSHES,
            )
        volunteer.modules = request.modules
        volunteer.language = Language(actor.language)
        volunteer.time_zone = town.time_zone
        volunteer.set_place(home)
        if request.weekly_pushes is not None:
            volunteer.weekly_pushes = require_weekly_pushes(request.weekly_pushes)
        if request.quiet is not None:
            volunteer.quiet = request.quiet
        transaction.volunteers.save(volunteer)
    return volunteer


def find_volunteer(services: Services, actor: Actor | None) -> Volunteer | None:
    """What the actor has opted in to."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return transaction.volunteers.find(actor.account_id)


def leave_alerts(services: Services, actor: Actor | None) -> None:
    """Opt out; every place and setting is erased."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        transaction.volunteers.delete(actor.account_id)


def make_place(
    services: Services,
    kind: PlaceKind,
    point: Point | None,
    town_id: int | None,
    precision: Precision,
) -> tuple[VolunteerPlace, Town]:
    """A place as it is kept, and the town it is named after.

    Raises InvalidInputError ``place_required``, ``town_unknown``, ``place_at_sea``.
    """
    country = services.settings.country
    if point is not None:
        point = require_on_land(point, "place")
        town = nearest_town(point, country)
    elif town_id is not None:
        found = find_town(town_id, country)
        if found is None:
            raise InvalidInputError("town_unknown", field="town")
        point, town = found.point, found
    else:
        raise InvalidInputError("place_required", field="town")
    place = VolunteerPlace(
        kind=kind,
        cell=cell_of(point, precision),
        place_label=str(town.geonames_id),
        said_at=services.clock.now(),
    )
    return place, town
