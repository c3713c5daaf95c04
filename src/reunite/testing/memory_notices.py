"""Notices, their chunks, the ledger of their delivery and inboxes in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from reunite.alerts.fanout import INBOX, ChunkTask
from reunite.alerts.notices import Chunk, Notice
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import ChannelProgress, InboxEntry, NoticeProgress
from reunite.testing.memory_tables import MemorySession, Table

Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

# By sequence first: the nearest people of all alerts.
LedgerKey = tuple[int, NoticeId, str]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """How far one chunk has come on one channel."""

    recipients: int
    state: str = "waiting"
    position: int = 0
    sent: int = 0
    failed: int = 0
    sent_bits: bytes = b""
    attempts: int = 0
    due_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    queued_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    version: int = 0  # of what a broker is told


class MemoryNotices:
    """Implements ``NoticeRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._notices: Table[NoticeId, Notice] = session.table("notices")
        self._chunks: Table[tuple[NoticeId, int], Chunk] = session.table("notice_chunks")
        self._opened: Table[NoticeId, _Opened] = session.table("opened_notices")
        self._ledger: Table[LedgerKey, LedgerRow] = session.table("chunk_deliveries")
        self._read: Table[tuple[AccountId, NoticeId], _Opened] = session.table("read_marks")

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

    def add_chunks(self, chunks: Iterable[Chunk]) -> int:
        recipients = 0
        for chunk in chunks:
            self.get(chunk.notice_id)
            if (chunk.notice_id, chunk.sequence) in self._chunks:
                raise ConflictError
            stored = replace(chunk, account_ids=chunk.account_ids.astype(np.int64, copy=True))
            self._chunks.put((chunk.notice_id, chunk.sequence), stored)
            recipients += len(stored.account_ids)
        return recipients

    def set_recipients(self, notice_id: NoticeId, recipients: int) -> None:
        self._notices.put(notice_id, replace(self.get(notice_id), recipients=recipients))

    def hold_pushes(self) -> None:
        self._session.hold("pushes", 0)

    def count_pushes(self, since: datetime) -> UInt8:
        recent = {n.id for n in self._notices.values(lambda n: n.created_at > since)}
        pushed = [
            chunk.account_ids[chunk.may_push]
            for _, chunk in self._chunks_of(recent)
            if chunk.may_push is not None
        ]
        if not pushed:
            return np.zeros(0, np.uint8)
        return np.minimum(np.bincount(np.concatenate(pushed)), 255).astype(np.uint8)

    def get_chunk(self, notice_id: NoticeId, sequence: int) -> Chunk:
        chunk = self._chunks.get((notice_id, sequence))
        if chunk is None:
            raise NotFoundError
        return chunk

    def open_inboxes(self, notice_id: NoticeId, now: datetime) -> bool:
        self._session.hold("notices", notice_id)
        if self.get(notice_id).stopped_at is not None or notice_id in self._opened:
            return False
        self._opened.put(notice_id, _Opened(now))
        for (_, sequence), chunk in self._chunks_of({notice_id}):
            key = (sequence, notice_id, INBOX)
            self._ledger.put(key, LedgerRow(len(chunk.account_ids)))
        return True

    def deliver_to_inboxes(
        self,
        now: datetime,
        limit: int,
        channels: Sequence[str] = (),
        tasks: Sequence[ChunkTask] | None = None,
    ) -> list[Chunk]:
        chosen = None if tasks is None else {(t.sequence, t.notice_id, t.channel) for t in tasks}
        delivered: list[Chunk] = []
        for key, _ in self._ledger.items(lambda row: row.state == "waiting"):
            sequence, notice_id, channel = key
            if len(delivered) == limit or channel != INBOX:
                continue
            if (chosen is not None and key not in chosen) or not self._session.try_hold(
                "chunk_deliveries", key
            ):
                continue
            row = self._ledger.get(key)
            if row is None or row.state != "waiting":
                continue
            n = row.recipients
            self._ledger.put(key, replace(row, state="done", position=n, sent=n, finished_at=now))
            for name in channels:
                bits = bytes((n + 7) // 8)
                self._ledger.put((sequence, notice_id, name), LedgerRow(n, sent_bits=bits))
            delivered.append(self.get_chunk(notice_id, sequence))
        return delivered

    def stop(self, notice_ids: Sequence[NoticeId], now: datetime, by: AccountId | None) -> None:
        for notice_id in notice_ids:
            notice = self.get(notice_id)
            if notice.stopped_at is None:
                self._notices.put(notice_id, replace(notice, stopped_at=now, stopped_by=by))
        for key in list(self._ledger):
            if key[1] in notice_ids:
                self._session.hold("chunk_deliveries", key)
                row = self._ledger.get(key)
                if row is not None and row.state == "waiting":
                    self._ledger.put(key, replace(row, state="stopped", finished_at=now))

        failures = self._session.table("delivery_failures")
        for key, stored in failures.items(lambda one: one.failure.due_at is not None):
            if stored.failure.task.notice_id in notice_ids:
                failures.delete(key)

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        entries = self._entries(account_id)
        entries.sort(key=lambda entry: (entry.delivered_at, entry.notice_id), reverse=True)
        return entries[:limit]

    def count_unread(self, account_id: AccountId) -> int:
        return sum(entry.read_at is None for entry in self._entries(account_id))

    def mark_read(self, account_id: AccountId, now: datetime) -> None:
        for entry in self._entries(account_id):
            if entry.read_at is None:
                self._read.put((account_id, entry.notice_id), _Opened(now))

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        told = {
            number
            for (notice_id, sequence), chunk in self._chunks_of(self._of_case(case_id))
            if self.get(notice_id).stopped_at is None or self._delivered_at(notice_id, sequence)
            for number in chunk.account_ids.tolist()
        }
        return np.array(sorted(told), dtype=np.int64)

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]:
        return [
            (self.get(notice_id), self.get_progress(notice_id))
            for notice_id in sorted(self._of_case(case_id))
        ]

    def get_progress(self, notice_id: NoticeId) -> NoticeProgress:
        notice = self.get(notice_id)
        rows: dict[str, list[LedgerRow]] = {}
        for (_, of_notice, channel), row in self._ledger.items():
            if of_notice == notice_id:
                rows.setdefault(channel, []).append(row)
        read = sum(1 for _, of_notice in self._read if of_notice == notice_id)
        delivered = sum(row.sent for row in rows.pop(INBOX, []))
        channels = tuple(_summed(channel, rows[channel]) for channel in sorted(rows))
        return NoticeProgress(notice.recipients, delivered, read, channels)

    def _of_case(self, case_id: CaseId) -> set[NoticeId]:
        return {notice.id for notice in self._notices.values(lambda n: n.case_id == case_id)}

    def _chunks_of(self, notice_ids: set[NoticeId]) -> list[tuple[tuple[NoticeId, int], Chunk]]:
        return self._chunks.items(lambda chunk: chunk.notice_id in notice_ids)

    def _delivered_at(self, notice_id: NoticeId, sequence: int) -> datetime | None:
        row = self._ledger.get((sequence, notice_id, INBOX))
        return row.finished_at if row is not None and row.state == "done" else None

    def _entries(self, account_id: AccountId) -> list[InboxEntry]:
        entries = []
        for (notice_id, sequence), chunk in self._chunks.items(
            lambda chunk: account_id in chunk.account_ids
        ):
            delivered_at = self._delivered_at(notice_id, sequence)
            if delivered_at is not None:
                notice, read = self.get(chunk.notice_id), self._read.get((account_id, notice_id))
                read_at = None if read is None else read.at
                entries.append(
                    InboxEntry(notice_id, notice.case_id, notice.kind.value, delivered_at, read_at)
                )
        return entries


@dataclass(frozen=True, slots=True)
class _Opened:
    at: datetime


def _summed(channel: str, rows: Sequence[LedgerRow]) -> ChannelProgress:
    waiting = sum(row.recipients - row.position for row in rows if row.state == "waiting")
    return ChannelProgress(
        channel,
        waiting,
        sum(row.position for row in rows),
        sum(row.sent for row in rows),
        sum(row.failed for row in rows),
    )
