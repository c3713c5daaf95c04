"""The stream of changes on PostgreSQL: triggers, and transactions that overtake one another."""

import numpy as np
from sqlalchemy import text

from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.positions import NOBODY
from reunite.app.audience_sync import LiveAudience
from reunite.kernel.people import Module
from reunite.storage.database import PostgresDatabase
from reunite.testing.factories import HANGZHOU, make_volunteer, store_account


def told(audience: LiveAudience) -> list[int]:
    chosen = choose_audience(audience.index(), Circle(HANGZHOU, 5), Wanted(Module.CHILD))
    return [int(account_id) for account_id in chosen.account_ids()]


def test_whoever_commits_late_is_not_missed(postgres_database: PostgresDatabase) -> None:
    first, second = (store_account(postgres_database).id for _ in range(2))
    audience = LiveAudience(postgres_database)
    assert told(audience) == []
    with postgres_database.transaction() as late:
        late.volunteers.save(make_volunteer(first))
        with postgres_database.transaction() as early:
            early.volunteers.save(make_volunteer(second))
        assert told(audience) == [second]
        assert told(audience) == [second]
    assert told(audience) == [first, second]


def test_an_account_that_goes_takes_its_place_with_it(postgres_database: PostgresDatabase) -> None:
    account_id = store_account(postgres_database).id
    with postgres_database.transaction() as transaction:
        transaction.volunteers.save(make_volunteer(account_id))
    audience = LiveAudience(postgres_database)
    assert told(audience) == [account_id]
    with postgres_database._engine.begin() as connection:
        connection.execute(text("DELETE FROM accounts WHERE id = :id"), {"id": account_id})
    assert told(audience) == []


def test_a_statement_that_moves_many_makes_one_row(postgres_database: PostgresDatabase) -> None:
    ids = [store_account(postgres_database).id for _ in range(20)]
    for account_id in ids:
        with postgres_database.transaction() as transaction:
            transaction.volunteers.save(make_volunteer(account_id))
    with postgres_database._engine.begin() as connection:
        connection.execute(text("DELETE FROM volunteer_changes"))
        connection.execute(text("UPDATE volunteer_places SET cell = cell"))
        rows = connection.execute(text("SELECT account_ids FROM volunteer_changes")).all()
        # No row for a statement that touches nobody.
        connection.execute(text("DELETE FROM volunteers WHERE account_id = -1"))
        counted = connection.execute(text("SELECT count(*) FROM volunteer_changes")).scalar()
    assert [sorted(np.frombuffer(row.account_ids, dtype=">i8").tolist()) for row in rows] == [ids]
    assert counted == 1
    with postgres_database.transaction() as transaction:
        change = transaction.volunteers.changes_since(0).positions
    assert sorted(change.account_ids.tolist()) == ids
    assert not (change.opt_ins == NOBODY).any()
