"""What only a real PostgreSQL can show: locks, snapshots, errors, bulk."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import psycopg
import pytest

from reunite.alerts.notices import number
from reunite.broker.outbox import PostgresOutbox
from reunite.cases.case import CaseStatus
from reunite.kernel.errors import ConflictError, ReuniteError
from reunite.kernel.ids import AccountId
from reunite.ports import Transaction
from reunite.storage.database import PostgresDatabase
from reunite.testing.factories import (
    NOW,
    SPACE,
    make_account,
    make_case,
    make_notice,
    make_photo,
    make_template_facts,
    make_vectors,
    store_account,
    store_case,
    store_template,
)
from tests.contract.undoing import undone


def test_workers_share_the_outbox_without_doing_anything_twice(
    postgres_database: PostgresDatabase,
) -> None:
    messages, workers = 60, 4
    with postgres_database.transaction() as transaction:
        for number in range(messages):
            transaction.outbox.add("count", {"number": number})
    handled: list[object] = []
    start = threading.Barrier(workers)

    def work(_: int) -> None:
        start.wait(10)
        while True:
            with postgres_database.transaction() as transaction:
                message = transaction.outbox.claim(NOW)
                if message is None:
                    return
                handled.append(message.payload["number"])
                transaction.outbox.finish(message)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert Counter(handled) == Counter(range(messages))
    with postgres_database.transaction() as transaction:
        assert transaction.outbox.count_waiting() == 0


def test_workers_share_the_chunks_without_telling_anybody_twice(
    postgres_database: PostgresDatabase,
) -> None:
    case, _ = store_case(postgres_database)
    people = list(range(1, 41))
    notice = make_notice(case.id, recipients=len(people))
    with postgres_database.transaction() as transaction:
        transaction.notices.add(notice)
        transaction.notices.add_chunks(
            number(notice.id, (np.array([person], dtype=np.int64) for person in people))
        )
        transaction.notices.open_inboxes(notice.id, NOW)
    told: list[int] = []

    def work(_: int) -> None:
        while True:
            with postgres_database.transaction() as transaction:
                chunks = transaction.notices.deliver_to_inboxes(NOW, 2)
                if not chunks:
                    return
                told.extend(number for chunk in chunks for number in chunk.account_ids.tolist())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert sorted(told) == people


def test_to_stop_waits_for_what_is_being_delivered(postgres_database: PostgresDatabase) -> None:
    case, _ = store_case(postgres_database)
    notice = make_notice(case.id, recipients=2)
    parts = [np.array([person], dtype=np.int64) for person in (1, 2)]
    with postgres_database.transaction() as transaction:
        transaction.notices.add(notice)
        transaction.notices.add_chunks(number(notice.id, parts))
        transaction.notices.open_inboxes(notice.id, NOW)

    def stop() -> list[int]:
        with postgres_database.transaction() as transaction:
            transaction.notices.stop([notice.id], NOW, None)
            return [int(n) for n in transaction.notices.recipients_of_case(case.id)]

    with ThreadPoolExecutor(1) as pool:
        with postgres_database.transaction() as transaction:
            assert len(transaction.notices.deliver_to_inboxes(NOW, 1)) == 1
            stopped = pool.submit(stop)
            time.sleep(0.1)
            assert not stopped.done()
        assert stopped.result(10) == [1]


def test_an_account_that_goes_leaves_no_number_behind(
    postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    case, _ = store_case(postgres_database)
    with postgres_database.transaction() as transaction:
        people = [transaction.accounts.add(make_account()) for _ in range(7)]
        notice = make_notice(case.id, recipients=len(people))
        transaction.notices.add(notice)
        ids = np.array(people[::-1], dtype=np.int64)
        transaction.notices.add_chunks(number(notice.id, (ids[:4], ids[4:])))
        transaction.notices.open_inboxes(notice.id, NOW)
        transaction.notices.deliver_to_inboxes(NOW, 9)
        transaction.notices.mark_read(people[1], NOW)
    with psycopg.connect(shared_database_url) as connection:
        connection.execute("DELETE FROM accounts WHERE id = ANY(%s)", [[people[1], people[5]]])
    left = [person for person in people if person not in (people[1], people[5])]
    with postgres_database.transaction() as transaction:
        assert transaction.notices.recipients_of_case(case.id).tolist() == left
        for sequence, kept in enumerate(([6, 0, 4, 3], [2, 0, 0])):
            chunk = transaction.notices.get_chunk(notice.id, sequence)
            names = [people.index(AccountId(n)) if n else 0 for n in chunk.account_ids.tolist()]
            assert names == kept
        for person in people:
            entries = transaction.notices.list_inbox(person)
            assert [one.notice_id for one in entries] == ([notice.id] if person in left else [])
        assert transaction.notices.get_progress(notice.id).read == 0


def test_a_worker_that_dies_gives_its_message_back(
    postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    with postgres_database.transaction() as transaction:
        transaction.outbox.add("count", {})

    def claim_and_die() -> None:
        with postgres_database.transaction() as transaction:
            assert transaction.outbox.claim(NOW) is not None
            cut_off_others(shared_database_url)
            transaction.outbox.count_waiting()

    with pytest.raises(ReuniteError) as refused:
        claim_and_die()
    assert refused.value.code == "database_unreachable"
    with postgres_database.transaction() as transaction:
        assert transaction.outbox.claim(NOW) is not None


def test_a_commit_that_comes_late_is_not_missed(postgres_database: PostgresDatabase) -> None:
    """The transaction that writes first commits last, after somebody has read past it."""
    store_template(postgres_database, store_case(postgres_database, photos=1)[1][0])
    with postgres_database.transaction() as transaction:
        position = transaction.templates.position()
    with postgres_database.transaction() as late:
        slow = add_one(late)
        with postgres_database.transaction() as quick:
            fast = add_one(quick)
        with postgres_database.transaction() as reader:
            change = reader.templates.changes_since(position)
        assert fast in change.added
        assert slow not in change.added
        position = change.position
    with postgres_database.transaction() as reader:
        change = reader.templates.changes_since(position)
    assert slow in change.added
    with postgres_database.transaction() as reader:
        enrolment = reader.templates.get_enrolment(change.added, SPACE)
    assert slow in enrolment.template_ids


def add_one(transaction: Transaction) -> int:
    reporter = make_account()
    transaction.accounts.add(reporter)
    case = make_case(reporter.id)
    transaction.cases.add(case)
    photo = make_photo(case.id)
    transaction.photos.add(photo)
    return transaction.templates.add(
        photo, make_vectors(1)[0], SPACE, make_template_facts(subject_id=case.id)
    )


def test_no_template_comes_or_goes_unnoticed(
    postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    case, (photo,) = store_case(postgres_database, photos=1)
    template_id = store_template(postgres_database, photo)
    with postgres_database.transaction() as transaction:
        position = transaction.templates.position()
    with psycopg.connect(shared_database_url) as by_hand:
        by_hand.execute("DELETE FROM cases WHERE id = %s", [case.id])
    with postgres_database.transaction() as transaction:
        assert list(transaction.templates.changes_since(position).removed) == [template_id]


def test_a_million_new_templates_are_one_row_of_the_stream(
    postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    n = 30_000  # more than one piece of a copy; the row would be the same for a million
    with postgres_database.transaction() as transaction:
        position = transaction.templates.position()
        transaction.templates.add_synthetic(make_vectors(n), SPACE, make_template_facts(n))
    with psycopg.connect(shared_database_url) as connection:
        rows = connection.execute("SELECT count(*) FROM template_changes").fetchone()
    assert rows == (1,)
    with postgres_database.transaction() as transaction:
        assert len(transaction.templates.changes_since(position).added) == n
        read = sum(len(e.template_ids) for e in transaction.templates.iter_enrolments(SPACE, 7000))
        assert read == n


def test_times_come_back_in_utc(postgres_database: PostgresDatabase) -> None:
    beijing = timezone(timedelta(hours=8))
    account = make_account(created_at=datetime(2026, 5, 1, 3, 0, tzinfo=beijing))
    with postgres_database.transaction() as transaction:
        transaction.accounts.add(account)
    with postgres_database.transaction() as transaction:
        created_at = transaction.accounts.get(account.id).created_at
    assert created_at == account.created_at
    assert created_at.tzinfo is UTC


def test_two_who_wait_for_one_another_are_told(postgres_database: PostgresDatabase) -> None:
    first, second = store_account(postgres_database), store_account(postgres_database)
    both_hold_one = threading.Barrier(2)

    def save(order: int) -> str:
        mine, theirs = (first, second) if order == 0 else (second, first)
        try:
            with postgres_database.transaction() as transaction:
                transaction.accounts.save(mine)
                both_hold_one.wait(10)
                transaction.accounts.save(theirs)
        except ConflictError as error:
            return error.code
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, range(2))) == ["changed_meanwhile", "saved"]


def test_a_restarted_server_costs_nothing(
    postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    postgres_database.ping()
    cut_off_others(shared_database_url)
    with postgres_database.transaction() as transaction:
        assert transaction.outbox.count_waiting() == 0


def test_an_unreachable_database_is_named_as_such() -> None:
    unreachable = PostgresDatabase("postgresql://nobody@/nothing?host=/nowhere", PostgresOutbox)
    with pytest.raises(ReuniteError) as refused:
        unreachable.ping()
    assert refused.value.code == "database_unreachable"
    with pytest.raises(ReuniteError) as refused, unreachable.transaction():
        pass
    assert refused.value.code == "database_unreachable"


def test_a_pool_that_is_used_up_is_named_as_such(
    shared_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.storage.database.POOL_TIMEOUT_SECONDS", 0.05)
    small = PostgresDatabase(shared_database_url, PostgresOutbox, pool_size=1, max_overflow=0)
    with small.transaction(), pytest.raises(ReuniteError) as refused, small.transaction():
        pass
    assert refused.value.code == "database_busy"
    small.dispose()


def test_a_save_that_was_undone_can_be_made_again(postgres_database: PostgresDatabase) -> None:
    case, _ = store_case(postgres_database, status=CaseStatus.REPORTED)
    with undone(postgres_database) as transaction:
        stored = transaction.cases.get(case.id, lock=True)
        stored.withdraw(case.opened_by, NOW)
        transaction.cases.save(stored)
    with postgres_database.transaction() as transaction:
        stored = transaction.cases.get(case.id, lock=True)
        stored.withdraw(case.opened_by, NOW)
        transaction.cases.save(stored)
        assert stored.version == 1


def cut_off_others(shared_database_url: str) -> None:
    """As a crash of the server does to its connections."""
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
