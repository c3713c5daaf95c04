"""Tell people outside Reunite: one channel, one batch at a time, under a lease.

Between two batches everything that is known is in the ledger.  A worker that is killed loses
what it has not saved: the batch it was sending, at most, is sent again by the next one, with
the same delivery ids and the same topic.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import structlog

from reunite.alerts.fanout import BATCH_DELIVERIES, Backoff, FailedDelivery, Lease
from reunite.alerts.notices import Chunk, Notice
from reunite.app.notice_words import message_of
from reunite.app.services import Services
from reunite.kernel.ids import AccountId, NoticeId
from reunite.kernel.languages import Language
from reunite.ports import (
    ChannelAddress,
    ChannelAddressId,
    ChannelMessage,
    ChannelName,
    Delivery,
    Receipt,
    ReceiptStatus,
    Taken,
    Transaction,
)

log = structlog.get_logger(__name__)

FAILURES_AT_ONCE = BATCH_DELIVERIES
FAILURE_LEASE = timedelta(minutes=5)
# Fewer may all have bad luck; so many at once have a common cause: the service itself.
OUTAGE_DELIVERIES = 10
TAKE_AGAIN_SECONDS = 5.0
# A send that hangs for longer than this has lost its worker: its lease is not renewed.
LONGEST_SEND = timedelta(minutes=5)

Told = tuple[int, ChannelAddress]  # position in the chunk, and where


@dataclass(slots=True)
class _Work:
    """The chunk in hand, and what the ledger has not been told of yet.

    A database that is away for a moment keeps a worker from saving what became of a batch: the
    marks stay on the lease, failures and dead addresses here, until the next batch is saved.
    """

    lease: Lease
    chunk: Chunk
    todo: list[Told]  # the rest, in the chunk's order
    taken: Taken | None
    failures: list[FailedDelivery] = field(default_factory=list)
    gone: list[ChannelAddressId] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """What goes out at once, what is left then, and up to where the chunk has come."""

    told: list[Told]
    deliveries: list[Delivery]
    rest: list[Told] = field(default_factory=list)
    position: int = 0


@dataclass(slots=True)
class OutsideDelivery:
    """One worker on one channel.  Not for several threads, except ``renew``."""

    services: Services
    channel: ChannelName
    owner: str = field(default_factory=lambda: secrets.token_hex(8))
    backoff: Backoff = field(default_factory=Backoff)
    _work: _Work | None = None
    _sending_since: datetime | None = None

    def step(self) -> bool:
        """Send one batch, or try failed deliveries again; False when there is nothing to do."""
        now = self.services.clock.now()
        with self.services.database.transaction() as transaction:
            if transaction.ledger.find_opening(self.channel, now) is not None:
                return False
        if self._work is None and not self._take(now):
            return self._try_again(now)
        assert self._work is not None  # noqa: S101  (just taken)
        return self._go_on(self._work, now)

    def renew(self) -> None:
        """Prolong the lease while a batch is under way; called from another thread."""
        work, now = self._work, self.services.clock.now()
        since = self._sending_since
        if work is None or (since is not None and now - since > LONGEST_SEND):
            return
        with self.services.database.transaction() as transaction:
            transaction.ledger.renew(self.owner, now + self.services.settings.lease)
        if work.taken is not None:
            work.taken.touch()

    def _take(self, now: datetime) -> bool:
        """Lease the next chunk, as the broker or the ledger gives it."""
        queue = self.services.queue
        handed = None if queue is None else queue.take(self.channel, 1)
        if handed is not None and not handed:
            return False
        taken = handed[0] if handed else None
        until = now + self.services.settings.lease
        with self.services.database.transaction() as transaction:
            lease = transaction.ledger.lease(
                self.channel, self.owner, now, until, None if taken is None else [taken.task]
            )
            if lease is None:
                if taken is not None:
                    _give_back(taken, waiting=transaction.ledger.is_waiting(taken.task))
                return False
            chunk = transaction.notices.get_chunk(lease.task.notice_id, lease.task.sequence)
            rest = chunk.account_ids[lease.position :]
            addresses = transaction.channel_addresses.list_for(rest, [self.channel])
        places = {AccountId(number): lease.position + at for at, number in enumerate(rest.tolist())}
        todo = sorted(
            ((places[one.account_id], one) for one in addresses),
            key=lambda told: (told[0], told[1].id),
        )
        # A program has no quiet hours and no week that it can bear only so much of.
        if chunk.may_push is not None and self.channel is not ChannelName.WEBHOOK:
            todo = [told for told in todo if chunk.may_push[told[0]]]
        self._work = _Work(lease, chunk, todo, taken)
        return True

    def _go_on(self, work: _Work, now: datetime) -> bool:
        lease = work.lease
        told, rest, position = _next_batch(work)
        with self.services.database.transaction() as transaction:
            if not transaction.ledger.holds(lease):
                return self._let_go(work)
            batch = self._compose(transaction, lease.task.notice_id, told)
            if batch is None:
                # The case left the public side after it was queued: nobody else is told.
                transaction.notices.stop([lease.task.notice_id], now, None)
                return self._let_go(work)
            self._reserve(transaction, batch.deliveries, now)
        batch.rest, batch.position = rest, position
        receipts = self._send(batch.deliveries)
        return self._record(work, batch, receipts)

    def _compose(
        self, transaction: Transaction, notice_id: NoticeId, told: Sequence[Told]
    ) -> _Batch | None:
        """The deliveries; None when the notice has nothing to say any more."""
        notice = transaction.notices.get(notice_id)
        case = transaction.cases.get(notice.case_id)
        is_imminent = bool(transaction.alert_plans.list_imminent([case.id]))
        ids = np.unique(np.array([one.account_id for _, one in told], dtype=np.int64))
        languages = transaction.ledger.languages_of(ids)
        messages: dict[Language, ChannelMessage] = {}
        for language in set(languages.values()) | {Language.EN}:
            message = message_of(self.services, notice, case, language, is_imminent=is_imminent)
            if message is None:
                return None
            messages[language] = message
        # Without those whose account went a moment ago.
        told = [(at, one) for at, one in told if one.account_id in languages]
        deliveries = [
            Delivery(
                _delivery_id(notice, one),
                one.account_id,
                one.address,
                messages[languages[one.account_id]],
            )
            for _, one in told
        ]
        return _Batch(told, deliveries)

    def _reserve(
        self, transaction: Transaction, deliveries: Sequence[Delivery], now: datetime
    ) -> None:
        rate = self.services.settings.channel_rates.get(self.channel)
        if rate and deliveries:
            transaction.ledger.reserve(self.channel, len(deliveries), rate, now)

    def _send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        if not deliveries:
            return []
        metrics = self.services.metrics
        self._sending_since = self.services.clock.now()
        try:
            with metrics.sending.labels(self.channel).time():
                receipts = self.services.channels[self.channel].send(deliveries)
        except Exception:
            # A channel may not raise; one that does must not take the alert down with it.
            log.exception("channel_failed", channel=self.channel)
            receipts = [Receipt(ReceiptStatus.RETRY, reason="channel_failed")] * len(deliveries)
        finally:
            self._sending_since = None
        for receipt in receipts:
            metrics.deliveries.labels(self.channel, receipt.status.value).inc()
        return receipts

    def _record(self, work: _Work, batch: _Batch, receipts: Sequence[Receipt]) -> bool:
        lease, now = work.lease, self.services.clock.now()
        if len(receipts) >= OUTAGE_DELIVERIES and _all_retry(receipts):
            return self._back_off(work, receipts, now)
        # Not before: what was not sent, because the database went away in between, comes again.
        work.todo = batch.rest
        reached = {at for (at, _), one in zip(batch.told, receipts, strict=True) if _sent(one)}
        unreached: set[int] = set()
        for (at, address), receipt in zip(batch.told, receipts, strict=True):
            if receipt.status is ReceiptStatus.SENT:
                lease.mark_sent(at)
                continue
            if receipt.status is ReceiptStatus.RETRY:
                due_at = self.backoff.next_attempt(now, 1, receipt.retry_after_seconds)
            else:
                due_at = None
                unreached.add(at)
            if receipt.status is ReceiptStatus.GONE:
                work.gone.append(address.id)
            else:
                work.failures.append(_failure(lease, at, address, receipt, due_at, now))
        lease.failed += len(unreached - reached)
        lease.position = batch.position
        lease.until = now + self.services.settings.lease
        with self.services.database.transaction() as transaction:
            # Whatever became of the chunk: a dead address is dead.
            transaction.channel_addresses.remove(work.gone)
            if not transaction.ledger.checkpoint(lease, now):
                return self._let_go(work)
            transaction.ledger.add_failures(work.failures)
        work.failures, work.gone = [], []
        if lease.position == lease.recipients:
            self._let_go(work)
        return True

    def _back_off(self, work: _Work, receipts: Sequence[Receipt], now: datetime) -> bool:
        """The service itself is away: nothing of the batch counts, and nobody hurries it."""
        asked = [one.retry_after_seconds for one in receipts if one.retry_after_seconds is not None]
        until = self.backoff.next_attempt(now, work.lease.attempts + 1, max(asked, default=None))
        log.warning("channel_away", channel=self.channel, reason=receipts[0].reason)
        with self.services.database.transaction() as transaction:
            transaction.ledger.postpone(work.lease, until, receipts[0].reason or "away", now)
            if until is not None:
                transaction.ledger.shut(self.channel, until)
        return self._let_go(work)

    def _let_go(self, work: _Work) -> bool:
        """The ledger knows the rest: done, postponed, stopped, or somebody else's."""
        self._work = None
        if work.taken is not None:
            work.taken.done()
        return True

    def _try_again(self, now: datetime) -> bool:
        """Deliveries that failed before and are due."""
        with self.services.database.transaction() as transaction:
            due = transaction.ledger.claim_failures(
                self.channel, now, now + FAILURE_LEASE, FAILURES_AT_ONCE
            )
        if not due:
            return False
        for notice_id in sorted({one.task.notice_id for one in due}):
            self._try_these(notice_id, [one for one in due if one.task.notice_id == notice_id])
        return True

    def _try_these(self, notice_id: NoticeId, due: Sequence[FailedDelivery]) -> None:
        now = self.services.clock.now()
        with self.services.database.transaction() as transaction:
            ids = np.array([one.account_id for one in due], dtype=np.int64)
            listed = transaction.channel_addresses.list_for(ids, [self.channel])
            addresses = {int(one.id): one for one in listed}
            told = [
                (at, addresses[one.address_id])
                for at, one in enumerate(due)
                if one.address_id in addresses
            ]
            batch = self._compose(transaction, notice_id, told)
            if batch is None:
                transaction.notices.stop([notice_id], now, None)
                return
            self._reserve(transaction, batch.deliveries, now)
        answers = dict(zip((at for at, _ in batch.told), self._send(batch.deliveries), strict=True))
        now = self.services.clock.now()
        with self.services.database.transaction() as transaction:
            for at, failure in enumerate(due):
                # No answer: the address or the account has gone meanwhile.
                receipt = answers.get(at, Receipt(ReceiptStatus.GONE))
                if receipt.status is ReceiptStatus.GONE:
                    known = addresses.get(failure.address_id)
                    transaction.channel_addresses.remove([] if known is None else [known.id])
                if receipt.status in (ReceiptStatus.SENT, ReceiptStatus.GONE):
                    transaction.ledger.settle_failure(failure, sent=_sent(receipt))
                    continue
                attempts = failure.attempts + 1
                due_at = (
                    self.backoff.next_attempt(now, attempts, receipt.retry_after_seconds)
                    if receipt.status is ReceiptStatus.RETRY
                    else None
                )
                transaction.ledger.save_failure(
                    replace(
                        failure,
                        attempts=attempts,
                        due_at=due_at,
                        reason=receipt.reason,
                        failed_at=now,
                    )
                )


