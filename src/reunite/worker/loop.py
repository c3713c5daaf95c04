"""Drain the outbox and the chunks of notices, and erase what is due, until told to stop.

Any number of workers may run, in the server's process or apart: each message and each
chunk for inboxes is held by one transaction, and whatever a crash interrupts is undone with it.
What leaves Reunite goes out under leases: see ``app.deliver_outside``.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from reunite.app.deliver_chunks import deliver_to_inboxes
from reunite.app.deliver_outside import OutsideDelivery
from reunite.app.erase_expired import erase_expired, sweep_photos
from reunite.app.exchange_records import expire_records, pull_due
from reunite.app.handlers import HANDLERS, OUTSIDE_TOPICS
from reunite.app.make_previews import queue_due_previews
from reunite.app.match_all import queue_nightly_matches
from reunite.app.prepare_channels import Preparation
from reunite.app.relay_chunks import relay_chunks, requeue_chunks
from reunite.app.send_digests import queue_digests
from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError
from reunite.ports import Message

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.25  # how long a notice may wait for an idle worker
BROKEN_SECONDS = 2.0  # between attempts while the database does not answer
FIRST_RETRY = timedelta(seconds=5)
CHUNK_RETRY = timedelta(seconds=1)  # people wait for it
BROKER_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(hours=1)
ERASE_EVERY = timedelta(minutes=1)
PREVIEWS_EVERY = timedelta(seconds=10)
SWEEP_EVERY = timedelta(hours=1)
MATCHES_EVERY = timedelta(minutes=10)  # how soon a night is noticed
PULL_EVERY = timedelta(seconds=10)  # how soon a repository that is due is asked


class Worker:
    """Does what must happen later."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._preparation = Preparation(services)
        self._deliver_at: datetime | None = None
        self._relay_at: datetime | None = None
        self._requeue_at: datetime | None = None
        self._due_at: dict[str, datetime] = {}  # by chore
        self._outside = [OutsideDelivery(services, name) for name in services.channels]

    def run_until(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; an unreachable database is waited for.

        Each channel has a thread of its own: a mail server that hangs holds up no push, and a
        partner that answers slowly neither chores nor alerts.
        """
        threads = [
            threading.Thread(target=self._send_until, args=(stop, one), name=f"to-{one.channel}")
            for one in self._outside
        ]
        if threads:
            threads.append(threading.Thread(target=self._renew_until, args=(stop,), name="leases"))
        threads.append(threading.Thread(target=self._pull_until, args=(stop,), name="pulls"))
        threads.append(threading.Thread(target=self._mail_until, args=(stop,), name="outside"))
        for thread in threads:
            thread.start()
        _repeat(stop, lambda: self._work() or self._prepare())
        for thread in threads:
            thread.join()

    def run_once(self) -> bool:
        """One message, a few chunks, a batch a channel, what is due; False with nothing to do."""
        sent = sum(one.step() for one in self._outside) > 0
        sent = self._handle_next(outside=True) or sent
        if self._is_due("pull", PULL_EVERY, self._services.clock.now()):
            pull_due(self._services)
        return self._work() or sent

    def drain(self) -> None:
        """Work until nothing is due; for tests, imports and the demonstration."""
        while self.run_once():
            pass

    def _work(self) -> bool:
        # Chunks first: somebody is lost, and records can wait a second to be matched.
        delivered = self._deliver_next()
        handled = self._handle_next()
        relayed = self._relay()
        return self._keep_house() or delivered or handled or relayed

    def _send_until(self, stop: threading.Event, one: OutsideDelivery) -> None:
        _repeat(stop, one.step)

    def _pull_until(self, stop: threading.Event) -> None:
        def pull() -> bool:
            return pull_due(self._services) is not None

        _repeat(stop, pull, PULL_EVERY.total_seconds())

    def _mail_until(self, stop: threading.Event) -> None:
        _repeat(stop, lambda: self._handle_next(outside=True))

    def _renew_until(self, stop: threading.Event) -> None:
        every = self._services.settings.lease.total_seconds() / 4
        while not stop.wait(every):
            for one in self._outside:
                try:
                    one.renew()
                except Exception:  # the next round may succeed, before the lease has run out
                    log.exception("lease_not_renewed", channel=one.channel)

    def _relay(self) -> bool:
        """Tell the broker what waits; one that is away is told later, and missed by nobody."""
        services = self._services
        if services.queue is None:
            return False
        now = services.clock.now()
        if self._relay_at is not None and now < self._relay_at:
            return False
        self._relay_at = None
        try:
            if self._requeue_at is None or now >= self._requeue_at:
                self._requeue_at = now + services.settings.requeue_after / 5
                requeue_chunks(services)
            return relay_chunks(services) > 0
        except ReuniteError as error:
            log.warning("broker_away", code=error.code)
            self._relay_at = now + BROKER_RETRY
            return False

    def _deliver_next(self) -> bool:
        now = self._services.clock.now()
        if self._deliver_at is not None and now < self._deliver_at:
            return False
        try:
            delivered = deliver_to_inboxes(self._services) > 0
        except Exception:
            # Messages and erasure must go on meanwhile: one chunk may not hold up everything.
            log.exception("chunk_failed")
            self._deliver_at = now + CHUNK_RETRY
            return False
        self._deliver_at = None
        return delivered

    def _handle_next(self, *, outside: bool = False) -> bool:
        services = self._services
        message: Message | None = None
        try:
            with services.database.transaction() as transaction:
                message = transaction.outbox.claim(
                    services.clock.now(), OUTSIDE_TOPICS, among=outside
                )
                if message is None:
                    return False
                with services.metrics.handling.labels(message.topic).time():
                    HANDLERS[message.topic](services, transaction, message.payload)
                transaction.outbox.finish(message)
        except Exception as error:
            if message is None:
                raise
            services.metrics.messages.labels(message.topic, "failed").inc()
            log.exception("message_failed", topic=message.topic, attempts=message.attempts)
            until = services.clock.now() + retry_delay(message.attempts)
            with services.database.transaction() as transaction:
                transaction.outbox.postpone(message, until, type(error).__name__)
        else:
            services.metrics.messages.labels(message.topic, "done").inc()
        return True

    def _prepare(self) -> bool:
        try:
            return self._preparation.step()
        except Exception:
            # Alerts go out without it, more slowly.
            log.exception("preparation_failed")
            return False

    def _keep_house(self) -> bool:
        """What is due by the clock; whether that made new work."""
        now = self._services.clock.now()
        queued = 0
        if self._is_due("erase", ERASE_EVERY, now):
            expire_records(self._services)
            erase_expired(self._services)
            queued += queue_digests(self._services)
        if self._is_due("previews", PREVIEWS_EVERY, now):
            queued += queue_due_previews(self._services)
        if self._is_due("matches", MATCHES_EVERY, now):
            queued += queue_nightly_matches(self._services)
        if self._is_due("sweep", SWEEP_EVERY, now):
            sweep_photos(self._services)
        return queued > 0

    def _is_due(self, chore: str, every: timedelta, now: datetime) -> bool:
        """Whether it is time; the next time is set before the work, which may fail."""
        if now < self._due_at.get(chore, now):
            return False
        self._due_at[chore] = now + every
        return True


def _repeat(
    stop: threading.Event, work: Callable[[], bool], idle_seconds: float = IDLE_SECONDS
) -> None:
    while not stop.is_set():
        try:
            worked = work()
        except Exception:
            # A worker that dies of one error leaves every later alert unsent.
            log.exception("worker_error")
            stop.wait(BROKEN_SECONDS)
            continue
        if not worked:
            stop.wait(idle_seconds)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failures: 5 s, doubled each time, at most an hour."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(attempts, 20)
    return min(LAST_RETRY, doubled)
