"""Transactions, in memory and on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from reunite.alerts.notices import Chunk
from reunite.cases.case import CaseStatus
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import CaseId
from reunite.ports import Database
from reunite.testing.factories import (
    NOW,
    make_account,
    make_notice,
    make_photo,
    make_probe,
    make_sighting,
    make_volunteer,
    store_account,
    store_case,
)
from tests.contract.undoing import undone


def test_ping_answers(database: Database) -> None:
    database.ping()


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    case, _ = store_case(database, status=CaseStatus.REPORTED)
    reviewer = store_account(database)
    with undone(database) as transaction:
        transaction.accounts.add(make_account(email="late@example.org"))
        transaction.photos.add(make_photo(case.id))
        transaction.sightings.add(make_sighting(case.id, reviewer.id))
        transaction.volunteers.save(make_volunteer(reviewer.id))
        transaction.probes.add(make_probe(reviewer.id))
        transaction.notices.add(make_notice(case.id))
        transaction.imports.add("folder", "1.jpg", "imported", "")
        stored = transaction.cases.get(case.id)
        stored.verify(reviewer.id, NOW)
        transaction.cases.save(stored)
    with database.transaction() as transaction:
        assert transaction.accounts.find_by_email("late@example.org") is None
        assert transaction.photos.list_of_case(case.id) == []
        assert transaction.sightings.list_of_case(case.id) == []
        assert transaction.volunteers.count() == 0
        assert transaction.probes.count_since(reviewer.id, NOW) == 0
        assert transaction.notices.list_of_case(case.id) == []
        assert transaction.imports.seen("folder") == set()
        assert transaction.cases.get(case.id) == case


def test_what_is_not_committed_is_seen_inside_only(database: Database) -> None:
    with database.transaction() as outer:
        account = make_account()
        outer.accounts.add(account)
        assert outer.accounts.get(account.id) == account
        with database.transaction() as inner:
            assert inner.accounts.find_by_email(account.email) is None
            inner.imports.add("folder", "1.jpg", "imported", "")
        # Committed beside this transaction, hence seen by its next statement.
        assert outer.imports.seen("folder") == {"1.jpg"}


def test_changing_a_thing_changes_nothing_stored_until_it_is_saved(database: Database) -> None:
    case, (photo,) = store_case(database, status=CaseStatus.REPORTED, photos=1)
    reviewer = store_account(database)
    with database.transaction() as transaction:
        mine = transaction.cases.get(case.id)
        mine.verify(reviewer.id, NOW)
        mine.status = CaseStatus.WITHDRAWN
        transaction.photos.get(photo.id).faces.clear()
        assert transaction.cases.get(case.id) == case
        assert transaction.photos.get(photo.id) == photo
    photo.faces.clear()
    case.transitions.clear()
    with database.transaction() as transaction:
        assert len(transaction.cases.get(case.id).transitions) == 1
        assert len(transaction.photos.get(photo.id).faces) == 1


def test_a_locked_case_is_waited_for(database: Database) -> None:
    case, _ = store_case(database, status=CaseStatus.REPORTED)
    reviewer = store_account(database)
    locked, order = threading.Event(), []

    def withdraw() -> None:
        locked.wait(5)
        with database.transaction() as transaction:
            stored = transaction.cases.get(case.id, lock=True)
            order.append(stored.status)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(withdraw)
        with database.transaction() as transaction:
            stored = transaction.cases.get(case.id, lock=True)
            locked.set()
            stored.verify(reviewer.id, NOW)
            transaction.cases.save(stored)
            order.append(stored.status)
        waiting.result(5)
    # Whoever waited sees what the first one made of it.
    assert order == [CaseStatus.VERIFIED, CaseStatus.VERIFIED]


def test_of_two_who_save_at_once_one_is_told(database: Database) -> None:
    case, _ = store_case(database, status=CaseStatus.REPORTED)
    reviewer = store_account(database)
    start = threading.Barrier(2)

    def verify(_: int) -> str:
        try:
            with database.transaction() as transaction:
                stored = transaction.cases.get(case.id)
                start.wait(5)
                stored.verify(reviewer.id, NOW)
                transaction.cases.save(stored)
        except ConflictError as error:
            return error.code
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(verify, range(2))) == ["changed_meanwhile", "saved"]


def test_of_two_who_take_an_address_at_once_one_is_told(database: Database) -> None:
    start = threading.Barrier(2)

    def register(_: int) -> str:
        try:
            with database.transaction() as transaction:
                start.wait(5)
                transaction.accounts.add(make_account(email="same@example.org"))
        except ConflictError as error:
            return error.code
        return "added"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(register, range(2))) == ["added", "email_taken"]


def test_messages_of_some_topics_are_left_to_others(database: Database) -> None:
    outside = frozenset({"deliver_webhook", "send_digest"})
    with database.transaction() as transaction:
        for topic in ("deliver_webhook", "match_record", "send_digest"):
            transaction.outbox.add(topic, {})

    def topics(*, among: bool) -> list[str]:
        found = []
        with database.transaction() as transaction:
            while (message := transaction.outbox.claim(NOW, outside, among=among)) is not None:
                found.append(message.topic)
                transaction.outbox.finish(message)
        return found

    assert topics(among=False) == ["match_record"]
    assert topics(among=True) == ["deliver_webhook", "send_digest"]


def test_two_workers_never_hold_the_same_message_or_chunk(database: Database) -> None:
    case, _ = store_case(database)
    notice = make_notice(case.id)
    with database.transaction() as transaction:
        transaction.outbox.add("match_record", {})
        transaction.notices.add(notice)
        transaction.notices.add_chunks([Chunk(notice.id, 0, np.array([1, 2], dtype=np.int64))])
        transaction.notices.open_inboxes(notice.id, NOW)
    with database.transaction() as first:
        assert first.outbox.claim(NOW) is not None
        assert first.notices.deliver_to_inboxes(NOW, 1)
        with database.transaction() as second:
            assert second.outbox.claim(NOW) is None
            assert second.notices.deliver_to_inboxes(NOW, 1) == []
    with database.transaction() as third:
        assert third.outbox.claim(NOW) is not None
        assert third.notices.deliver_to_inboxes(NOW, 1) == []


def test_ids_are_not_given_twice_even_after_undoing(database: Database) -> None:
    case, _ = store_case(database)
    with undone(database) as transaction:
        first = transaction.photos.add(make_photo(case.id))
    with database.transaction() as transaction:
        assert transaction.photos.add(make_photo(case.id)) > first
        assert transaction.cases.get_many([CaseId(0)]) == {}


def test_announcing_to_nobody_is_nothing(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.announce(np.empty(0, dtype=np.int64))
        transaction.announce(np.array([1, 2], dtype=np.int64))
