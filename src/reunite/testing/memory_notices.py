"""Notices, their chunks and inboxes in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from reunite.alerts.notices import Chunk, Notice
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import InboxEntry, NoticeProgress
from reunite.testing.memory_tables import MemorySession, Table

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk and when it was finished."""

    chunk: Chunk
    finished_at: datetime | None = None


class MemoryNotices:
    """Implements ``NoticeRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._notices: Table[NoticeId, Notice] = session.table("notices")
        self._chunks: Table[tuple[NoticeId, int], StoredChunk] = session.table("notice_chunks")
        self._inbox: Table[tuple[AccountId, NoticeId], InboxEntry] = session.table("inbox")

    def add(self, notice: Notice) -> NoticeId:
        if notice.case_id not in self._session.table("cases"):
            raise NotFoundError
        notice.id = NoticeId(self._session.store.next_id("notices"))
        self._notices.put(notice.id, notice)
        return notice.id

    def get(self, notice_id: NoticeId) -> Notice:
        notice = self._notices.get(notice_id)
        if notice is None:
            raise NotFoundError
        return notice

    def add_chunks(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self.get(chunk.notice_id)
            if (chunk.notice_id, chunk.sequence) in self._chunks:
                raise ConflictError
            stored = replace(chunk, account_ids=chunk.account_ids.astype(np.int64, copy=True))
            self._chunks.put((chunk.notice_id, chunk.sequence), StoredChunk(stored))

    def claim_chunk(self, now: datetime) -> Chunk | None:  # noqa: ARG002  (no lease to compare)
        for key, _ in self._chunks.items(lambda stored: stored.finished_at is None):
            if self._session.try_hold("notice_chunks", key):
                stored = self._chunks.get(key)
                if stored is not None and stored.finished_at is None:
                    return stored.chunk
        return None

    def finish_chunk(self, chunk: Chunk, now: datetime) -> None:
        key = (chunk.notice_id, chunk.sequence)
        stored = self._chunks.get(key)
        if stored is not None:
            self._chunks.put(key, replace(stored, finished_at=now))

    def deliver(self, notice_id: NoticeId, account_ids: Int64, now: datetime) -> Int64:
        notice = self.get(notice_id)
        accounts = self._session.table("accounts")
        told = set()
        for account_id in sorted({AccountId(number) for number in account_ids.tolist()}):
            if account_id not in accounts:
                continue
            key = (account_id, notice_id)
            self._session.hold("inbox", key)
            if key not in self._inbox:
                entry = InboxEntry(notice_id, notice.case_id, notice.kind.value, now, None)
                self._inbox.put(key, entry)
                told.add(account_id)
        return account_ids[np.isin(account_ids, np.array(sorted(told), dtype=np.int64))]

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        entries = [entry for key, entry in self._inbox.items() if key[0] == account_id]
        entries.sort(key=lambda entry: (entry.delivered_at, entry.notice_id), reverse=True)
        return entries[:limit]

    def count_unread(self, account_id: AccountId) -> int:
        unread = self._inbox.items(lambda entry: entry.read_at is None)
        return sum(key[0] == account_id for key, _ in unread)

    def mark_read(self, account_id: AccountId, now: datetime) -> None:
        for key, entry in self._inbox.items(lambda entry: entry.read_at is None):
            if key[0] == account_id:
                self._inbox.put(key, replace(entry, read_at=now))

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        of_case = {notice.id for notice in self._notices.values(lambda n: n.case_id == case_id)}
        chunks = self._chunks.values(lambda stored: stored.chunk.notice_id in of_case)
        told = {number for stored in chunks for number in stored.chunk.account_ids.tolist()}
        return np.array(sorted(told), dtype=np.int64)

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]:
        return [
            (notice, self._progress(notice))
            for notice in self._notices.values(lambda n: n.case_id == case_id)
        ]

    def _progress(self, notice: Notice) -> NoticeProgress:
        finished = self._chunks.values(
            lambda s: s.chunk.notice_id == notice.id and s.finished_at is not None
        )
        read = self._inbox.values(
            lambda entry: entry.notice_id == notice.id and entry.read_at is not None
        )
        delivered = sum(len(stored.chunk.account_ids) for stored in finished)
        return NoticeProgress(notice.recipients, delivered, len(read))
