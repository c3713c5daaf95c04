"""VolunteerRepository's positions and stream of changes, in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from reunite.alerts.positions import NOBODY, Positions, opt_in_bits
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of
from reunite.ports import Database
from reunite.testing.factories import make_volunteer, store_account
from tests.contract.undoing import undone

BEIJING = Point(39.9042, 116.4074)


def join(database: Database, place: Point | None = None) -> AccountId:
    account_id = store_account(database).id
    with database.transaction() as transaction:
        volunteer = make_volunteer(account_id)
        if place is not None:
            volunteer.cell = cell_of(place)
        transaction.volunteers.save(volunteer)
    return account_id


def rows(positions: Positions) -> dict[int, tuple[int, int]]:
    values = zip(positions.cells.tolist(), positions.opt_ins.tolist(), strict=True)
    found = dict(zip(positions.account_ids.tolist(), values, strict=True))
    assert len(found) == len(positions)
    return found


def position(database: Database) -> int:
    with database.transaction() as transaction:
        return transaction.volunteers.position()


def changed(database: Database, since: int) -> dict[int, tuple[int, int]]:
    with database.transaction() as transaction:
        return rows(transaction.volunteers.changes_since(since).positions)


def test_positions_hold_place_and_wishes(database: Database) -> None:
    first, second, third = (store_account(database).id for _ in range(3))
    speaker = make_volunteer(second, place=BEIJING, modules=frozenset(Module))
    speaker.language = Language.EN
    with database.transaction() as transaction:
        transaction.volunteers.save(make_volunteer(first))
        transaction.volunteers.save(speaker)
        transaction.volunteers.save(make_volunteer(third, modules=frozenset()))
        positions = transaction.volunteers.positions()
    here = make_volunteer(first).cell
    assert rows(positions) == {
        first: (here, opt_in_bits([Module.CHILD], Language.ZH)),
        second: (cell_of(BEIJING), opt_in_bits(Module, Language.EN)),
        third: (here, opt_in_bits([], Language.ZH)),
    }


def test_positions_of_nobody_are_empty(database: Database) -> None:
    with database.transaction() as transaction:
        positions = transaction.volunteers.positions()
        change = transaction.volunteers.changes_since(transaction.volunteers.position())
    for none in (positions, change.positions):
        assert none.account_ids.shape == none.cells.shape == none.opt_ins.shape == (0,)
        assert none.account_ids.dtype == none.cells.dtype == "int64"
        assert none.opt_ins.dtype == "uint8"


def test_changes_tell_where_everybody_concerned_is_now(database: Database) -> None:
    stayed, moved, left = (join(database) for _ in range(3))
    start = position(database)
    come = join(database, BEIJING)
    with database.transaction() as transaction:
        transaction.volunteers.save(make_volunteer(moved, place=BEIJING))
        transaction.volunteers.delete(left)
    told = changed(database, start)
    bits = opt_in_bits([Module.CHILD], Language.ZH)
    assert told[come] == told[moved] == (cell_of(BEIJING), bits)
    assert told[left][1] == NOBODY
    # May be told again where something else on the server is still under way.
    assert told.get(stayed, (make_volunteer(stayed).cell, bits))[1] == bits
    with database.transaction() as transaction:
        assert transaction.volunteers.changes_since(start).position >= start


def test_many_are_moved_at_once(database: Database) -> None:
    moved, stayed, twice = (join(database) for _ in range(3))
    here, there = make_volunteer(stayed).cell, cell_of(BEIJING)
    start = position(database)
    ids = np.array([moved, twice, 4711, twice, stayed], dtype=np.int64)
    cells = np.array([there, here, there, there, here], dtype=np.int64)
    with database.transaction() as transaction:
        assert transaction.volunteers.move(ids, cells) == 2
        assert transaction.volunteers.move(ids, cells) == 0
        assert transaction.volunteers.move(ids[:0], cells[:0]) == 0
        found = transaction.volunteers.find(stayed)
        assert found is not None
        assert found.cell == here
    told = changed(database, start)
    assert told[moved][0] == told[twice][0] == there
    with database.transaction() as transaction:
        found = transaction.volunteers.find(moved)
    # Nothing else about somebody changes.
    assert found == replace(make_volunteer(moved), cell=there)


def test_what_was_undone_is_no_change(database: Database) -> None:
    account_id = store_account(database).id
    start = position(database)
    with undone(database) as transaction:
        transaction.volunteers.save(make_volunteer(account_id))
    assert account_id not in changed(database, start)


def test_who_leaves_without_having_come_is_no_change(database: Database) -> None:
    start = position(database)
    with database.transaction() as transaction:
        transaction.volunteers.delete(AccountId(4711))
    assert 4711 not in changed(database, start)


def test_old_changes_are_forgotten(database: Database) -> None:
    start = position(database)
    account_id = join(database)
    now = datetime.now(UTC)
    with database.transaction() as transaction:
        assert transaction.volunteers.forget_changes_before(now - timedelta(hours=1)) == 0
    assert account_id in changed(database, start)
    with database.transaction() as transaction:
        assert transaction.volunteers.forget_changes_before(now + timedelta(hours=1)) == 1
    assert account_id not in changed(database, start)
