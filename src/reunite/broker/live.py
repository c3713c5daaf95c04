"""Tell open pages that something new is there: PostgreSQL's LISTEN, once a process.

A subscription holds no queue.  It is a flag with the last few arrivals: when more come while a
page is busy, the page looks into the inbox once instead.  So ten thousand subscriptions cost
ten thousand small objects, and none of them can grow.
"""

import asyncio
import random
import selectors
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

import psycopg
import structlog
from sqlalchemy import URL

from reunite.broker.announcements import CHANNEL, unpack
from reunite.kernel.ids import AccountId
from reunite.ports import Arrival, Prepare

log = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 5.0
# A connection cut off without a word is noticed by asking; a firewall forgets sooner or later.
PROBE_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10
UNANSWERED_MILLISECONDS = 30_000
MOST_ARRIVALS = 16  # that a page which is busy is told of one by one


class PostgresLive:
    """Implements ``LiveChannel``.  One thread listens; it reconnects for as long as it takes."""

    def __init__(self, dsn: str | URL) -> None:
        self._conninfo = _conninfo(dsn)
        self._lock = threading.Lock()
        self._mailboxes: dict[int, set[_Mailbox]] = {}
        self._abandoned: deque[_Mailbox] = deque()
        self._closed = threading.Event()
        self._listening = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="reunite-live", daemon=True)
        self._thread.start()

    def subscribe(
        self, account_id: AccountId, prepare: Prepare | None = None
    ) -> AsyncIterator[frozenset[Arrival]]:
        """One item whenever something new has arrived for this person.

        ``prepare`` of one of those concerned has run on their event loop before they are told.

        Counts from the call, not from the first item.  An empty item means that some may have
        been missed, while the connection was down: the page looks, and finds nothing new.
        Ends when
        the channel closes.  Waiting for an item may be cancelled and taken up again.
        """
        mailbox = _Mailbox(int(account_id), asyncio.get_running_loop(), prepare)
        with self._lock:
            self._sweep()
            if self._closed.is_set():
                mailbox.close()
            else:
                self._mailboxes.setdefault(mailbox.account_id, set()).add(mailbox)
        return _Subscription(mailbox, self._abandoned)

    def wait_until_listening(self, timeout_seconds: float) -> bool:
        """Whether the connection stands within that time; nothing needs to wait for it."""
        return self._listening.wait(timeout_seconds)

    def subscriptions(self) -> int:
        """How many pages are open."""
        with self._lock:
            self._sweep()
            return sum(len(mailboxes) for mailboxes in self._mailboxes.values())

    def close(self) -> None:
        """End every subscription and the connection; from any thread, more than once."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._wake.send(b"\0")
        self._thread.join()
        self._wake.close()
        self._woken.close()
        with self._lock:
            mailboxes = [one for some in self._mailboxes.values() for one in some]
            self._mailboxes.clear()
        for mailbox in mailboxes:
            mailbox.close()

    def _run(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while not self._closed.is_set():
            try:
                with psycopg.connect(
                    self._conninfo,
                    autocommit=True,
                    connect_timeout=CONNECT_TIMEOUT_SECONDS,
                    application_name="reunite-live",
                    tcp_user_timeout=UNANSWERED_MILLISECONDS,
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}".encode())
                    retry_seconds = FIRST_RETRY_SECONDS
                    self._listening.set()
                    # What was announced while nobody listened is lost: let everybody look.
                    self._tell_everybody()
                    self._listen(connection)
            except (psycopg.Error, OSError) as error:
                log.warning("live_connection_lost", error=type(error).__name__)
            self._listening.clear()
            # Spread out, so that many processes do not come back all at once.
            self._closed.wait(retry_seconds * random.uniform(0.5, 1.0))  # noqa: S311
            retry_seconds = min(LAST_RETRY_SECONDS, 2 * retry_seconds)

    def _listen(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        # Not select(): with thousands of pages open, descriptors pass what it can take.
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closed.is_set():
                if not selector.select(PROBE_SECONDS):
                    connection.execute("SELECT 1")
                for notification in connection.notifies(timeout=0):
                    try:
                        arrival, account_ids = unpack(notification.payload)
                    except ValueError:
                        # Anybody with a login may notify; the channel must survive it.
                        log.warning("live_payload_malformed")
                        continue
                    self._tell(account_ids, arrival)

    def _tell(self, account_ids: Iterable[int], arrival: Arrival | None) -> None:
        with self._lock:
            self._sweep()
            mailboxes = self._mailboxes
            concerned = [one for number in account_ids for one in mailboxes.get(number, ())]
            for mailbox in concerned:
                mailbox.collect(arrival)
        _deliver(concerned, arrival)

    def _tell_everybody(self) -> None:
        with self._lock:
            self._sweep()
            everybody = [one for some in self._mailboxes.values() for one in some]
            for mailbox in everybody:
                mailbox.collect(None)
        _deliver(everybody)

    def _sweep(self) -> None:
        # With the lock held.  Subscriptions end in the garbage collector too, which may run
        # in the middle of anything, so they only leave word here.
        while self._abandoned:
            mailbox = self._abandoned.popleft()
            same_account = self._mailboxes.get(mailbox.account_id, set())
            same_account.discard(mailbox)
            if not same_account:
                self._mailboxes.pop(mailbox.account_id, None)


class _Mailbox:
    """A flag that one event loop waits for and another thread raises."""

    __slots__ = (
        "account_id",
        "arrivals",
        "closed",
        "loop",
        "lost",
        "pending",
        "prepare",
        "raised",
        "waiter",
    )

    def __init__(
        self, account_id: int, loop: asyncio.AbstractEventLoop, prepare: Prepare | None
    ) -> None:
        self.account_id = account_id
        self.loop = loop
        self.prepare = prepare
        self.raised = False
        # Not an asyncio.Event: one page waits here, and ten thousand are woken at once.
        self.waiter: asyncio.Future[None] | None = None
        self.pending = False  # on its way to the loop: no second message is sent after it
        self.closed = False
        self.arrivals: list[Arrival] = []
        self.lost = False  # something has come that is not among the arrivals

    def collect(self, arrival: Arrival | None) -> None:
        """Keep what has arrived until the page takes it."""
        if arrival is None or len(self.arrivals) >= MOST_ARRIVALS:
            self.lost = True
        else:
            self.arrivals.append(arrival)

    def take(self) -> frozenset[Arrival]:
        """What has arrived since; empty where the page had better look for itself."""
        arrivals, self.arrivals = self.arrivals, []
        lost, self.lost = self.lost, False
        return frozenset() if lost else frozenset(arrivals)

    def close(self) -> None:
        self.closed = True
        _deliver([self])

    def raise_flag(self) -> None:
        self.pending = False
        self.raised = True
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class _Subscription:
    """What a page holds.  A class, not a generator: cancelling a generator's wait ends it."""

    def __init__(self, mailbox: _Mailbox, abandoned: deque[_Mailbox]) -> None:
        self._mailbox = mailbox
        self._abandoned = abandoned

    def __aiter__(self) -> AsyncIterator[frozenset[Arrival]]:
        return self

    async def __anext__(self) -> frozenset[Arrival]:
        mailbox = self._mailbox
        if not mailbox.raised:
            mailbox.waiter = mailbox.loop.create_future()
            try:
                await mailbox.waiter
            finally:
                mailbox.waiter = None
        if mailbox.closed:
            raise StopAsyncIteration
        mailbox.raised = False
        return mailbox.take()

    async def aclose(self) -> None:
        """Stop listening at once; forgetting the subscription does the same a little later."""
        self._mailbox.closed = True
        self._mailbox.raise_flag()
        self._abandoned.append(self._mailbox)

    def __del__(self) -> None:
        self._abandoned.append(self._mailbox)


