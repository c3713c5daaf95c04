"""Positions that come at the same moment are one commit."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.volunteers import PlaceKind
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts
from reunite.app.keep_places import PlaceRequest, save_place
from reunite.app.position_batches import PositionBatches
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of
from reunite.ports import Database
from tests.unit.app.world import HANGZHOU, World

BEIJING = Point(39.9042, 116.4074)
PEOPLE = 12


class SlowDatabase:
    """Counts commits, each of which waits for a disk."""

    def __init__(self, world: World) -> None:
        self._database = world.database
        self._counting = threading.Lock()
        self.commits = 0

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._counting:
            self.commits += 1
        time.sleep(0.05)
        with self._database.transaction() as transaction:
            yield transaction


def on_the_way(world: World) -> Actor:
    actor = world.actor(Role.VOLUNTEER)
    join_alerts(world.services, actor, JoinRequest(frozenset(Module), point=HANGZHOU))
    save_place(world.services, actor, PlaceRequest(PlaceKind.HERE, point=HANGZHOU))
    return actor


def test_whoever_arrives_while_one_batch_is_written_joins_the_next(world: World) -> None:
    people = [on_the_way(world) for _ in range(PEOPLE)]
    at_home = world.actor(Role.VOLUNTEER)
    database = SlowDatabase(world)
    batches = PositionBatches(cast("Database", database))

    def share(actor: Actor) -> bool | None:
        try:
            return batches.share(actor.account_id, BEIJING, world.clock.now())
        except NotFoundError:
            return None

    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        answers = list(pool.map(share, [*people, at_home]))
    assert answers == [True] * PEOPLE + [None]
    assert database.commits < PEOPLE / 2
    for actor in people:
        volunteer = find_volunteer(world.services, actor)
        assert volunteer is not None
        here = volunteer.find_place(PlaceKind.HERE)
        assert here is not None
        assert here.cell == cell_of(BEIJING)
    assert not batches.share(people[0].account_id, BEIJING, world.clock.now())


def test_everybody_of_a_batch_hears_that_it_failed(world: World) -> None:
    actor = on_the_way(world)
    batches = PositionBatches(world.database)
    world.database.reachable = False
    for _ in range(2):
        with pytest.raises(ReuniteError, match="database_unreachable"):
            batches.share(actor.account_id, BEIJING, world.clock.now())
    world.database.reachable = True
    assert batches.share(actor.account_id, BEIJING, world.clock.now())