def _next_batch(work: _Work) -> tuple[list[Told], list[Told], int]:
    """The next recipients with an address, those after them, and where the chunk stands then.

    Somebody's addresses are never divided between two batches.
    """
    todo = work.todo
    end = min(BATCH_DELIVERIES, len(todo))
    while 0 < end < len(todo) and todo[end][0] == todo[end - 1][0]:
        end += 1
    told, rest = todo[:end], todo[end:]
    # Those without an address in between are done with as well.
    return told, rest, rest[0][0] if rest else work.lease.recipients


def _give_back(taken: Taken, *, waiting: bool) -> None:
    if waiting:
        taken.later(TAKE_AGAIN_SECONDS)
    else:
        taken.done()


def _failure(
    lease: Lease,
    at: int,
    address: ChannelAddress,
    receipt: Receipt,
    due_at: datetime | None,
    now: datetime,
) -> FailedDelivery:
    return FailedDelivery(
        task=lease.task,
        recipient=at,
        account_id=address.account_id,
        address_id=int(address.id),
        attempts=1,
        due_at=due_at,
        reason=receipt.reason,
        failed_at=now,
    )


def _delivery_id(notice: Notice, address: ChannelAddress) -> str:
    return f"{notice.id}-{address.id}"


def _sent(receipt: Receipt) -> bool:
    return receipt.status is ReceiptStatus.SENT


def _all_retry(receipts: Iterable[Receipt]) -> bool:
    return all(receipt.status is ReceiptStatus.RETRY for receipt in receipts)
