"""Several places of a volunteer, and where their device is."""

from datetime import timedelta

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.pushing import QuietHours
from reunite.alerts.volunteers import CONFIRM_AFTER, POSITION_TTL, PlaceKind, Precision
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts, leave_alerts
from reunite.app.keep_places import (
    PlaceRequest,
    confirm_places,
    export_volunteer,
    forget_place,
    save_place,
    share_position,
)
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of, nearest_town, resolution_of
from tests.unit.app.world import HANGZHOU, MID_PACIFIC, World

ALL = frozenset(Module)
BEIJING, URUMQI = Point(39.9042, 116.4074), Point(43.8010, 87.6005)


@pytest.fixture
def volunteer(world: World) -> Actor:
    actor = world.actor(Role.VOLUNTEER)
    join_alerts(world.services, actor, JoinRequest(ALL, point=HANGZHOU))
    return actor


def told(world: World, place: Point) -> list[int]:
    chosen = choose_audience(
        world.services.audience.index(),
        Circle(place, 5),
        Wanted(Module.CHILD, at=world.clock.now()),
    )
    return [int(account_id) for account_id in chosen.account_ids()]


def test_somebody_is_told_at_each_of_their_places(world: World, volunteer: Actor) -> None:
    save_place(world.services, volunteer, PlaceRequest(PlaceKind.WORK, point=BEIJING))
    assert told(world, HANGZHOU) == told(world, BEIJING) == [volunteer.account_id]
    town = nearest_town(URUMQI)
    saved = save_place(
        world.services, volunteer, PlaceRequest(PlaceKind.WORK, town_id=town.geonames_id)
    )
    assert [place.kind for place in saved.places] == [PlaceKind.HOME, PlaceKind.WORK]
    assert told(world, BEIJING) == []
    forget_place(world.services, volunteer, PlaceKind.WORK)
    assert told(world, town.point) == []
    with pytest.raises(NotFoundError):
        forget_place(world.services, volunteer, PlaceKind.WORK)
    # Changing what one is told about keeps all places.
    save_place(world.services, volunteer, PlaceRequest(PlaceKind.WORK, point=BEIJING))
    join_alerts(world.services, volunteer, JoinRequest(frozenset({Module.CHILD}), point=HANGZHOU))
    assert told(world, BEIJING) == [volunteer.account_id]


def test_the_position_of_a_device_follows_and_expires(world: World, volunteer: Actor) -> None:
    with pytest.raises(NotFoundError):
        share_position(world.services, volunteer, BEIJING)
    assert told(world, BEIJING) == []
    save_place(world.services, volunteer, PlaceRequest(PlaceKind.HERE, point=BEIJING))
    assert told(world, BEIJING) == [volunteer.account_id]
    assert not share_position(world.services, volunteer, BEIJING)
    assert share_position(world.services, volunteer, URUMQI)
    assert told(world, BEIJING) == []
    assert told(world, URUMQI) == [volunteer.account_id]
    with pytest.raises(InvalidInputError, match="place_at_sea"):
        share_position(world.services, volunteer, MID_PACIFIC)
    world.clock.advance(POSITION_TTL)
    assert told(world, URUMQI) == []
    assert told(world, HANGZHOU) == [volunteer.account_id]
    assert share_position(world.services, volunteer, URUMQI)
    assert told(world, URUMQI) == [volunteer.account_id]


def test_a_coarse_place_stays_coarse(world: World, volunteer: Actor) -> None:
    request = JoinRequest(ALL, point=HANGZHOU, precision=Precision.COARSE)
    home = join_alerts(world.services, volunteer, request).places[0]
    assert home.cell == cell_of(HANGZHOU, 7)
    save_place(
        world.services,
        volunteer,
        PlaceRequest(PlaceKind.HERE, point=BEIJING, precision=Precision.COARSE),
    )
    share_position(world.services, volunteer, URUMQI)
    kept = find_volunteer(world.services, volunteer)
    assert kept is not None
    assert {resolution_of(place.cell) for place in kept.places} == {7}


def test_declared_places_ask_to_be_confirmed_and_are_used_meanwhile(
    world: World, volunteer: Actor
) -> None:
    save_place(world.services, volunteer, PlaceRequest(PlaceKind.HERE, point=BEIJING))
    world.clock.advance(CONFIRM_AFTER)

    def asking() -> list[PlaceKind]:
        kept = find_volunteer(world.services, volunteer)
        assert kept is not None
        now = world.clock.now()
        return [place.kind for place in kept.places if place.asks_to_be_confirmed(now)]

    assert asking() == [PlaceKind.HOME]
    assert told(world, HANGZHOU) == [volunteer.account_id]
    confirm_places(world.services, volunteer)
    assert asking() == []
    world.clock.advance(CONFIRM_AFTER - timedelta(seconds=1))
    assert asking() == []


def test_settings_are_kept_until_something_else_is_said(world: World, volunteer: Actor) -> None:
    kept = find_volunteer(world.services, volunteer)
    assert kept is not None
    assert (kept.weekly_pushes, kept.quiet) == (2, QuietHours(22, 7))
    request = JoinRequest(ALL, point=URUMQI, weekly_pushes=7, quiet=QuietHours(0, 0))
    join_alerts(world.services, volunteer, request)
    kept = join_alerts(world.services, volunteer, JoinRequest(ALL, point=URUMQI))
    assert (kept.weekly_pushes, kept.quiet) == (7, QuietHours(0, 0))
    assert kept.time_zone == "Asia/Urumqi"
    with pytest.raises(InvalidInputError, match="weekly_pushes_out_of_range"):
        join_alerts(world.services, volunteer, JoinRequest(ALL, point=URUMQI, weekly_pushes=15))


def test_everything_can_be_taken_away_and_erased(world: World, volunteer: Actor) -> None:
    save_place(world.services, volunteer, PlaceRequest(PlaceKind.HERE, point=BEIJING))
    world.publish(world.open(5), 5.0)
    world.drain()
    exported = export_volunteer(world.services, volunteer)
    places = exported["places"]
    assert isinstance(places, list)
    assert [place["kind"] for place in places] == ["home", "here"]
    assert places[0]["h3_cell"] == f"{cell_of(HANGZHOU):x}"
    assert exported["modules"] == ["blood", "child", "elder"]
    notices = exported["notices"]
    assert isinstance(notices, list)
    assert [notice["kind"] for notice in notices] == ["published"]
    leave_alerts(world.services, volunteer)
    with pytest.raises(NotFoundError):
        export_volunteer(world.services, volunteer)
    assert told(world, HANGZHOU) == told(world, BEIJING) == []


def test_only_volunteers_have_places(world: World) -> None:
    request = PlaceRequest(PlaceKind.WORK, point=BEIJING)
    with pytest.raises(NotFoundError):
        save_place(world.services, world.family, request)
    with pytest.raises(NotFoundError):
        forget_place(world.services, world.family, PlaceKind.WORK)
    with pytest.raises(NotFoundError):
        confirm_places(world.services, world.family)
