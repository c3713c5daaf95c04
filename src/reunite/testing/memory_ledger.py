"""The ledger of chunks on channels that lead out of Reunite, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from reunite.accounts.account import Account
from reunite.alerts.fanout import (
    BURST,
    LEASE,
    LONGEST_WAIT,
    ChunkTask,
    DeadLetter,
    FailedDelivery,
    Lease,
)
from reunite.alerts.notices import Notice
from reunite.alerts.volunteers import Volunteer
from reunite.kernel.ids import AccountId, NoticeId
from reunite.kernel.languages import Language
from reunite.ports import WaitingChunks
from reunite.testing.memory_notices import LedgerKey, LedgerRow
from reunite.testing.memory_tables import MemorySession, Table

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Gate:
    free_at: datetime | None = None
    shut_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Failure:
    failure: FailedDelivery
    lease_until: datetime | None = None


class MemoryLedger:
    """Implements ``ChunkLedger``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._notices: Table[NoticeId, Notice] = session.table("notices")
        self._rows: Table[LedgerKey, LedgerRow] = session.table("chunk_deliveries")
        self._failures: Table[int, _Failure] = session.table("delivery_failures")
        self._gates: Table[str, _Gate] = session.table("channel_gates")
        self._accounts: Table[AccountId, Account] = session.table("accounts")
        self._volunteers: Table[AccountId, Volunteer] = session.table("volunteers")

    def lease(
        self,
        channel: str,
        owner: str,
        now: datetime,
        until: datetime,
        tasks: Sequence[ChunkTask] | None = None,
    ) -> Lease | None:
        if self.find_opening(channel, now) is not None:
            return None
        for key, _ in self._rows.items(lambda row: _is_due(row, now)):
            if key[2] != channel or (tasks is not None and _task(key) not in tasks):
                continue
            if not self._session.try_hold("chunk_deliveries", key):
                continue
            row = self._rows.get(key)
            if row is None or not _is_due(row, now):
                continue
            self._rows.put(key, replace(row, lease_owner=owner, lease_until=until))
            return Lease(
                task=_task(key),
                owner=owner,
                until=until,
                recipients=row.recipients,
                position=row.position,
                attempts=row.attempts,
                sent_bits=bytearray(row.sent_bits),
                sent=row.sent,
                failed=row.failed,
            )
        return None

    def is_waiting(self, task: ChunkTask) -> bool:
        row = self._rows.get(_key(task))
        return row is not None and row.state == "waiting"

    def holds(self, lease: Lease) -> bool:
        return self._held(lease) is not None

    def checkpoint(self, lease: Lease, now: datetime) -> bool:
        self._session.hold("chunk_deliveries", _key(lease.task))
        row = self._held(lease)
        if row is None:
            return False
        ended = lease.position == row.recipients
        saved = replace(
            row,
            position=lease.position,
            sent=lease.sent,
            failed=lease.failed,
            sent_bits=bytes(lease.sent_bits),
            lease_until=lease.until,
            attempts=0,
            state="done" if ended else row.state,
            finished_at=now if ended else None,
        )
        self._rows.put(_key(lease.task), saved)
        return True

    def postpone(self, lease: Lease, until: datetime | None, reason: str, now: datetime) -> bool:
        self._session.hold("chunk_deliveries", _key(lease.task))
        row = self._held(lease)
        if row is None:
            return False
        back = replace(
            row,
            state="dead" if until is None else row.state,
            finished_at=now if until is None else None,
            due_at=until,
            attempts=row.attempts + bool(reason),
            reason=reason,
            lease_owner=None,
            lease_until=None,
            queued_at=None,
            version=row.version + 1,
        )
        self._rows.put(_key(lease.task), back)
        return True

    def renew(self, owner: str, until: datetime) -> int:
        held = self._rows.items(lambda row: row.state == "waiting" and row.lease_owner == owner)
        for key, row in held:
            self._rows.put(key, replace(row, lease_until=until))
        return len(held)

    def reserve(self, channel: str, deliveries: int, per_second: float, now: datetime) -> None:
        self._session.hold("channel_gates", channel)
        gate = self._gates.get(channel) or _Gate()
        start = gate.free_at if gate.free_at is not None and _ahead(gate.free_at, now) else now
        free_at = start + timedelta(seconds=deliveries / per_second)
        self._gates.put(channel, replace(gate, free_at=free_at))

    def find_opening(self, channel: str, now: datetime) -> datetime | None:
        gate = self._gates.get(channel) or _Gate()
        times = []
        if gate.free_at is not None and now + BURST < gate.free_at <= now + 2 * LONGEST_WAIT:
            times.append(gate.free_at - BURST)
        if gate.shut_until is not None and _ahead(gate.shut_until, now):
            times.append(gate.shut_until)
        return max(times, default=None)

    def shut(self, channel: str, until: datetime) -> None:
        self._session.hold("channel_gates", channel)
        self._gates.put(channel, replace(self._gates.get(channel) or _Gate(), shut_until=until))

    def languages_of(self, account_ids: Int64) -> Mapping[AccountId, Language]:
        languages = {}
        for account_id in map(AccountId, account_ids.tolist()):
            account, volunteer = self._accounts.get(account_id), self._volunteers.get(account_id)
            if account is not None and not account.disabled:
                languages[account_id] = (volunteer or account).language
        return languages

    def add_failures(self, failures: Sequence[FailedDelivery]) -> None:
        known = {_unique(stored.failure) for stored in self._failures.values()}
        for failure in failures:
            if failure.account_id in self._accounts and _unique(failure) not in known:
                number = self._session.store.next_id("delivery_failures")
                self._failures.put(number, _Failure(replace(failure, id=number)))

    def claim_failures(
        self, channel: str, now: datetime, until: datetime, limit: int
    ) -> list[FailedDelivery]:
        claimed = []
        for key, stored in self._failures.items(lambda stored: _may_retry(stored, channel, now)):
            chunk = self._rows.get(_key(stored.failure.task))
            if chunk is None or chunk.state not in ("done", "dead", "dropped"):
                continue
            if self._session.try_hold("delivery_failures", key):
                claimed.append(stored.failure)
        claimed.sort(key=lambda failure: (failure.due_at or now, failure.id))
        for failure in claimed[:limit]:
            self._failures.put(failure.id, _Failure(failure, until))
        return claimed[:limit]

    def settle_failure(self, failure: FailedDelivery, *, sent: bool) -> None:
        self._failures.delete(failure.id)
        self._count(failure, 1, sent=sent)

    def save_failure(self, failure: FailedDelivery) -> None:
        self._failures.put(failure.id, _Failure(failure))
        if failure.due_at is None:
            self._count(failure, 1, sent=False)

    def list_dead(self, *, limit: int = 50) -> list[DeadLetter]:
        letters = [
            DeadLetter(
                one.failure.task,
                one.failure.id,
                1,
                one.failure.attempts,
                one.failure.reason,
                one.failure.failed_at,
            )
            for one in self._failures.values(lambda stored: stored.failure.due_at is None)
        ]
        letters += [
            DeadLetter(
                _task(key),
                None,
                row.recipients - row.position,
                row.attempts,
                row.reason,
                row.finished_at,
            )
            for key, row in self._rows.items(lambda row: row.state == "dead")
            if row.finished_at is not None
        ]
        return sorted(letters, key=lambda letter: letter.failed_at, reverse=True)[:limit]

    def count_dead(self) -> int:
        return len(self.list_dead(limit=1_000_000))

    def revive(self, task: ChunkTask, failure_id: int | None) -> bool:
        if failure_id is None:
            row, notice = self._dead_row(task), self._notices.get(task.notice_id)
            if row is None or notice is None or notice.stopped_at is not None:
                return False
            again = replace(
                row,
                state="waiting",
                attempts=0,
                due_at=None,
                finished_at=None,
                queued_at=None,
                version=row.version + 1,
            )
            self._rows.put(_key(task), again)
            return True
        failure = self._dead_failure(failure_id)
        if failure is not None:
            again_at = failure.failed_at
            self._failures.put(failure.id, _Failure(replace(failure, attempts=0, due_at=again_at)))
            self._count(failure, -1, sent=False)
        return failure is not None

    def drop(self, task: ChunkTask, failure_id: int | None) -> bool:
        if failure_id is None:
            row = self._dead_row(task)
            if row is not None:
                failed = row.failed + row.recipients - row.position
                self._rows.put(_key(task), replace(row, state="dropped", failed=failed))
            return row is not None
        failure = self._dead_failure(failure_id)
        if failure is not None:
            self._failures.delete(failure.id)
        return failure is not None

    def list_unqueued(self, now: datetime, limit: int) -> list[tuple[ChunkTask, str]]:
        due = self._rows.items(lambda row: _is_due(row, now) and row.queued_at is None)
        return [(_task(key), f"{key}-{row.version}") for key, row in due][:limit]

    def mark_queued(self, tasks: Sequence[ChunkTask], now: datetime) -> None:
        for task in tasks:
            row = self._rows.get(_key(task))
            if row is not None:
                self._rows.put(_key(task), replace(row, queued_at=now))

    def requeue(self, queued_before: datetime, now: datetime) -> int:
        lost = self._rows.items(
            lambda row: (
                _is_due(row, now)
                and row.queued_at is not None
                and (row.queued_at < queued_before or row.queued_at > now)
            )
        )
        for key, row in lost:
            self._rows.put(key, replace(row, queued_at=None, version=row.version + 1))
        return len(lost)

    def list_waiting(self) -> list[WaitingChunks]:
        waiting: dict[str, list[datetime]] = {}
        for (_, notice_id, channel), _row in self._rows.items(lambda row: row.state == "waiting"):
            notice = self._notices.get(notice_id)
            if notice is not None:
                waiting.setdefault(channel, []).append(notice.created_at)
        return [WaitingChunks(one, len(waiting[one]), min(waiting[one])) for one in sorted(waiting)]

    def _held(self, lease: Lease) -> LedgerRow | None:
        row = self._rows.get(_key(lease.task))
        ours = row is not None and row.state == "waiting" and row.lease_owner == lease.owner
        return row if ours else None

    def _dead_row(self, task: ChunkTask) -> LedgerRow | None:
        row = self._rows.get(_key(task))
        return row if row is not None and row.state == "dead" else None

    def _dead_failure(self, failure_id: int) -> FailedDelivery | None:
        stored = self._failures.get(failure_id)
        return stored.failure if stored is not None and stored.failure.due_at is None else None

    def _count(self, failure: FailedDelivery, more: int, *, sent: bool) -> None:
        row = self._rows.get(_key(failure.task))
        if row is None:
            return
        byte, bit = divmod(failure.recipient, 8)
        reached = row.sent_bits[byte] >> bit & 1
        if sent:
            bits = bytearray(row.sent_bits)
            bits[byte] |= 1 << bit
            row = replace(row, sent=row.sent + 1 - reached, sent_bits=bytes(bits))
        elif not reached:
            row = replace(row, failed=max(0, row.failed + more))
        self._rows.put(_key(failure.task), row)


def _key(task: ChunkTask) -> LedgerKey:
    return (task.sequence, task.notice_id, task.channel)


def _task(key: LedgerKey) -> ChunkTask:
    return ChunkTask(key[1], key[0], key[2])


def _unique(failure: FailedDelivery) -> tuple[NoticeId, str, int]:
    return (failure.task.notice_id, failure.task.channel, failure.address_id)


def _ahead(at: datetime | None, now: datetime) -> bool:
    """Whether a time is to be waited for; later than any can be means that a clock jumped."""
    return at is not None and now < at <= now + 2 * LONGEST_WAIT


def _is_due(row: LedgerRow, now: datetime) -> bool:
    leased = row.lease_until is not None and now < row.lease_until <= now + 2 * LEASE
    return row.state == "waiting" and not _ahead(row.due_at, now) and not leased


def _may_retry(stored: _Failure, channel: str, now: datetime) -> bool:
    failure = stored.failure
    return (
        failure.task.channel == channel
        and failure.due_at is not None
        and not _ahead(failure.due_at, now)
        and not _ahead(stored.lease_until, now)
    )
