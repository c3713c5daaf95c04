"""Notices, the chunks that wait for delivery, and inboxes in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from reunite.alerts.notices import Chunk, Notice, NoticeKind
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import InboxEntry, NoticeProgress
from reunite.storage.copying import psycopg_connection
from reunite.storage.rows import ids_from_bytes, ids_to_bytes
from reunite.storage.tables import inbox, notice_chunks, notices

Int64 = npt.NDArray[np.int64]

# Sorted: two workers that put one notice into the same inboxes must meet them in one order.
# Joined: one account that has gone must not stop the chunk for everybody else.
_DELIVER = text("""
    INSERT INTO inbox (account_id, notice_id, delivered_at)
    SELECT accounts.id, :notice_id, :now
    FROM unnest(CAST(:account_ids AS bigint[])) AS recipient (account_id)
    JOIN accounts ON accounts.id = recipient.account_id
    ORDER BY accounts.id
    ON CONFLICT DO NOTHING
    RETURNING account_id
""")

_COPY_CHUNKS = """
    COPY notice_chunks (notice_id, sequence, account_ids, recipients) FROM STDIN (FORMAT BINARY)
"""


class PostgresNotices:
    """Implements ``NoticeRepository``.

    The finished chunks are the ledger of who was told: they stay, and progress counts them.
    """

    def __init__(self, connection: Connection) -> None:
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
                )
                .returning(notices.c.id)
            ).scalar_one()
        )
        return notice.id

    def get(self, notice_id: NoticeId) -> Notice:
        """Raises NotFoundError."""
        row = (
            self._connection.execute(select(notices).where(notices.c.id == notice_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return _notice(row)

    def add_chunks(self, chunks: Sequence[Chunk]) -> None:
        """Queue chunks for the workers."""
        with (
            psycopg_connection(self._connection).cursor() as cursor,
            cursor.copy(_COPY_CHUNKS.encode()) as copy,
        ):
            copy.set_types(["int8", "int4", "bytea", "int4"])
            for chunk in chunks:
                ids = chunk.account_ids
                copy.write_row((chunk.notice_id, chunk.sequence, ids_to_bytes(ids), len(ids)))

    def claim_chunk(self, now: datetime) -> Chunk | None:  # noqa: ARG002  (no lease to compare)
        """A chunk nobody else works on, held until the transaction ends.

        The row's lock is the lease: PostgreSQL lets go of it when the worker dies.
        """
        row = self._connection.execute(
            select(notice_chunks)
            .where(notice_chunks.c.finished_at.is_(None))
            .order_by(notice_chunks.c.notice_id, notice_chunks.c.sequence)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        return Chunk(NoticeId(row.notice_id), row.sequence, ids_from_bytes(row.account_ids))

    def finish_chunk(self, chunk: Chunk, now: datetime) -> None:
        """Everybody of this chunk has been told."""
        self._connection.execute(
            update(notice_chunks)
            .where(notice_chunks.c.notice_id == chunk.notice_id)
            .where(notice_chunks.c.sequence == chunk.sequence)
            .values(finished_at=now)
        )

    def deliver(self, notice_id: NoticeId, account_ids: Int64, now: datetime) -> Int64:
        """Put a notice into inboxes; the accounts that did not have it yet, in their order."""
        told = self._connection.execute(
            _DELIVER,
            {"notice_id": notice_id, "now": now, "account_ids": account_ids.tolist()},
        ).scalars()
        return account_ids[np.isin(account_ids, np.fromiter(told, dtype=np.int64))]

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        """The newest first."""
        rows = self._connection.execute(
            select(inbox, notices.c.case_id, notices.c.kind)
            .join(notices, notices.c.id == inbox.c.notice_id)
            .where(inbox.c.account_id == account_id)
            .order_by(inbox.c.delivered_at.desc(), inbox.c.notice_id.desc())
            .limit(limit)
        )
        return [
            InboxEntry(
                notice_id=NoticeId(row.notice_id),
                case_id=CaseId(row.case_id),
                kind=row.kind,
                delivered_at=row.delivered_at,
                read_at=row.read_at,
            )
            for row in rows
        ]

    def count_unread(self, account_id: AccountId) -> int:
        counted = (
            select(func.count())
            .select_from(inbox)
            .where(inbox.c.account_id == account_id, inbox.c.read_at.is_(None))
        )
        return int(self._connection.execute(counted).scalar_one())

    def mark_read(self, account_id: AccountId, now: datetime) -> None:
        """Everything in this inbox has been seen."""
        self._connection.execute(
            update(inbox)
            .where(inbox.c.account_id == account_id, inbox.c.read_at.is_(None))
            .values(read_at=now)
        )

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        """Everyone in whose chunk a notice about the case was, ascending and distinct."""
        stored = self._connection.scalars(
            select(notice_chunks.c.account_ids)
            .join(notices, notices.c.id == notice_chunks.c.notice_id)
            .where(notices.c.case_id == case_id)
        ).all()
        return np.unique(ids_from_bytes(b"".join(stored)))

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]:
        """The oldest first.  Delivered are the recipients of finished chunks."""
        delivered = (
            select(func.coalesce(func.sum(notice_chunks.c.recipients), 0))
            .where(notice_chunks.c.notice_id == notices.c.id)
            .where(notice_chunks.c.finished_at.is_not(None))
            .scalar_subquery()
        )
        read = (
            select(func.count())
            .select_from(inbox)
            .where(inbox.c.notice_id == notices.c.id, inbox.c.read_at.is_not(None))
            .scalar_subquery()
        )
        rows = self._connection.execute(
            select(notices, delivered.label("delivered"), read.label("read"))
            .where(notices.c.case_id == case_id)
            .order_by(notices.c.id)
        ).mappings()
        return [
            (_notice(row), NoticeProgress(row["recipients"], int(row["delivered"]), row["read"]))
            for row in rows
        ]


def _notice(row: RowMapping) -> Notice:
    return Notice(
        case_id=CaseId(row["case_id"]),
        kind=NoticeKind(row["kind"]),
        created_at=row["created_at"],
        radius_km=row["radius_km"],
        recipients=row["recipients"],
        id=NoticeId(row["id"]),
    )
