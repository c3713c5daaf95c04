"""Notices and the chunks that wait for delivery in PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.fanout import INBOX, ChunkTask
from reunite.alerts.notices import Chunk, Notice, NoticeKind
from reunite.alerts.recipient_index import PART_CHUNKS, iter_buckets
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import ChannelProgress, InboxEntry, NoticeProgress
from reunite.storage.copying import psycopg_connection
from reunite.storage.inboxes import Inboxes
from reunite.storage.tables import (
    chunk_deliveries,
    delivery_failures,
    inbox,
    notice_chunks,
    notices,
)

Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

MOST_COUNTED = np.iinfo(np.uint8).max
_ONE_CHOOSES = text("SELECT pg_advisory_xact_lock(hashtextextended('reunite pushes', 0))")
_WIDE, _NARROW = np.dtype("<i8"), np.dtype("<u4")

_COPY_CHUNKS = """
    COPY notice_chunks (notice_id, sequence, account_ids, recipients, push_bits)
    FROM STDIN (FORMAT BINARY)
"""
_COPY_BUCKETS = """
    COPY notice_recipients (notice_id, bucket, part, entries) FROM STDIN (FORMAT BINARY)
"""

_QUEUE = text("""
    INSERT INTO chunk_deliveries (notice_id, sequence, channel, recipients)
    SELECT notice_id, sequence, :channel, recipients FROM notice_chunks
    WHERE notice_id = :notice_id
    ORDER BY sequence
""")

_NEXT = """
    WITH next AS (
        SELECT notice_id, sequence FROM chunk_deliveries
        WHERE channel = :inbox AND state = 'waiting' {chosen}
        ORDER BY sequence, notice_id
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE chunk_deliveries AS delivery
    SET state = 'done', position = recipients, sent = recipients, finished_at = :now
    FROM next
    WHERE delivery.channel = :inbox
        AND (delivery.notice_id, delivery.sequence) = (next.notice_id, next.sequence)
    RETURNING delivery.notice_id, delivery.sequence
"""
_DELIVER = text(_NEXT.format(chosen=""))
_DELIVER_THESE = text(
    _NEXT.format(
        chosen="""AND (notice_id, sequence) IN (
            SELECT * FROM unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]))
        )"""
    )
)

_THESE_CHUNKS = text("""
    SELECT notice_id, sequence, account_ids, recipients, push_bits FROM notice_chunks
    JOIN unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]))
        AS these (notice_id, sequence) USING (notice_id, sequence)
    ORDER BY sequence, notice_id
""")

_QUEUE_THESE = text("""
    INSERT INTO chunk_deliveries (notice_id, sequence, channel, recipients, sent_bits)
    SELECT notice_id, sequence, channel, recipients,
        decode(repeat('00', (recipients + 7) / 8), 'hex')
    FROM notice_chunks
    JOIN unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]))
        AS these (notice_id, sequence) USING (notice_id, sequence)
    CROSS JOIN unnest(CAST(:channels AS text[])) AS channel
