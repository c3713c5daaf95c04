"""The pool of donors follows the database."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.app import donor_sync
from reunite.app.donor_sync import LiveDonors
from reunite.testing.donors import store_donor
from tests.unit.app.world import World


def ids(donors: LiveDonors) -> set[int]:
    return set(donors.pool().pool.ids.tolist())


def test_donors_come_change_and_go(world: World) -> None:
    donors, other = world.services.donors, LiveDonors(world.database, world.clock)
    first = store_donor(world.database)
    assert ids(donors) == {first.id}
    second = store_donor(world.database)
    assert ids(donors) == ids(other) == {first.id, second.id}
    with world.database.transaction() as transaction:
        transaction.donors.save(replace(first, asleep=True))
    assert ids(donors) == ids(other) == {second.id}
    with world.database.transaction() as transaction:
        transaction.donors.save(replace(first, asleep=False))
        transaction.donors.delete(second.id)
    assert ids(donors) == ids(other) == {first.id}
    assert donors.pool() is donors.pool()


def test_everybody_is_read_anew_after_half_a_day(world: World) -> None:
    store_donor(world.database)
    donors = world.services.donors
    before = donors.pool()
    donors._looked_at -= donor_sync.TRUSTED_SECONDS + 1
    with world.database.transaction() as transaction:
        transaction.donors.forget_changes_before(world.clock.now() + timedelta(days=20_000))
    assert donors.pool() is not before
    assert ids(donors) == set(before.pool.ids.tolist())


def in_memory(donors: LiveDonors) -> int:
    """How many donors it has read by itself."""
    return 0 if donors._pool is None else len(donors._pool)


def test_a_thread_waits_for_a_database_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(donor_sync, "FOLLOW_SECONDS", 0.01)
    store_donor(world.database)
    donors = LiveDonors(world.database, world.clock)
    world.database.reachable = False
    donors.start()
    donors.start()
    try:
        time.sleep(0.05)
        assert in_memory(donors) == 0
        world.database.reachable = True
        until = time.monotonic() + 10
        while in_memory(donors) == 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert in_memory(donors) == 1
    finally:
        donors.close()


def test_closing_what_was_never_started(world: World) -> None:
    LiveDonors(world.database, world.clock).close()
