"""Inboxes in PostgreSQL: found when they are read, not written when people are told."""

from datetime import datetime

from sqlalchemy import Connection, func, select, text, update

from reunite.alerts.fanout import INBOX
from reunite.alerts.recipient_index import PART_CHUNKS, bucket_of, find_place
from reunite.kernel.ids import AccountId, CaseId, NoticeId
from reunite.ports import InboxEntry
from reunite.storage.tables import inbox, notices

# A look that has passed over so many notices is worth remembering.
_MANY_NOTICES = 20

# One statement, hence one snapshot: the oldest transaction that was open when it began is the
# position from which the next look goes on, so what commits late is looked at again.
_SINCE_LAST_LOOK = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position,
           notices.id, notices.xact, part, entries,
           opened_at IS NULL AND stopped_at IS NULL AS is_pending
    FROM (
        SELECT coalesce((SELECT xact FROM inbox_looks WHERE account_id = :account_id), 0) AS xact
    ) AS last_look
    LEFT JOIN notices ON notices.xact >= last_look.xact
    -- OFFSET 0: one look at the index a notice, whatever the planner thinks of the table.
    LEFT JOIN LATERAL (
        SELECT part, entries FROM notice_recipients
        WHERE notice_id = notices.id AND bucket = :bucket OFFSET 0
    ) AS mine ON true
""")

_FOUND = text("""
    WITH mine AS (
        SELECT * FROM unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]))
            AS mine (notice_id, sequence)
    ), found AS (
        INSERT INTO inbox (account_id, notice_id, delivered_at)
        SELECT :account_id, notice_id, finished_at
        FROM mine JOIN chunk_deliveries USING (notice_id, sequence)
        WHERE channel = :inbox AND state = 'done'
        ON CONFLICT DO NOTHING
    )
    SELECT notice_id FROM mine JOIN chunk_deliveries USING (notice_id, sequence)
    WHERE channel = :inbox AND state = 'waiting'
""")

_REMEMBER = text("""
    INSERT INTO inbox_looks (account_id, xact)
    SELECT id, :xact FROM accounts WHERE id = :account_id
    ON CONFLICT (account_id) DO UPDATE SET xact = greatest(inbox_looks.xact, excluded.xact)
""")


class Inboxes:
    """The inboxes' share of ``NoticeRepository``."""

    def __init__(self, connection: Connection) -> None:
        self.__connection = connection

    def look(self, account_id: AccountId) -> None:
        """Find what has been delivered to somebody since their last look.

        Reads one bucket of the index for each notice since then, whoever it went to.
        """
        rows = self.__connection.execute(
            _SINCE_LAST_LOOK, {"account_id": account_id, "bucket": bucket_of(account_id)}
        ).all()
        position = int(rows[0].position)
        xact_of: dict[int, int] = {}
        mine: dict[int, int] = {}
        for row in rows:
            if row.id is None:
                continue
            place = None if row.entries is None else find_place(row.entries, account_id)
            if place is not None:
                mine[row.id] = row.part * PART_CHUNKS + place[0]
                xact_of[row.id] = row.xact
            elif row.is_pending:
                position = min(position, row.xact)
        if mine:
            waiting = self.__connection.scalars(
                _FOUND,
                {
                    "account_id": account_id,
                    "notice_ids": list(mine),
                    "sequences": list(mine.values()),
                    "inbox": INBOX,
                },
            )
            position = min([position, *(xact_of[notice_id] for notice_id in waiting)])
        if mine or len(rows) > _MANY_NOTICES:
            self.__connection.execute(_REMEMBER, {"account_id": account_id, "xact": position})

    def list_found(self, account_id: AccountId, limit: int) -> list[InboxEntry]:
        """What looks have found, the newest first."""
        rows = self.__connection.execute(
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
        """How many notices of an inbox have not been read."""
        self.look(account_id)
        counted = (
            select(func.count())
            .select_from(inbox)
            .where(inbox.c.account_id == account_id, inbox.c.read_at.is_(None))
        )
        return int(self.__connection.execute(counted).scalar_one())

    def mark_read(self, account_id: AccountId, now: datetime) -> None:
        """Everything in this inbox has been seen."""
        self.look(account_id)
        self.__connection.execute(
            update(inbox)
            .where(inbox.c.account_id == account_id, inbox.c.read_at.is_(None))
            .values(read_at=now)
        )
