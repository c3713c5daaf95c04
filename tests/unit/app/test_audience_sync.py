"""The audience index of a process against the database."""

import time

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.app import audience_sync
from reunite.app.audience_sync import LiveAudience
from reunite.app.join_alerts import JoinRequest, join_alerts, leave_alerts
from reunite.kernel.errors import ReuniteError
from reunite.kernel.people import Module
from reunite.kernel.places import Point
from tests.unit.app.world import HANGZHOU, World

BEIJING = Point(39.9042, 116.4074)


def told(audience: LiveAudience, place: Point = HANGZHOU) -> list[int]:
    chosen = choose_audience(audience.index(), Circle(place, 5), Wanted(Module.CHILD))
    return [int(account_id) for account_id in chosen.account_ids()]


def join(world: World, actor: Actor, place: Point = HANGZHOU) -> None:
    join_alerts(world.services, actor, JoinRequest(frozenset(Module), point=place))


def test_joining_moving_and_leaving_is_seen_at_once(world: World) -> None:
    audience, other = LiveAudience(world.database), LiveAudience(world.database)
    assert told(audience) == []
    actor = world.actor(Role.VOLUNTEER)
    join(world, actor)
    assert told(audience) == told(other) == [actor.account_id]
    join(world, actor, BEIJING)
    assert told(audience) == []
    assert told(audience, BEIJING) == told(other, BEIJING) == [actor.account_id]
    leave_alerts(world.services, actor)
    assert told(audience, BEIJING) == told(other, BEIJING) == []


def test_whoever_has_not_looked_for_long_reads_everyone_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    audience = LiveAudience(world.database)
    first = audience.index()
    assert audience.index() is first
    monkeypatch.setattr(audience_sync, "TRUSTED_SECONDS", -1.0)
    join(world, world.volunteer)
    assert audience.index() is not first
    assert told(audience) == [world.volunteer.account_id]


def test_a_thread_follows_and_waits_for_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_sync, "FOLLOW_SECONDS", 0.01)
    audience = LiveAudience(world.database)
    world.database.reachable = False
    audience.start()
    try:
        with pytest.raises(ReuniteError, match="database_unreachable"):
            audience.index()
        world.database.reachable = True
        join(world, world.volunteer)
        until = time.monotonic() + 10
        while (audience._index is None or not len(audience._index)) and time.monotonic() < until:
            time.sleep(0.01)
        assert audience._index is not None
        assert len(audience._index) == 1
    finally:
        audience.close()


def test_closing_what_was_never_started(world: World) -> None:
    LiveAudience(world.database).close()
