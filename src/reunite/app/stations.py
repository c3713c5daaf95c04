"""Stations: who they are, and who may act for them."""

from dataclasses import dataclass

from reunite.accounts.account import STAFF, Actor, Role, require_role
from reunite.app.services import Services
from reunite.kernel.errors import ForbiddenError, InvalidInputError
from reunite.kernel.ids import AccountId, StationId
from reunite.partners.stations.gazetteer import locate
from reunite.partners.stations.station import Station

ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class StationView:
    """A station and how many people it looks after."""

    station: Station
    residents: int


def add_station(
    services: Services,
    actor: Actor | None,
    name: str,
    place: str = "",
    capacity: int | None = None,
    contact: str = "",
) -> Station:
    """Write a station.  Raises InvalidInputError, ConflictError ``station_exists``."""
    require_role(actor, ADMINS)
    where = locate(place)
    station = Station(
        name=name.strip(),
        created_at=services.clock.now(),
        region=where.region,
        place_label=place.strip(),
        place=where.point,
        capacity=capacity,
        contact=contact.strip(),
    ).check()
    with services.database.transaction() as transaction:
        transaction.stations.add(station)
    return station


def set_station_clerk(
    services: Services, actor: Actor | None, account_id: AccountId, station_id: StationId | None
) -> None:
    """Have an officer act for a station.  Raises InvalidInputError ``account_not_staff``."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(account_id)
        if account.role not in STAFF:
            raise InvalidInputError("account_not_staff", email=account.email)
        transaction.stations.set_clerk(account_id, station_id)


def list_stations(services: Services, actor: Actor | None) -> list[StationView]:
    """Every station; by name."""
    require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        return [
            StationView(one, transaction.stations.count_residents(one.id))
            for one in transaction.stations.list_all()
        ]


def find_own_station(services: Services, actor: Actor | None) -> StationView | None:
    """The station that somebody works for."""
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        station = transaction.stations.find_of_clerk(actor.account_id)
        if station is None:
            return None
        return StationView(station, transaction.stations.count_residents(station.id))


def require_station(services: Services, actor: Actor, station_id: StationId) -> Station:
    """The station, for its own clerks and administrators.

    Raises NotFoundError, ForbiddenError ``other_station``.
    """
    with services.database.transaction() as transaction:
        station = transaction.stations.get(station_id)
        own = transaction.stations.find_of_clerk(actor.account_id)
    if actor.role not in ADMINS and (own is None or own.id != station_id):
        raise ForbiddenError("other_station")
    return station
