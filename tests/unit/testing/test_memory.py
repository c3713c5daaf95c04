"""What the fakes offer beyond the ports, and what they refuse that PostgreSQL would hang on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from reunite.kernel.clock import FixedClock
from reunite.kernel.errors import ConflictError, ReuniteError
from reunite.testing import memory_tables
from reunite.testing.factories import make_actor, store_account, store_case
from reunite.testing.memory import MemoryDatabase, MemoryPhotoStore


def test_a_database_can_be_made_unreachable() -> None:
    database = MemoryDatabase()
    database.reachable = False
    with pytest.raises(ReuniteError) as refused, database.transaction():
        pass
    assert refused.value.code == "database_unreachable"


def test_what_was_announced_is_kept() -> None:
    database = MemoryDatabase()
    with database.transaction() as transaction:
        transaction.announce(np.array([3, 1], dtype=np.int64))
        assert database.live.announced == []
    assert database.live.announced == [3, 1]


def test_a_photo_store_can_be_full_and_follow_a_clock() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = MemoryPhotoStore(now=clock.now)
    key = store.put(b"picture")
    clock.advance(timedelta(hours=1))
    assert list(store.iter_keys_older_than(clock.now())) == [key]
    store.full = True
    with pytest.raises(ReuniteError) as refused:
        store.put(b"picture")
    assert refused.value.code == "photo_store_full"


def test_waiting_for_oneself_is_an_error_at_once() -> None:
    database = MemoryDatabase()
    case, _ = store_case(database)
    with database.transaction() as outer:
        outer.cases.get(case.id, lock=True)
        with database.transaction() as inner, pytest.raises(RuntimeError, match="around this one"):
            inner.cases.get(case.id, lock=True)


def test_two_who_wait_for_one_another_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_tables, "LOCK_TIMEOUT_SECONDS", 0.1)
    database = MemoryDatabase()
    first, second = store_account(database), store_account(database)
    both_hold_one = threading.Barrier(2)

    def save(order: int) -> str:
        mine, theirs = (first, second) if order == 0 else (second, first)
        try:
            with database.transaction() as transaction:
                transaction.accounts.save(mine)
                both_hold_one.wait(5)
                transaction.accounts.save(theirs)
        except ConflictError as error:
            return error.code
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert "changed_meanwhile" in set(pool.map(save, range(2)))


def test_an_actor_is_made_of_an_account() -> None:
    account = store_account(MemoryDatabase())
    actor = make_actor(account)
    assert (actor.account_id, actor.role) == (account.id, account.role)
