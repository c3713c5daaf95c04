"""VolunteerRepository's positions and stream of changes, in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from reunite.alerts.positions import EXPIRES, NOBODY, SEVERAL, Positions, opt_in_bits
from reunite.alerts.pushing import QuietHours, push_rule
from reunite.alerts.volunteers import POSITION_RENEWED_AFTER, POSITION_TTL, PlaceKind
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of
from reunite.ports import Database
from reunite.testing.factories import HANGZHOU, NOW, make_volunteer, store_account
from tests.contract.undoing import undone

BEIJING = Point(39.9042, 116.4074)


def join(database: Database, place: Point | None = None) -> AccountId:
    account_id = store_account(database).id
    with database.transaction() as transaction:
        transaction.volunteers.save(make_volunteer(account_id, place=place or HANGZHOU))
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
    here = cell_of(HANGZHOU)
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
    assert told.get(stayed, (cell_of(HANGZHOU), bits))[1] == bits
    with database.transaction() as transaction:
        assert transaction.volunteers.changes_since(start).position >= start


def follow(database: Database, account_id: AccountId) -> None:
    """Let somebody share where their device is: at home, at first."""
    with database.transaction() as transaction:
        volunteer = make_volunteer(account_id)
        [home] = volunteer.places
        volunteer.set_place(
            replace(home, kind=PlaceKind.HERE, said_at=NOW, expires_at=NOW + POSITION_TTL)
        )
        transaction.volunteers.save(volunteer)


def test_many_devices_move_at_once(database: Database) -> None:
    moved, stayed, twice, at_home = (join(database) for _ in range(4))
    for account_id in (moved, stayed, twice):
        follow(database, account_id)
    here, there = cell_of(HANGZHOU), cell_of(BEIJING)
    start = position(database)
    ids = np.array([moved, twice, 4711, twice, stayed, at_home], dtype=np.int64)
    cells = np.array([there, here, there, there, here, there], dtype=np.int64)
    with database.transaction() as transaction:
        assert transaction.volunteers.move(ids, cells, NOW) == 2
        places = transaction.volunteers.find_here(ids)
        assert {number: place.cell for number, place in places.items()} == {
            moved: there,
            stayed: here,
            twice: there,
        }
        assert places[moved].expires_at == NOW + POSITION_TTL
        assert transaction.volunteers.move(ids, cells, NOW) == 0
        assert transaction.volunteers.move(ids[:0], cells[:0], NOW) == 0
    with database.transaction() as transaction:
        where = transaction.volunteers.changes_since(start).positions
        found = transaction.volunteers.find(moved)
    is_moved = np.isin(where.account_ids, [moved, twice])
    assert sorted(where.cells[is_moved].tolist()) == sorted([here, there] * 2)
    assert (where.opt_ins[is_moved] & SEVERAL).all()
    is_device = (where.opt_ins & EXPIRES) != 0
    assert set(where.expires_at[is_device].tolist()) == {int((NOW + POSITION_TTL).timestamp())}
    assert found is not None
    assert [(place.kind, place.cell) for place in found.places] == [
        (PlaceKind.HOME, here),
        (PlaceKind.HERE, there),
    ]


def test_a_device_that_stays_is_renewed_before_its_place_expires(database: Database) -> None:
    account_id = join(database)
    follow(database, account_id)
    ids, cells = np.array([account_id]), np.array([cell_of(HANGZHOU)])
    soon, later = NOW + POSITION_RENEWED_AFTER / 2, NOW + POSITION_RENEWED_AFTER * 2
    with database.transaction() as transaction:
        assert transaction.volunteers.move(ids, cells, soon) == 0
        assert transaction.volunteers.move(ids, cells, later) == 1
        found = transaction.volunteers.find(account_id)
    assert found is not None
    place = found.find_place(PlaceKind.HERE)
    assert place is not None
    assert (place.said_at, place.expires_at) == (later, later + POSITION_TTL)


def test_everything_somebody_said_is_kept(database: Database) -> None:
    account_id = store_account(database).id
    said = make_volunteer(account_id, modules=frozenset(Module))
    said.weekly_pushes, said.quiet, said.time_zone = 5, QuietHours(23, 6), "Asia/Urumqi"
    said.set_place(replace(said.places[0], kind=PlaceKind.WORK, cell=cell_of(BEIJING)))
    with database.transaction() as transaction:
        transaction.volunteers.save(said)
    with database.transaction() as transaction:
        assert transaction.volunteers.find(account_id, lock=True) == said
        where = transaction.volunteers.positions()
        zones = transaction.volunteers.time_zones()
    zone_id = next(number for number, name in zones.items() if name == "Asia/Urumqi")
    mine = where.account_ids == account_id
    rule = push_rule(5, QuietHours(23, 6), zone_id)
    assert where.push_rules[mine].tolist() == [rule, rule]
    assert (where.opt_ins[mine] == opt_in_bits(Module, Language.ZH) | SEVERAL).all()
    said.forget_place(PlaceKind.WORK)
    start = position(database)
    with database.transaction() as transaction:
        transaction.volunteers.save(said)
        assert transaction.volunteers.find(account_id) == said
    assert changed(database, start)[account_id][0] == cell_of(HANGZHOU)


def test_whoever_has_no_place_left_is_told_nothing(database: Database) -> None:
    account_id = join(database)
    start = position(database)
    nowhere = make_volunteer(account_id)
    nowhere.forget_place(PlaceKind.HOME)
    with database.transaction() as transaction:
        transaction.volunteers.save(nowhere)
    assert changed(database, start)[account_id][1] == NOBODY


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
        assert transaction.volunteers.forget_changes_before(now + timedelta(hours=1)) >= 1
    assert account_id not in changed(database, start)