""")


class PostgresNotices(Inboxes):
    """Implements ``NoticeRepository``.

    The ledger of who was told stays: progress counts it, and inboxes are read from it.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def add(self, notice: Notice) -> NoticeId:
        """Sets ``notice.id``."""
        notice.id = NoticeId(
            self._connection.execute(
                insert(notices)
                .values(
                    case_id=notice.case_id,
                    kind=notice.kind.value,
                    created_at=notice.created_at,
                    radius_km=float(notice.radius_km),
                    recipients=int(notice.recipients),
                    stopped_at=notice.stopped_at,
                    stopped_by=notice.stopped_by,
                )
                .returning(notices.c.id)
            ).scalar_one()
        )
        return notice.id

    def get(self, notice_id: NoticeId) -> Notice:
        """Raises NotFoundError."""
        return _notice(self._row(notice_id))

    def add_chunks(self, chunks: Iterable[Chunk]) -> int:
        """Keep chunks; how many recipients they hold."""
        recipients = 0
        with (
            psycopg_connection(self._connection).cursor() as cursor,
            cursor.copy(_COPY_CHUNKS.encode()) as copy,
        ):
            copy.set_types(["int8", "int4", "bytea", "int4", "bytea"])
            for chunk in chunks:
                ids = chunk.account_ids
                recipients += len(ids)
                bits = None if chunk.may_push is None else np.packbits(chunk.may_push).tobytes()
                copy.write_row((chunk.notice_id, chunk.sequence, _packed(ids), len(ids), bits))
        return recipients

    def set_recipients(self, notice_id: NoticeId, recipients: int) -> None:
        """How many there are, once everybody has been listed."""
        self._connection.execute(
            update(notices).where(notices.c.id == notice_id).values(recipients=recipients)
        )

    def get_chunk(self, notice_id: NoticeId, sequence: int) -> Chunk:
        """Raises NotFoundError."""
        chunks = self._chunks([(notice_id, sequence)])
        if not chunks:
            raise NotFoundError
        return chunks[0]

    def open_inboxes(self, notice_id: NoticeId, now: datetime) -> bool:
        """Index the recipients and queue the chunks for delivery into inboxes."""
        # Locked: who stops it meanwhile finds either nothing queued or everything.
        row = self._row(notice_id, lock=True)
        if row["opened_at"] is not None or row["stopped_at"] is not None:
            return False
        last = self._connection.scalar(
            select(func.max(notice_chunks.c.sequence)).where(notice_chunks.c.notice_id == notice_id)
        )
        for part in range(0 if last is None else last // PART_CHUNKS + 1):
            self._index(notice_id, part)
        self._connection.execute(_QUEUE, {"notice_id": notice_id, "channel": INBOX})
        self._connection.execute(
            update(notices).where(notices.c.id == notice_id).values(opened_at=now)
        )
        return True

    def deliver_to_inboxes(
        self,
        now: datetime,
        limit: int,
        channels: Sequence[str] = (),
        tasks: Sequence[ChunkTask] | None = None,
    ) -> list[Chunk]:
        """Put the next chunks into inboxes; they are there on commit."""
        which: dict[str, Any] = {"now": now, "limit": limit, "inbox": INBOX}
        if tasks is not None:
            which["notice_ids"] = [task.notice_id for task in tasks]
            which["sequences"] = [task.sequence for task in tasks]
        delivered = self._connection.execute(
            _DELIVER if tasks is None else _DELIVER_THESE, which
        ).all()
        keys = [(NoticeId(row.notice_id), int(row.sequence)) for row in delivered]
        if keys and channels:
            self._connection.execute(_QUEUE_THESE, {**_arrays(keys), "channels": list(channels)})
        return self._chunks(keys)

    def hold_pushes(self) -> None:
        """One alert is chosen at a time: two of them would spend the same push of somebody."""
        self._connection.execute(_ONE_CHOOSES)

    def count_pushes(self, since: datetime) -> UInt8:
        """Pushes that each account was allowed since then."""
        stored = self._connection.execute(
            select(
                notice_chunks.c.account_ids, notice_chunks.c.recipients, notice_chunks.c.push_bits
            )
            .join(notices, notices.c.id == notice_chunks.c.notice_id)
            .where(notices.c.created_at > since, notice_chunks.c.push_bits.is_not(None))
        ).all()
        pushed = [
            _joined([(row.account_ids, row.recipients)])[_bits(row.push_bits, row.recipients)]
            for row in stored
        ]
        if not pushed:
            return np.zeros(0, np.uint8)
        return np.minimum(np.bincount(np.concatenate(pushed)), MOST_COUNTED).astype(np.uint8)

    def stop(self, notice_ids: Sequence[NoticeId], now: datetime, by: AccountId | None) -> None:
        """Deliver nothing more of these notices, on any channel."""
        self._connection.execute(
            update(notices)
            .where(notices.c.id == func.any(bindparam("ids", list(notice_ids))))
            .where(notices.c.stopped_at.is_(None))
            .values(stopped_at=now, stopped_by=by)
        )
        # Waits for the rows that are being delivered, and then passes them over: they are done.
        self._connection.execute(
            update(chunk_deliveries)
            .where(chunk_deliveries.c.notice_id == func.any(bindparam("ids", list(notice_ids))))
            .where(chunk_deliveries.c.state == "waiting")
            .values(state="stopped", finished_at=now)
        )
        self._connection.execute(
            delete(delivery_failures)
            .where(delivery_failures.c.notice_id == func.any(bindparam("ids", list(notice_ids))))
            .where(delivery_failures.c.due_at.is_not(None))
        )

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        """Everyone who has been or is going to be told about a case, ascending and distinct."""
        told = (
            (chunk_deliveries.c.notice_id == notice_chunks.c.notice_id)
            & (chunk_deliveries.c.sequence == notice_chunks.c.sequence)
            & (chunk_deliveries.c.channel == INBOX)
        )
        stored = self._connection.execute(
            select(notice_chunks.c.account_ids, notice_chunks.c.recipients)
            .join(notices, notices.c.id == notice_chunks.c.notice_id)
            .outerjoin(chunk_deliveries, told)
            .where(notices.c.case_id == case_id)
            .where(notices.c.stopped_at.is_(None) | (chunk_deliveries.c.state == "done"))
        ).all()
        ids: Int64 = np.unique(_joined([(row.account_ids, row.recipients) for row in stored]))
        return ids[np.searchsorted(ids, 1) :]  # without those whose account has gone

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]:
        """The oldest first."""
        rows = self._connection.execute(
            select(notices).where(notices.c.case_id == case_id).order_by(notices.c.id)
        ).mappings()
        return [(_notice(row), self._progress(row)) for row in rows.all()]

    def get_progress(self, notice_id: NoticeId) -> NoticeProgress:
        """Raises NotFoundError."""
        return self._progress(self._row(notice_id))

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        """The newest first."""
        self.look(account_id)
        return self.list_found(account_id, limit)

    def _row(self, notice_id: NoticeId, *, lock: bool = False) -> RowMapping:
        wanted = select(notices).where(notices.c.id == notice_id)
        row = (
            self._connection.execute(wanted.with_for_update() if lock else wanted)
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return row

    def _index(self, notice_id: NoticeId, part: int) -> None:
        rows = self._connection.execute(
            select(notice_chunks.c.account_ids, notice_chunks.c.recipients)
            .where(notice_chunks.c.notice_id == notice_id)
            .where(notice_chunks.c.sequence >= part * PART_CHUNKS)
            .where(notice_chunks.c.sequence < (part + 1) * PART_CHUNKS)
            .order_by(notice_chunks.c.sequence)
        ).all()
        chunks = [_joined([(row.account_ids, row.recipients)]) for row in rows]
        with (
            psycopg_connection(self._connection).cursor() as cursor,
            cursor.copy(_COPY_BUCKETS.encode()) as copy,
        ):
            copy.set_types(["int8", "int8", "int2", "bytea"])
            for bucket in iter_buckets(chunks):
                copy.write_row((notice_id, bucket.number, part, bucket.entries))

    def _chunks(self, keys: Sequence[tuple[NoticeId, int]]) -> list[Chunk]:
        if not keys:
            return []
        rows = self._connection.execute(_THESE_CHUNKS, _arrays(keys)).all()
        return [
            Chunk(
                NoticeId(row.notice_id),
                row.sequence,
                _joined([(row.account_ids, row.recipients)]),
                _bits(row.push_bits, row.recipients),
            )
            for row in rows
        ]

    def _progress(self, row: RowMapping) -> NoticeProgress:
        delivery = chunk_deliveries.c
        waiting = delivery.recipients - delivery.position
        rows = self._connection.execute(
            select(
                delivery.channel,
                func.coalesce(func.sum(waiting).filter(delivery.state == "waiting"), 0).label(
                    "waiting"
                ),
                func.sum(delivery.position).label("handled"),
                func.sum(delivery.sent).label("sent"),
                func.sum(delivery.failed).label("failed"),
            )
            .where(delivery.notice_id == row["id"])
            .group_by(delivery.channel)
            .order_by(delivery.channel)
        ).all()
        read = self._connection.scalar(
            select(func.count())
            .select_from(inbox)
            .where(inbox.c.notice_id == row["id"], inbox.c.read_at.is_not(None))
        )
        channels = [
            ChannelProgress(
                one.channel, int(one.waiting), int(one.handled), int(one.sent), int(one.failed)
            )
            for one in rows
        ]
        delivered = sum(one.sent for one in channels if one.channel == INBOX)
        outside = tuple(one for one in channels if one.channel != INBOX)
        return NoticeProgress(row["recipients"], delivered, read or 0, outside)


def _bits(stored: bytes | None, recipients: int) -> npt.NDArray[np.bool_] | None:
    if stored is None:
        return None
    return np.unpackbits(np.frombuffer(stored, np.uint8), count=recipients).astype(np.bool_)


def _packed(account_ids: Int64) -> bytes:
    """Ids of one chunk; of 4 bytes each where that is enough."""
    narrow = not len(account_ids) or int(account_ids.max()) < 1 << 32
    return np.ascontiguousarray(account_ids, dtype=_NARROW if narrow else _WIDE).tobytes()


def _joined(stored: Sequence[tuple[bytes, int]]) -> Int64:
    """The ids of several chunks, one after the other."""
    out = np.empty(sum(recipients for _, recipients in stored), dtype=np.int64)
    at = 0
    for packed, recipients in stored:
        width = _NARROW if len(packed) == recipients * _NARROW.itemsize else _WIDE
        out[at : at + recipients] = np.frombuffer(packed, dtype=width)
        at += recipients
    return out


def _arrays(keys: Sequence[tuple[NoticeId, int]]) -> dict[str, Any]:
    return {"notice_ids": [key[0] for key in keys], "sequences": [key[1] for key in keys]}


def _notice(row: RowMapping) -> Notice:
    return Notice(
        case_id=CaseId(row["case_id"]),
        kind=NoticeKind(row["kind"]),
        created_at=row["created_at"],
        radius_km=row["radius_km"],
        recipients=row["recipients"],
        stopped_at=row["stopped_at"],
        stopped_by=None if row["stopped_by"] is None else AccountId(row["stopped_by"]),
        id=NoticeId(row["id"]),
    )
