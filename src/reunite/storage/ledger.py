"""The ledger of chunks on channels that lead out of Reunite, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from reunite.alerts.fanout import BURST, ChunkTask, DeadLetter, FailedDelivery, Lease
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.storage.relay import DUE, Relay, task_of, times

Int64 = npt.NDArray[np.int64]

_LEASE = f"""
    WITH next AS (
        SELECT notice_id, sequence, channel FROM chunk_deliveries
        WHERE channel = :channel AND {DUE} {{chosen}}
            AND NOT EXISTS (
                SELECT FROM channel_gates WHERE channel_gates.channel = :channel
                AND (
                    free_at > :burst AND free_at <= :jumped_wait
                    OR shut_until > :now AND shut_until <= :jumped_wait
                )
            )
        ORDER BY sequence, notice_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE chunk_deliveries AS delivery SET lease_owner = :owner, lease_until = :until
    FROM next
    WHERE (delivery.notice_id, delivery.sequence, delivery.channel)
        = (next.notice_id, next.sequence, next.channel)
    RETURNING delivery.*
"""  # noqa: S608  (no value is in it)
_LEASE_ANY = text(_LEASE.format(chosen=""))
_LEASE_THESE = text(
    _LEASE.format(
        chosen="""AND (notice_id, sequence) IN (
            SELECT * FROM unnest(CAST(:notice_ids AS bigint[]), CAST(:sequences AS int[]))
        )"""
    )
)

_OURS = """
    (notice_id, sequence, channel) = (:notice_id, :sequence, :channel)
    AND state = 'waiting' AND lease_owner = :owner
"""
_HOLDS = text(f"SELECT 1 FROM chunk_deliveries WHERE {_OURS}")  # noqa: S608
_IS_WAITING = text("""
    SELECT 1 FROM chunk_deliveries
    WHERE (notice_id, sequence, channel) = (:notice_id, :sequence, :channel) AND state = 'waiting'
""")
_CHECKPOINT = text(f"""
    UPDATE chunk_deliveries SET
        position = :position, sent = :sent, failed = :failed, sent_bits = :sent_bits,
        lease_until = :until, attempts = 0,
        state = CASE WHEN :position = recipients THEN 'done' ELSE state END,
        finished_at = CASE WHEN :position = recipients THEN CAST(:now AS timestamptz) END
    WHERE {_OURS}
""")  # noqa: S608
_POSTPONE = text(f"""
    UPDATE chunk_deliveries SET
        state = CASE WHEN CAST(:due_at AS timestamptz) IS NULL THEN 'dead' ELSE state END,
        finished_at = CASE WHEN CAST(:due_at AS timestamptz) IS NULL
            THEN CAST(:now AS timestamptz) END,
        due_at = :due_at, attempts = attempts + :counts, reason = :reason,
        lease_owner = NULL, lease_until = NULL, queued_at = NULL
    WHERE {_OURS}
""")  # noqa: S608
_RENEW = text("""
    UPDATE chunk_deliveries SET lease_until = :until
    WHERE state = 'waiting' AND lease_owner = :owner
""")

# Everybody's sends queue up behind one another: the gate opens when all reserved has gone.
_RESERVE = text("""
    INSERT INTO channel_gates (channel, free_at) VALUES (:channel, :now + :takes)
    ON CONFLICT (channel) DO UPDATE SET free_at =
        CASE WHEN channel_gates.free_at > :now AND channel_gates.free_at <= :jumped_wait
            THEN channel_gates.free_at ELSE :now END + :takes
""")
_OPENING = text("""
    SELECT greatest(
        CASE WHEN free_at > :burst AND free_at <= :jumped_wait THEN free_at - :ahead END,
        CASE WHEN shut_until > :now AND shut_until <= :jumped_wait THEN shut_until END
    ) FROM channel_gates WHERE channel = :channel
""")
_SHUT = text("""
    INSERT INTO channel_gates (channel, shut_until) VALUES (:channel, :until)
    ON CONFLICT (channel) DO UPDATE SET shut_until = excluded.shut_until
""")

_LANGUAGES = text("""
    SELECT id, coalesce(volunteers.language, accounts.language) AS language
    FROM accounts LEFT JOIN volunteers ON account_id = id
    WHERE id = ANY(CAST(:account_ids AS bigint[])) AND NOT disabled
""")

_ADD_FAILURE = text("""
    INSERT INTO delivery_failures (notice_id, sequence, channel, recipient, account_id,
        address_id, attempts, due_at, reason, failed_at)
    SELECT :notice_id, :sequence, :channel, :recipient, id, :address_id, :attempts, :due_at,
        :reason, :failed_at
    FROM accounts WHERE id = :account_id
    ON CONFLICT DO NOTHING
""")
# Not while its chunk is worked on: the worker would write over the bit that is set then.
_CLAIM_FAILURES = text("""
    WITH next AS (
        SELECT failure.id FROM delivery_failures AS failure
        JOIN chunk_deliveries AS chunk USING (notice_id, sequence, channel)
        WHERE channel = :channel AND failure.due_at IS NOT NULL
            AND (failure.due_at <= :now OR failure.due_at > :jumped_wait)
            AND (failure.lease_until IS NULL OR failure.lease_until <= :now
                OR failure.lease_until > :jumped_wait)
            AND chunk.state IN ('done', 'dead', 'dropped')
        ORDER BY failure.due_at, failure.id
        LIMIT :limit
        FOR UPDATE OF failure SKIP LOCKED
    )
    UPDATE delivery_failures AS failure SET lease_until = :until FROM next
    WHERE failure.id = next.id
    RETURNING failure.*
""")
_FORGET = text("DELETE FROM delivery_failures WHERE id = :id")
_SAVE_FAILURE = text("""
    UPDATE delivery_failures SET attempts = :attempts, due_at = :due_at, reason = :reason,
        failed_at = :failed_at, lease_until = NULL
    WHERE id = :id
""")
_COUNT_SENT = text("""
    UPDATE chunk_deliveries SET
        sent = sent + 1 - get_bit(sent_bits, :recipient),
        sent_bits = set_bit(sent_bits, :recipient, 1)
    WHERE (notice_id, sequence, channel) = (:notice_id, :sequence, :channel)
""")
_COUNT_FAILED = text("""
    UPDATE chunk_deliveries SET failed = greatest(0, failed + :more)
    WHERE (notice_id, sequence, channel) = (:notice_id, :sequence, :channel)
        AND get_bit(sent_bits, :recipient) = 0
""")

_DEAD = """
    SELECT notice_id, sequence, channel, NULL AS failure_id, recipients - position AS recipients,
        attempts, reason, finished_at AS failed_at
    FROM chunk_deliveries WHERE state = 'dead'
    UNION ALL
    SELECT notice_id, sequence, channel, id, 1, attempts, reason, failed_at
    FROM delivery_failures WHERE due_at IS NULL
"""
_LIST_DEAD = text(f"{_DEAD} ORDER BY failed_at DESC LIMIT :limit")
_COUNT_DEAD = text(f"SELECT count(*) FROM ({_DEAD}) AS dead")  # noqa: S608
_REVIVE_CHUNK = text("""
    UPDATE chunk_deliveries SET state = 'waiting', attempts = 0, due_at = NULL,
        finished_at = NULL, queued_at = NULL
    WHERE (notice_id, sequence, channel) = (:notice_id, :sequence, :channel) AND state = 'dead'
        AND EXISTS (SELECT FROM notices WHERE id = notice_id AND stopped_at IS NULL)
""")
_DROP_CHUNK = text("""
    UPDATE chunk_deliveries SET state = 'dropped', failed = failed + recipients - position
    WHERE (notice_id, sequence, channel) = (:notice_id, :sequence, :channel) AND state = 'dead'
""")
_REVIVE_FAILURE = text("""
    UPDATE delivery_failures SET attempts = 0, due_at = failed_at WHERE id = :id AND due_at IS NULL
    RETURNING notice_id, sequence, channel, recipient
""")
_DROP_FAILURE = text("DELETE FROM delivery_failures WHERE id = :id AND due_at IS NULL")


class PostgresLedger(Relay):
    """Implements ``ChunkLedger``."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def lease(
        self,
        channel: str,
        owner: str,
        now: datetime,
        until: datetime,
        tasks: Sequence[ChunkTask] | None = None,
    ) -> Lease | None:
        """The next due chunk that nobody works on."""
        which: dict[str, Any] = {"channel": channel, "owner": owner, "until": until, **times(now)}
        which["burst"] = now + BURST
        if tasks is not None:
            which["notice_ids"] = [task.notice_id for task in tasks if task.channel == channel]
            which["sequences"] = [task.sequence for task in tasks if task.channel == channel]
        row = self._connection.execute(
            _LEASE_ANY if tasks is None else _LEASE_THESE, which
        ).one_or_none()
        if row is None:
            return None
        return Lease(
            task=task_of(row),
            owner=owner,
            until=until,
            recipients=row.recipients,
            position=row.position,
            attempts=row.attempts,
            sent_bits=bytearray(row.sent_bits),
            sent=row.sent,
            failed=row.failed,
        )

    def is_waiting(self, task: ChunkTask) -> bool:
        """Whether something is left to do about a chunk."""
        return self._connection.execute(_IS_WAITING, _key(task)).first() is not None

    def holds(self, lease: Lease) -> bool:
        """Whether the chunk is still this owner's."""
        return self._connection.execute(_HOLDS, _ours(lease)).first() is not None

    def checkpoint(self, lease: Lease, now: datetime) -> bool:
        """Save how far a chunk has come; at its end it is done."""
        saved = {
            "position": lease.position,
            "sent": lease.sent,
            "failed": lease.failed,
            "sent_bits": bytes(lease.sent_bits),
            "until": lease.until,
            "now": now,
        }
        return bool(self._connection.execute(_CHECKPOINT, {**_ours(lease), **saved}).rowcount)

    def postpone(self, lease: Lease, until: datetime | None, reason: str, now: datetime) -> bool:
        """Give a chunk back until a time; None gives it up."""
        said = {"due_at": until, "counts": int(bool(reason)), "reason": reason, "now": now}
        return bool(self._connection.execute(_POSTPONE, {**_ours(lease), **said}).rowcount)

    def renew(self, owner: str, until: datetime) -> int:
        """Prolong what this owner works on."""
        return self._connection.execute(_RENEW, {"owner": owner, "until": until}).rowcount

    def reserve(self, channel: str, deliveries: int, per_second: float, now: datetime) -> None:
        """Use up so much of a channel's rate."""
        takes = timedelta(seconds=deliveries / per_second)
        self._connection.execute(_RESERVE, {"channel": channel, "takes": takes, **times(now)})

    def find_opening(self, channel: str, now: datetime) -> datetime | None:
        """When the channel's gate opens; None where it is open."""
        at = {**times(now), "burst": now + BURST, "ahead": BURST, "channel": channel}
        opening: datetime | None = self._connection.scalar(_OPENING, at)
        return opening

    def shut(self, channel: str, until: datetime) -> None:
        """Send nothing on a channel before a time."""
        self._connection.execute(_SHUT, {"channel": channel, "until": until})

    def languages_of(self, account_ids: Int64) -> Mapping[AccountId, Language]:
        """In which language to speak to whom; without those who have gone."""
        rows = self._connection.execute(_LANGUAGES, {"account_ids": account_ids.tolist()})
        return {AccountId(row.id): Language(row.language) for row in rows}

    def add_failures(self, failures: Sequence[FailedDelivery]) -> None:
        """Keep deliveries to be tried again, or dead ones."""
        if failures:
            self._connection.execute(_ADD_FAILURE, [_columns(one) for one in failures])

    def claim_failures(
        self, channel: str, now: datetime, until: datetime, limit: int
    ) -> list[FailedDelivery]:
        """Due deliveries, which nobody else takes before ``until``."""
        rows = self._connection.execute(
            _CLAIM_FAILURES, {"channel": channel, "until": until, "limit": limit, **times(now)}
        ).all()
        failures = [
            FailedDelivery(
                task=task_of(row),
                recipient=row.recipient,
                account_id=AccountId(row.account_id),
                address_id=row.address_id,
                attempts=row.attempts,
                due_at=row.due_at,
                reason=row.reason,
                failed_at=row.failed_at,
                id=row.id,
            )
            for row in rows
        ]
        return sorted(failures, key=lambda one: (one.due_at, one.id))

    def settle_failure(self, failure: FailedDelivery, *, sent: bool) -> None:
        """It has arrived, or there is nobody left to tell: forget it."""
        self._connection.execute(_FORGET, {"id": failure.id})
        where = {**_key(failure.task), "recipient": failure.recipient}
        if sent:
            self._connection.execute(_COUNT_SENT, where)
        else:
            self._connection.execute(_COUNT_FAILED, {**where, "more": 1})

    def save_failure(self, failure: FailedDelivery) -> None:
        """It has failed again: with a time to try again, or dead."""
        self._connection.execute(_SAVE_FAILURE, {**_columns(failure), "id": failure.id})
        if failure.due_at is None:
            where = {**_key(failure.task), "recipient": failure.recipient, "more": 1}
            self._connection.execute(_COUNT_FAILED, where)

    def list_dead(self, *, limit: int = 50) -> list[DeadLetter]:
        """What was given up, the newest first."""
        rows = self._connection.execute(_LIST_DEAD, {"limit": limit})
        return [
            DeadLetter(
                task_of(row),
                row.failure_id,
                row.recipients,
                row.attempts,
                row.reason,
                row.failed_at,
            )
            for row in rows
        ]

    def count_dead(self) -> int:
        """How many were given up."""
        return int(self._connection.execute(_COUNT_DEAD).scalar_one())

    def revive(self, task: ChunkTask, failure_id: int | None) -> bool:
        """Try it again, as if for the first time."""
        if failure_id is None:
            return bool(self._connection.execute(_REVIVE_CHUNK, _key(task)).rowcount)
        row = self._connection.execute(_REVIVE_FAILURE, {"id": failure_id}).one_or_none()
        if row is not None:
            where = {**_key(task_of(row)), "recipient": row.recipient, "more": -1}
            self._connection.execute(_COUNT_FAILED, where)
        return row is not None

    def drop(self, task: ChunkTask, failure_id: int | None) -> bool:
        """Forget it."""
        if failure_id is None:
            return bool(self._connection.execute(_DROP_CHUNK, _key(task)).rowcount)
        return bool(self._connection.execute(_DROP_FAILURE, {"id": failure_id}).rowcount)


def _key(task: ChunkTask) -> dict[str, Any]:
    return {"notice_id": task.notice_id, "sequence": task.sequence, "channel": task.channel}


def _ours(lease: Lease) -> dict[str, Any]:
    return {**_key(lease.task), "owner": lease.owner}


def _columns(failure: FailedDelivery) -> dict[str, Any]:
    return {
        **_key(failure.task),
        "recipient": failure.recipient,
        "account_id": failure.account_id,
        "address_id": failure.address_id,
        "attempts": failure.attempts,
        "due_at": failure.due_at,
        "reason": failure.reason,
        "failed_at": failure.failed_at,
    }
