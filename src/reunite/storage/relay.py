"""What a broker is told of the ledger, and what is seen of it from outside, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from reunite.alerts.fanout import LEASE, LONGEST_WAIT, ChunkTask
from reunite.kernel.ids import NoticeId
from reunite.ports import WaitingChunks

# A lease or a wait that ends later than any can was written by a clock that has jumped.
_JUMPED_LEASE = 2 * LEASE
_JUMPED_WAIT = 2 * LONGEST_WAIT

DUE = """
    state = 'waiting'
    AND (due_at IS NULL OR due_at <= :now OR due_at > :jumped_wait)
    AND (lease_until IS NULL OR lease_until <= :now OR lease_until > :jumped_lease)
"""
_UNQUEUED = text(f"""
    SELECT notice_id, sequence, channel, xmin::text AS version FROM chunk_deliveries
    WHERE {DUE} AND queued_at IS NULL
    ORDER BY sequence, notice_id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")  # noqa: S608
_QUEUED = text("""
    UPDATE chunk_deliveries AS delivery SET queued_at = :now
    FROM unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]),
        CAST(:channels AS text[])) AS these (notice_id, sequence, channel)
    WHERE (delivery.notice_id, delivery.sequence, delivery.channel)
        = (these.notice_id, these.sequence, these.channel)
""")
_REQUEUE = text(f"""
    UPDATE chunk_deliveries SET queued_at = NULL
    WHERE {DUE} AND (queued_at < :before OR queued_at > :now)
""")  # noqa: S608
_WAITING = text("""
    SELECT channel, count(*) AS chunks, min(created_at) AS oldest_at
    FROM chunk_deliveries JOIN notices ON notices.id = notice_id
    WHERE state = 'waiting' GROUP BY channel ORDER BY channel
""")


class Relay:
    """The broker's share of ``ChunkLedger``."""

    def __init__(self, connection: Connection) -> None:
        self.__connection = connection

    def list_unqueued(self, now: datetime, limit: int) -> list[tuple[ChunkTask, str]]:
        """Due chunks that no broker has been told of; held until the transaction ends.

        The mark is the version of the row: the same until something has happened to it.
        """
        rows = self.__connection.execute(_UNQUEUED, {"limit": limit, **times(now)})
        return [(task_of(row), _mark(row)) for row in rows]

    def mark_queued(self, tasks: Sequence[ChunkTask], now: datetime) -> None:
        """A broker has them."""
        self.__connection.execute(
            _QUEUED,
            {
                "now": now,
                "notice_ids": [task.notice_id for task in tasks],
                "sequences": [task.sequence for task in tasks],
                "channels": [task.channel for task in tasks],
            },
        )

    def requeue(self, queued_before: datetime, now: datetime) -> int:
        """Have a broker told again of what it was told long ago and nobody works on."""
        return self.__connection.execute(_REQUEUE, {"before": queued_before, **times(now)}).rowcount

    def list_waiting(self) -> list[WaitingChunks]:
        """What waits, by channel."""
        rows = self.__connection.execute(_WAITING)
        return [WaitingChunks(row.channel, row.chunks, row.oldest_at) for row in rows]


def times(now: datetime) -> dict[str, datetime]:
    """Now, and what only a clock that has jumped can have written."""
    return {"now": now, "jumped_lease": now + _JUMPED_LEASE, "jumped_wait": now + _JUMPED_WAIT}


def task_of(row: Row[Any]) -> ChunkTask:
    """Which chunk on which channel."""
    return ChunkTask(NoticeId(row.notice_id), row.sequence, row.channel)


def _mark(row: Row[Any]) -> str:
    return f"{row.notice_id}-{row.sequence}-{row.channel}-{row.version}"
