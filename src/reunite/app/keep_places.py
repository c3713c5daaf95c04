"""More places of a volunteer: work, the way there, family, and where the device is now."""

from dataclasses import dataclass, replace

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.volunteers import POSITION_TTL, PlaceKind, Precision, Volunteer
from reunite.app.choose_channels import export_channels
from reunite.app.join_alerts import make_place
from reunite.app.services import Services
from reunite.kernel.errors import NotFoundError
from reunite.kernel.places import Point, require_on_land, resolution_of
from reunite.ports import Transaction


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """One place of a volunteer: a point or a town, one of them.

    A place of the kind ``HERE`` is the consent to follow the device while a page is open.
    """

    kind: PlaceKind
    point: Point | None = None
    town_id: int | None = None  # GeoNames
    precision: Precision = Precision.FINE


def save_place(services: Services, actor: Actor | None, request: PlaceRequest) -> Volunteer:
    """Say where one's home, work … is; replaces what was said of this kind.

    Raises NotFoundError for somebody who has not opted in; InvalidInputError as
    ``join_alerts``.
    """
    actor = require_role(actor, EVERYONE)
    place, _ = make_place(services, request.kind, request.point, request.town_id, request.precision)
    if not request.kind.is_declared:
        place = replace(place, expires_at=place.said_at + POSITION_TTL)
    with services.database.transaction() as transaction:
        volunteer = _get(transaction, actor)
        volunteer.set_place(place)
        transaction.volunteers.save(volunteer)
    return volunteer


def forget_place(services: Services, actor: Actor | None, kind: PlaceKind) -> Volunteer:
    """Erase a place.  Raises NotFoundError where there is none of this kind."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        volunteer = _get(transaction, actor)
        volunteer.forget_place(kind)
        transaction.volunteers.save(volunteer)
    return volunteer


def confirm_places(services: Services, actor: Actor | None) -> Volunteer:
    """All places that were typed in are still true: ask again in half a year."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        volunteer = _get(transaction, actor)
        volunteer.confirm_places(services.clock.now())
        transaction.volunteers.save(volunteer)
    return volunteer


def share_position(services: Services, actor: Actor | None, point: Point) -> bool:
    """The device has moved: keep its new cell, as coarse as was asked for; whether it is new.

    Nothing is kept of somebody who does not share the position of a device: NotFoundError.
    Raises InvalidInputError ``place_at_sea``.
    """
    actor = require_role(actor, EVERYONE)
    require_on_land(point, "place")
    return services.positions.share(actor.account_id, point, services.clock.now())


def export_volunteer(services: Services, actor: Actor | None) -> dict[str, object]:
    """Everything that is kept about the actor as a volunteer, for them to take away."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        volunteer = _get(transaction, actor, lock=False)
        inbox = transaction.notices.list_inbox(actor.account_id, limit=EXPORTED_NOTICES)
    return {
        "joined_at": volunteer.joined_at.isoformat(),
        "modules": sorted(module.name.lower() for module in volunteer.modules),
        "language": volunteer.language.value,
        "weekly_pushes": volunteer.weekly_pushes,
        "quiet_hours": {
            "from": volunteer.quiet.from_hour,
            "until": volunteer.quiet.until_hour,
            "time_zone": volunteer.time_zone,
        },
        "places": [
            {
                "kind": place.kind.value,
                "h3_cell": f"{place.cell:x}",
                "resolution": resolution_of(place.cell),
                "nearest_town_geonames_id": place.place_label,
                "said_at": place.said_at.isoformat(),
                "expires_at": None if place.expires_at is None else place.expires_at.isoformat(),
            }
            for place in volunteer.places
        ],
        "channels": export_channels(services, actor),
        "notices": [
            {
                "kind": entry.kind,
                "delivered_at": entry.delivered_at.isoformat(),
                "read_at": None if entry.read_at is None else entry.read_at.isoformat(),
            }
            for entry in inbox
        ],
    }


EXPORTED_NOTICES = 10_000


def _get(transaction: Transaction, actor: Actor, *, lock: bool = True) -> Volunteer:
    volunteer = transaction.volunteers.find(actor.account_id, lock=lock)
    if volunteer is None:
        raise NotFoundError
    return volunteer
