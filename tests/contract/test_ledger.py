"""ChunkLedger, in memory and on PostgreSQL."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from reunite.alerts.fanout import BURST, LEASE, ChunkTask, FailedDelivery, Lease
from reunite.alerts.notices import Notice
from reunite.kernel.ids import AccountId, NoticeId
from reunite.kernel.languages import Language
from reunite.ports import ChannelProgress, Database, WaitingChunks
from reunite.testing.factories import NOW, make_account, store_account
from tests.contract.test_notices import deliver, store_notice
from tests.contract.undoing import undone

MAIL, CHAT = "email", "chat"
SOON, UNTIL = NOW + timedelta(seconds=1), NOW + LEASE


def queued(database: Database, people: int = 6, chunk: int = 3) -> Notice:
    """A notice whose chunks wait on a channel."""
    notice = store_notice(database, range(1, people + 1), chunk)
    deliver(database, 99, [MAIL])
    return notice


def lease(
    database: Database, owner: str = "w", now: datetime = NOW, tasks: list[ChunkTask] | None = None
) -> Lease | None:
    with database.transaction() as transaction:
        return transaction.ledger.lease(MAIL, owner, now, now + LEASE, tasks)


def got(database: Database, owner: str = "w", now: datetime = NOW) -> Lease:
    taken = lease(database, owner, now)
    assert taken is not None
    return taken


def channel_of(database: Database, notice: Notice) -> ChannelProgress:
    with database.transaction() as transaction:
        (channel,) = transaction.notices.get_progress(notice.id).channels
    return channel


def failure(
    notice: Notice,
    account_id: AccountId,
    address_id: int,
    due_at: datetime | None = NOW,
    recipient: int = 0,
) -> FailedDelivery:
    task = ChunkTask(notice.id, 0, MAIL)
    return FailedDelivery(task, recipient, account_id, address_id, 1, due_at, "away", NOW)


def test_a_leased_chunk_is_nobody_elses_until_its_time_is_over(database: Database) -> None:
    notice = queued(database)
    first, second = got(database, "a"), got(database, "b")
    assert [one.task.sequence for one in (first, second)] == [0, 1]
    assert first.task == ChunkTask(notice.id, 0, MAIL)
    assert (first.recipients, first.position, first.sent_bits) == (3, 0, bytearray(1))
    assert lease(database, "c") is None
    with database.transaction() as transaction:
        assert transaction.ledger.lease(CHAT, "c", NOW, UNTIL) is None
        assert transaction.ledger.holds(first)
        assert transaction.ledger.renew("a", UNTIL + LEASE) == 1
    # "b" has died; "a" goes on.
    taken_over = got(database, "c", UNTIL)
    assert taken_over.task == second.task
    assert lease(database, "d", UNTIL) is None
    with database.transaction() as transaction:
        assert not transaction.ledger.holds(second)
        assert transaction.ledger.holds(first)
        assert not transaction.ledger.checkpoint(second, NOW)
        assert not transaction.ledger.postpone(second, SOON, "", NOW)


def test_a_chunk_goes_on_from_where_it_was_saved(database: Database) -> None:
    notice = queued(database)
    work = got(database)
    work.mark_sent(1)
    work.position, work.failed = 2, 1
    with database.transaction() as transaction:
        assert transaction.ledger.checkpoint(work, NOW)
    with undone(database) as transaction:
        work.position = 3
        transaction.ledger.checkpoint(work, NOW)
    assert channel_of(database, notice) == ChannelProgress(MAIL, 4, 2, 1, 1)
    again = got(database, "next", UNTIL + LEASE)
    assert (again.task, again.position, again.sent, again.failed) == (work.task, 2, 1, 1)
    assert again.sent_bits == work.sent_bits
    again.mark_sent(2)
    again.position = 3
    with database.transaction() as transaction:
        assert transaction.ledger.is_waiting(again.task)
        assert transaction.ledger.checkpoint(again, NOW)
        assert not transaction.ledger.is_waiting(again.task)
        assert not transaction.ledger.holds(again)
    assert channel_of(database, notice) == ChannelProgress(MAIL, 3, 3, 2, 1)
    assert got(database, "next").task.sequence == 1


def test_a_postponed_chunk_waits_and_one_given_up_is_dead(database: Database) -> None:
    notice = queued(database, 3)
    work = got(database)
    with database.transaction() as transaction:
        assert transaction.ledger.postpone(work, SOON, "away", NOW)
    assert lease(database) is None
    work = got(database, now=SOON)
    assert work.attempts == 1
    with database.transaction() as transaction:
        # Given back without a failure.
        assert transaction.ledger.postpone(work, SOON, "", SOON)
    work = got(database, now=SOON)
    assert work.attempts == 1
    with database.transaction() as transaction:
        assert transaction.ledger.postpone(work, None, "smtp_down", SOON)
        (letter,) = transaction.ledger.list_dead()
        assert transaction.ledger.count_dead() == 1
    assert (letter.task, letter.failure_id, letter.recipients) == (work.task, None, 3)
    assert (letter.attempts, letter.reason, letter.failed_at) == (2, "smtp_down", SOON)
    assert lease(database, now=SOON) is None
    with database.transaction() as transaction:
        assert transaction.ledger.revive(letter.task, None)
        assert not transaction.ledger.revive(letter.task, None)
        assert not transaction.ledger.drop(letter.task, None)
    work = got(database, now=SOON)
    assert (work.attempts, work.position) == (0, 0)
    with database.transaction() as transaction:
        assert transaction.ledger.postpone(work, None, "smtp_down", SOON)
        assert transaction.ledger.drop(work.task, None)
        assert transaction.ledger.list_dead() == []
    assert channel_of(database, notice) == ChannelProgress(MAIL, 0, 0, 0, 3)


def test_a_clock_that_jumped_leaves_nothing_waiting_for_ever(database: Database) -> None:
    queued(database, 3)
    far = NOW + timedelta(days=400)
    work = got(database, "jumped", far)
    assert got(database, "sober").task == work.task
    with database.transaction() as transaction:
        assert not transaction.ledger.checkpoint(work, far)
    work = got(database, "jumped", far)
    with database.transaction() as transaction:
        assert transaction.ledger.postpone(work, far + timedelta(minutes=1), "away", far)
        transaction.ledger.shut(MAIL, far)
        transaction.ledger.reserve(MAIL, 1, 1.0, far)
    assert got(database, "sober").task == work.task


def test_a_stopped_notice_is_taken_from_whoever_works_on_it(database: Database) -> None:
    notice = queued(database)
    work = got(database)
    account = store_account(database)
    with database.transaction() as transaction:
        transaction.ledger.add_failures(
            [failure(notice, account.id, 1), failure(notice, account.id, 2, None)]
        )
        transaction.notices.stop([notice.id], NOW, None)
        assert not transaction.ledger.holds(work)
        assert not transaction.ledger.checkpoint(work, NOW)
        assert transaction.ledger.claim_failures(MAIL, NOW, UNTIL, 9) == []
        assert transaction.ledger.count_dead() == 1
    assert lease(database) is None


def test_a_gate_opens_when_what_was_reserved_has_gone(database: Database) -> None:
    queued(database)

    def opening(now: datetime = NOW) -> datetime | None:
        with database.transaction() as transaction:
            return transaction.ledger.find_opening(MAIL, now)

    def reserve(deliveries: int, now: datetime = NOW) -> None:
        with database.transaction() as transaction:
            transaction.ledger.reserve(MAIL, deliveries, 10.0, now)

    assert opening() is None
    reserve(10)
    assert opening() is None
    reserve(20)
    assert opening() == NOW + timedelta(seconds=2)
    assert lease(database) is None
    assert lease(database, now=NOW + timedelta(seconds=2)) is not None
    later = NOW + timedelta(hours=1)
    reserve(10, later)
    assert opening(later) is None
    with database.transaction() as transaction:
        transaction.ledger.shut(MAIL, later + timedelta(minutes=5))
        assert transaction.ledger.find_opening(CHAT, NOW) is None
    assert opening(later) == later + timedelta(minutes=5)
    assert lease(database, now=later) is None
    assert opening(later + timedelta(minutes=5)) is None
    assert timedelta(seconds=1) == BURST


def test_people_are_spoken_to_in_their_language(database: Database) -> None:
    zh = store_account(database)
    with database.transaction() as transaction:
        en = transaction.accounts.add(make_account(language=Language.EN))
        gone = transaction.accounts.add(make_account(disabled=True))
        asked = np.array([zh.id, en, gone, 99], dtype=np.int64)
        languages = transaction.ledger.languages_of(asked)
    assert languages == {zh.id: Language.ZH, en: Language.EN}


def test_a_failed_delivery_is_tried_again_by_one_worker(database: Database) -> None:
    notice = queued(database, 3)
    ann, bo = store_account(database).id, store_account(database).id
    failures = [
        failure(notice, ann, 1, NOW),
        failure(notice, bo, 2, SOON, recipient=2),
        failure(notice, AccountId(99), 3, NOW),
    ]
    with database.transaction() as transaction:
        transaction.ledger.add_failures([])
        transaction.ledger.add_failures(failures)
        transaction.ledger.add_failures([failure(notice, ann, 1, None)])
        # While the chunk is worked on, nobody else writes into its ledger.
        assert transaction.ledger.claim_failures(MAIL, SOON, UNTIL, 9) == []
    work = got(database)
    work.position = 3
    with database.transaction() as transaction:
        transaction.ledger.checkpoint(work, NOW)
        assert transaction.ledger.claim_failures(CHAT, SOON, UNTIL, 9) == []
        (first,) = transaction.ledger.claim_failures(MAIL, NOW, UNTIL, 9)
        assert first.address_id == 1
        assert transaction.ledger.claim_failures(MAIL, NOW, UNTIL, 9) == []
    with database.transaction() as transaction:
        both = transaction.ledger.claim_failures(MAIL, UNTIL, UNTIL + LEASE, 9)
        assert [one.address_id for one in both] == [1, 2]
        assert both[0] == first
        transaction.ledger.settle_failure(both[0], sent=True)
        transaction.ledger.settle_failure(both[1], sent=False)
        assert transaction.ledger.claim_failures(MAIL, UNTIL + LEASE, UNTIL, 9) == []
    assert channel_of(database, notice) == ChannelProgress(MAIL, 0, 3, 1, 1)


def test_a_dead_delivery_is_revived_or_dropped(database: Database) -> None:
    notice = queued(database, 3)
    ann = store_account(database).id
    work = got(database)
    work.position = 3
    with database.transaction() as transaction:
        transaction.ledger.checkpoint(work, NOW)
        transaction.ledger.add_failures([failure(notice, ann, 1, NOW)])
        (claimed,) = transaction.ledger.claim_failures(MAIL, NOW, UNTIL, 9)
        dead = FailedDelivery(
            claimed.task, 0, ann, 1, claimed.attempts + 1, None, "refused", SOON, claimed.id
        )
        transaction.ledger.save_failure(dead)
        (letter,) = transaction.ledger.list_dead()
    assert (letter.task, letter.failure_id, letter.recipients) == (work.task, claimed.id, 1)
    assert (letter.attempts, letter.reason, letter.failed_at) == (2, "refused", SOON)
    assert channel_of(database, notice).failed == 1
    with database.transaction() as transaction:
        assert transaction.ledger.revive(letter.task, letter.failure_id)
        assert not transaction.ledger.revive(letter.task, letter.failure_id)
    assert channel_of(database, notice).failed == 0
    with database.transaction() as transaction:
        (claimed,) = transaction.ledger.claim_failures(MAIL, SOON, UNTIL, 9)
        assert claimed.attempts == 0
        again = FailedDelivery(claimed.task, 0, ann, 1, 1, UNTIL, "away", SOON, claimed.id)
        transaction.ledger.save_failure(again)
        assert transaction.ledger.claim_failures(MAIL, SOON, UNTIL, 9) == []
        assert transaction.ledger.claim_failures(MAIL, UNTIL, UNTIL, 9) == [again]
        assert not transaction.ledger.drop(again.task, again.id)
        transaction.ledger.save_failure(dead)
        assert transaction.ledger.drop(dead.task, dead.id)
        assert transaction.ledger.count_dead() == 0


def test_a_broker_is_told_once_and_again_of_what_it_lost(database: Database) -> None:
    notice = queued(database)
    store_notice(database, [7, 8])
    tasks = [ChunkTask(notice.id, 0, MAIL), ChunkTask(NoticeId(notice.id + 1), 0, "inbox")]
    last = ChunkTask(notice.id, 1, MAIL)
    with database.transaction() as transaction:
        marked = transaction.ledger.list_unqueued(NOW, 2)
        assert [task for task, _ in marked] == tasks
    with undone(database) as transaction:
        transaction.ledger.mark_queued(tasks, NOW)
    with database.transaction() as transaction:
        # A crash before the commit: the broker notices that it has heard of these.
        assert transaction.ledger.list_unqueued(NOW, 2) == marked
        transaction.ledger.mark_queued(tasks, NOW)
        assert [task for task, _ in transaction.ledger.list_unqueued(NOW, 9)] == [last]
        transaction.ledger.mark_queued([last], NOW)
        assert transaction.ledger.list_unqueued(NOW, 9) == []
        waiting = transaction.ledger.list_waiting()
    assert waiting == [WaitingChunks(MAIL, 2, NOW), WaitingChunks("inbox", 1, NOW)]
    assert lease(database, tasks=[tasks[1]]) is None
    work = lease(database, tasks=[last])
    assert work is not None
    assert work.task == last
    with database.transaction() as transaction:
        # Long ago, and nobody works on it.
        assert transaction.ledger.requeue(SOON, SOON) == 2
        assert transaction.ledger.requeue(SOON, SOON) == 0
        again = transaction.ledger.list_unqueued(NOW, 9)
        assert [task for task, _ in again] == tasks
        assert not {mark for _, mark in again} & {mark for _, mark in marked}
        assert transaction.ledger.postpone(work, SOON, "away", NOW)
        assert last not in dict(transaction.ledger.list_unqueued(NOW, 9))
        assert last in dict(transaction.ledger.list_unqueued(SOON, 9))


@pytest.mark.parametrize("kind", ["delivered", "unknown"])
def test_what_is_over_does_not_wait(database: Database, kind: str) -> None:
    notice = queued(database)
    sequence = 0 if kind == "delivered" else 99
    with database.transaction() as transaction:
        assert not transaction.ledger.is_waiting(ChunkTask(notice.id, sequence, "inbox"))
