"""NoticeRepository, in memory and on PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from reunite.alerts.notices import Chunk, Notice, NoticeKind, cut
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import Database, NoticeProgress
from reunite.testing.factories import NOW, make_notice, store_account, store_case
from tests.contract.undoing import undone


def store_notice(database: Database, recipients: Sequence[int], chunk: int = 2) -> Notice:
    case, _ = store_case(database)
    notice = make_notice(case.id, recipients=len(recipients))
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        ids = np.array(recipients, dtype=np.int64)
        transaction.notices.add_chunks(
            [
                Chunk(notice.id, sequence, ids[start : start + chunk])
                for sequence, start in enumerate(range(0, len(ids), chunk))
            ]
        )
    return notice


def deliver_next(database: Database) -> list[int] | None:
    with database.transaction() as transaction:
        chunk = transaction.notices.claim_chunk(NOW)
        if chunk is None:
            return None
        reached = transaction.notices.deliver(chunk.notice_id, chunk.account_ids, NOW)
        transaction.notices.finish_chunk(chunk, NOW)
        return [int(number) for number in reached]


def test_a_notice_comes_back_as_it_was_written(database: Database) -> None:
    case, _ = store_case(database)
    notice = make_notice(case.id, kind=NoticeKind.CANCELLED)
    with database.transaction() as transaction:
        assert transaction.notices.add(notice) == notice.id != 0
        assert transaction.notices.get(notice.id) == notice
        with pytest.raises(NotFoundError):
            transaction.notices.get(NoticeId(99))
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.notices.add(make_notice(CaseId(99)))


def test_chunks_are_delivered_nearest_first_and_once(database: Database) -> None:
    people = [store_account(database).id for _ in range(5)]
    nearest_first = [people[i] for i in (3, 0, 4, 1, 2)]
    store_notice(database, nearest_first)
    delivered = [deliver_next(database) for _ in range(3)]
    assert delivered == [nearest_first[0:2], nearest_first[2:4], nearest_first[4:]]
    assert deliver_next(database) is None


def test_an_audience_of_many_chunks_is_cut_and_read_back(database: Database) -> None:
    case, _ = store_case(database)
    notice = make_notice(case.id, recipients=2500)
    ids = np.arange(5_000_000_000, 5_000_002_500, dtype=np.int64)[::-1]
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        transaction.notices.add_chunks(cut(notice.id, ids))
        transaction.notices.add_chunks([])
        recipients = transaction.notices.recipients_of_case(case.id)
    assert recipients.dtype == np.int64
    assert recipients.tolist() == ids[::-1].tolist()


def test_a_chunk_that_was_not_finished_comes_again(database: Database) -> None:
    person = store_account(database)
    notice = store_notice(database, [person.id])
    with undone(database) as transaction:
        chunk = transaction.notices.claim_chunk(NOW)
        assert chunk is not None
        transaction.notices.deliver(notice.id, chunk.account_ids, NOW)
    assert deliver_next(database) == [person.id]


def test_delivering_twice_puts_one_entry_into_an_inbox(database: Database) -> None:
    people = [store_account(database).id for _ in range(3)]
    notice = store_notice(database, [])
    with database.transaction() as transaction:
        first = np.array([people[2], people[0]], dtype=np.int64)
        assert transaction.notices.deliver(notice.id, first, NOW).tolist() == first.tolist()
        everybody = np.array(people, dtype=np.int64)
        later = NOW + timedelta(hours=1)
        reached = transaction.notices.deliver(notice.id, everybody, later)
        assert reached.tolist() == [people[1]]
        assert reached.dtype == np.int64
        assert transaction.notices.deliver(notice.id, everybody, later).tolist() == []
        assert len(transaction.notices.list_inbox(people[0])) == 1


def test_an_account_that_has_gone_does_not_stop_the_others(database: Database) -> None:
    person = store_account(database)
    store_notice(database, [404, person.id])
    assert deliver_next(database) == [person.id]


def test_an_inbox_shows_the_newest_first_and_what_was_read(database: Database) -> None:
    person, other = store_account(database).id, store_account(database).id
    notices = [store_notice(database, []) for _ in range(3)]
    with database.transaction() as transaction:
        for index, notice in enumerate(notices):
            at = NOW + timedelta(minutes=index)
            transaction.notices.deliver(notice.id, np.array([person, other]), at)
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


def test_progress_counts_finished_chunks_and_readers(database: Database) -> None:
    people = [store_account(database).id for _ in range(3)]
    notice = store_notice(database, list(people))

    def progress() -> NoticeProgress:
        with database.transaction() as transaction:
            ((listed, progress),) = transaction.notices.list_of_case(notice.case_id)
        assert listed == notice
        return progress

    assert progress() == NoticeProgress(recipients=3, delivered=0, read=0)
    deliver_next(database)
    assert progress() == NoticeProgress(recipients=3, delivered=2, read=0)
    with database.transaction() as transaction:
        transaction.notices.mark_read(people[0], NOW)
    deliver_next(database)
    assert progress() == NoticeProgress(recipients=3, delivered=3, read=1)


def test_recipients_of_a_case_are_those_of_all_its_notices(database: Database) -> None:
    notice = store_notice(database, [9, 3, 5])
    second = make_notice(notice.case_id, kind=NoticeKind.RESOLVED)
    other = store_notice(database, [77])
    with database.transaction() as transaction:
        transaction.notices.add(second)
        chunk = Chunk(second.id, 0, np.array([5, 1], dtype=np.int64))
        transaction.notices.add_chunks([chunk])
        recipients = transaction.notices.recipients_of_case(notice.case_id)
        assert recipients.tolist() == [1, 3, 5, 9]
        assert transaction.notices.recipients_of_case(other.case_id).tolist() == [77]
        nobody = transaction.notices.recipients_of_case(CaseId(99))
        assert nobody.shape == (0,)
        assert nobody.dtype == np.int64
        listed = transaction.notices.list_of_case(notice.case_id)
        assert [one.id for one, _ in listed] == [notice.id, second.id]