def _conninfo(dsn: str | URL) -> str:
    if isinstance(dsn, URL):
        return dsn.set(drivername="postgresql").render_as_string(hide_password=False)
    return dsn.replace("postgresql+psycopg://", "postgresql://", 1)


def _deliver(mailboxes: Iterable[_Mailbox], arrival: Arrival | None = None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Mailbox]] = {}
    for mailbox in mailboxes:
        if not mailbox.pending or mailbox.closed:
            mailbox.pending = True
            by_loop.setdefault(mailbox.loop, []).append(mailbox)
    for loop, concerned in by_loop.items():
        try:
            # One call for all pages of a loop: each call wakes it up.
            loop.call_soon_threadsafe(_tell_loop, concerned, arrival)
        except RuntimeError:  # the loop has ended, and its pages with it
            continue


def _tell_loop(mailboxes: Sequence[_Mailbox], arrival: Arrival | None) -> None:
    prepares = (one.prepare for one in mailboxes if one.prepare is not None)
    prepare = None if arrival is None else next(prepares, None)
    if arrival is None or prepare is None:
        _raise_flags(mailboxes)
        return
    # A page that has to wait for its words wakes twice; so they are there before it wakes.
    task = asyncio.ensure_future(_prepared(prepare, arrival, mailboxes))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _prepared(prepare: Prepare, arrival: Arrival, mailboxes: Sequence[_Mailbox]) -> None:
    try:
        await prepare(arrival)
    except Exception:
        # They are told all the same, and each finds out by itself.
        log.exception("arrival_not_prepared")
    _raise_flags(mailboxes)


# Event loops hold their tasks by a weak reference only.
_under_way: "set[asyncio.Task[None]]" = set()


def _raise_flags(mailboxes: Iterable[_Mailbox]) -> None:
    for mailbox in mailboxes:
        mailbox.raise_flag()
