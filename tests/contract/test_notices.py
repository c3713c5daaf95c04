"""NoticeRepository, in memory and on PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from reunite.alerts.fanout import INBOX, ChunkTask
from reunite.alerts.notices import Chunk, Notice, NoticeKind, cut
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import ChannelProgress, Database, NoticeProgress
from reunite.testing.factories import NOW, make_notice, store_account, store_case
from tests.contract.undoing import undone


def store_notice(
    database: Database,
    recipients: Sequence[int],
    chunk: int = 2,
    *,
    case_id: CaseId | None = None,
    opened: bool = True,
    kind: NoticeKind = NoticeKind.PUBLISHED,
) -> Notice:
    if case_id is None:
        case_id = store_case(database)[0].id
    notice = make_notice(case_id, recipients=len(recipients), kind=kind)
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        ids = np.array(recipients, dtype=np.int64)
        kept = transaction.notices.add_chunks(
            [
                Chunk(notice.id, sequence, ids[start : start + chunk])
                for sequence, start in enumerate(range(0, len(ids), chunk))
            ]
        )
        assert kept == len(recipients)
        if opened:
            assert transaction.notices.open_inboxes(notice.id, NOW)
    return notice


def deliver(database: Database, limit: int = 1, channels: Sequence[str] = ()) -> list[list[int]]:
    with database.transaction() as transaction:
        chunks = transaction.notices.deliver_to_inboxes(NOW, limit, channels)
        return [chunk.account_ids.tolist() for chunk in chunks]


def inbox_of(database: Database, account_id: AccountId) -> list[NoticeId]:
    with database.transaction() as transaction:
        return [entry.notice_id for entry in transaction.notices.list_inbox(account_id)]


def test_a_notice_comes_back_as_it_was_written(database: Database) -> None:
    case, _ = store_case(database)
    notice = make_notice(case.id, kind=NoticeKind.CANCELLED)
    notice.stopped_at, notice.stopped_by = NOW, store_account(database).id
    with database.transaction() as transaction:
        assert transaction.notices.add(notice) == notice.id != 0
        assert transaction.notices.get(notice.id) == notice
        transaction.notices.set_recipients(notice.id, 12)
        assert transaction.notices.get(notice.id).recipients == 12
        with pytest.raises(NotFoundError):
            transaction.notices.get(NoticeId(99))
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.notices.add(make_notice(CaseId(99)))


def test_chunks_are_delivered_nearest_first_and_once(database: Database) -> None:
    people = [store_account(database).id for _ in range(5)]
    nearest_first = [people[i] for i in (3, 0, 4, 1, 2)]
    notice = store_notice(database, nearest_first)
    assert deliver(database) == [nearest_first[0:2]]
    assert [inbox_of(database, person) for person in nearest_first] == [[notice.id]] * 2 + [[]] * 3
    assert deliver(database, 5) == [nearest_first[2:4], nearest_first[4:]]
    assert deliver(database, 5) == []
    assert [inbox_of(database, person) for person in people] == [[notice.id]] * 5


def test_the_nearest_people_of_all_alerts_come_first(database: Database) -> None:
    first, second = store_notice(database, [11, 12, 13, 14]), store_notice(database, [21, 22])
    assert deliver(database, 2) == [[11, 12], [21, 22]]
    assert deliver(database, 2) == [[13, 14]]
    assert first.id < second.id


def test_nothing_is_delivered_before_the_inboxes_are_open(database: Database) -> None:
    notice = store_notice(database, [1, 2], opened=False)
    assert deliver(database) == []
    with undone(database) as transaction:
        assert transaction.notices.open_inboxes(notice.id, NOW)
    assert deliver(database) == []
    with database.transaction() as transaction:
        assert transaction.notices.open_inboxes(notice.id, NOW)
        assert not transaction.notices.open_inboxes(notice.id, NOW)
    assert deliver(database, 9) == [[1, 2]]


def test_a_broker_may_choose_the_chunks(database: Database) -> None:
    notice = store_notice(database, [1, 2, 3, 4, 5, 6])
    tasks = [ChunkTask(notice.id, sequence, INBOX) for sequence in (2, 1, 9)]
    with database.transaction() as transaction:
        chosen = transaction.notices.deliver_to_inboxes(NOW, 9, (), tasks)
        assert [chunk.sequence for chunk in chosen] == [1, 2]
        assert transaction.notices.deliver_to_inboxes(NOW, 9, (), tasks) == []
        assert transaction.notices.deliver_to_inboxes(NOW, 9, (), []) == []
    assert deliver(database, 9) == [[1, 2]]


def test_an_audience_of_many_chunks_is_cut_and_read_back(database: Database) -> None:
    case, _ = store_case(database)
    notice = make_notice(case.id, recipients=2500)
    ids = np.arange(5_000_000_000, 5_000_002_500, dtype=np.int64)[::-1]
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        assert transaction.notices.add_chunks(cut(notice.id, ids)) == 2500
        assert transaction.notices.add_chunks([]) == 0
        recipients = transaction.notices.recipients_of_case(case.id)
        last = transaction.notices.get_chunk(notice.id, 2)
        with pytest.raises(NotFoundError):
            transaction.notices.get_chunk(notice.id, 3)
    assert recipients.dtype == last.account_ids.dtype == np.int64
    assert recipients.tolist() == ids[::-1].tolist()
    assert last.account_ids.tolist() == ids[2000:].tolist()


def test_a_chunk_that_was_not_finished_comes_again(database: Database) -> None:
    person = store_account(database)
    notice = store_notice(database, [person.id])
    with undone(database) as transaction:
        assert len(transaction.notices.deliver_to_inboxes(NOW, 1)) == 1
    assert inbox_of(database, person.id) == []
    assert deliver(database) == [[person.id]]
    assert inbox_of(database, person.id) == [notice.id]


def test_an_inbox_shows_the_newest_first_and_what_was_read(database: Database) -> None:
    person, other = store_account(database).id, store_account(database).id
    notices = [store_notice(database, [person, other]) for _ in range(3)]
    for index in range(3):
        with database.transaction() as transaction:
            transaction.notices.deliver_to_inboxes(NOW + timedelta(minutes=index), 1)
    with database.transaction() as transaction:
        inbox = transaction.notices.list_inbox(person)
        assert [entry.notice_id for entry in inbox] == [notice.id for notice in notices[::-1]]
        assert inbox[0].case_id == notices[2].case_id
        assert inbox[0].kind == "published"
        assert (inbox[0].delivered_at, inbox[0].read_at) == (NOW + timedelta(minutes=2), None)
        assert transaction.notices.list_inbox(person, limit=2) == inbox[:2]
        assert transaction.notices.list_inbox(AccountId(99)) == []
        assert transaction.notices.count_unread(person) == 3
        transaction.notices.mark_read(person, NOW)
        assert transaction.notices.count_unread(person) == 0
        assert transaction.notices.count_unread(other) == 3
    with database.transaction() as transaction:
        transaction.notices.mark_read(person, NOW + timedelta(days=1))
        assert {entry.read_at for entry in transaction.notices.list_inbox(person)} == {NOW}


def test_whoever_looks_between_two_chunks_misses_nothing(database: Database) -> None:
    near, far = store_account(database).id, store_account(database).id
    # More notices than a look passes over without remembering where it was.
    notices = [store_notice(database, [near, far], chunk=1) for _ in range(25)]
    last = store_notice(database, [near, far], chunk=1, opened=False)
    for _ in range(26):
        deliver(database)
        inbox_of(database, far)
    assert len(inbox_of(database, near)) == 25
    with database.transaction() as transaction:
        transaction.notices.open_inboxes(last.id, NOW)
    deliver(database, 100)
    for person in (near, far):
        assert set(inbox_of(database, person)) == {notice.id for notice in [*notices, last]}


def test_progress_counts_inboxes_and_readers(database: Database) -> None:
    people = [store_account(database).id for _ in range(3)]
    notice = store_notice(database, list(people))

    def progress() -> NoticeProgress:
        with database.transaction() as transaction:
            ((listed, progress),) = transaction.notices.list_of_case(notice.case_id)
            assert transaction.notices.get_progress(notice.id) == progress
        assert listed == notice
        return progress

    assert progress() == NoticeProgress(recipients=3, delivered=0, read=0)
    deliver(database)
    assert progress() == NoticeProgress(recipients=3, delivered=2, read=0)
    with database.transaction() as transaction:
        transaction.notices.mark_read(people[0], NOW)
    deliver(database, channels=["email", "chat"])
    waiting = [ChannelProgress(name, 1, 0, 0, 0) for name in ("chat", "email")]
    assert progress() == NoticeProgress(3, 3, 1, tuple(waiting))
    with database.transaction() as transaction, pytest.raises(NotFoundError):
        transaction.notices.get_progress(NoticeId(99))


def test_recipients_of_a_case_are_those_of_all_its_notices(database: Database) -> None:
    notice = store_notice(database, [9, 3, 5])
    other = store_notice(database, [77])
    second = store_notice(database, [5, 1], case_id=notice.case_id, kind=NoticeKind.RESOLVED)
    with database.transaction() as transaction:
        recipients = transaction.notices.recipients_of_case(notice.case_id)
        assert recipients.tolist() == [1, 3, 5, 9]
        assert transaction.notices.recipients_of_case(other.case_id).tolist() == [77]
        nobody = transaction.notices.recipients_of_case(CaseId(99))
        assert nobody.shape == (0,)
        assert nobody.dtype == np.int64
        listed = transaction.notices.list_of_case(notice.case_id)
        assert [one.id for one, _ in listed] == [notice.id, second.id]


def test_a_stopped_notice_goes_no_further(database: Database) -> None:
    account = store_account(database)
    notice = store_notice(database, [1, 2, 3, 4, 5])
    unopened = store_notice(database, [6, 7], case_id=notice.case_id, opened=False)
    deliver(database, channels=["email"])
    later = NOW + timedelta(minutes=1)
    with database.transaction() as transaction:
        transaction.notices.stop([notice.id, unopened.id], later, account.id)
        transaction.notices.stop([notice.id], later + timedelta(hours=1), None)
        stopped = transaction.notices.get(notice.id)
        assert (stopped.stopped_at, stopped.stopped_by) == (later, account.id)
        assert not transaction.notices.open_inboxes(unopened.id, NOW)
    assert deliver(database, 9) == []
    with database.transaction() as transaction:
        # Whoever was not told need not be told that it is over.
        assert transaction.notices.recipients_of_case(notice.case_id).tolist() == [1, 2]
        progress = transaction.notices.get_progress(notice.id)
    assert progress == NoticeProgress(5, 2, 0, (ChannelProgress("email", 0, 0, 0, 0),))
