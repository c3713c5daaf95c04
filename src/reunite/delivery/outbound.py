"""Send many small requests to addresses that strangers gave, without being used by them.

Nothing here follows a redirect, reads more of an answer than was asked for, waits without
bound, or connects to an
address inside the operator's own network: the address is checked when the socket is made, so
that a name which resolves to something else the second time (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from reunite.ports import Receipt, ReceiptStatus

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
BATCH_SECONDS = 45.0  # what was not tried by then is tried again later
WHOLE_SECONDS = 20.0  # of an answer that is read
PIECE_BYTES = 64 * 1024
KNOWN_AT_ONCE = 64  # requests to hosts that have answered before
UNKNOWN_AT_ONCE = 16  # to the others: a crowd of hosts that hang must not hold up the rest
HANGS_BEFORE_PAUSE = 3
PAUSE_SECONDS = 60.0
MAX_HOSTS = 10_000  # remembered; a stranger can invent any number
LONGEST_RETRY_AFTER_SECONDS = 86_400.0

_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "not_authorised",
    # A browser that subscribed with another key of ours, too.
    HTTPStatus.FORBIDDEN: "not_authorised",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "message_too_large",
}

_DEFAULT_PORTS = {"https": 443, "http": 80}


class ForbiddenAddressError(OSError):
    """An address within a network that is not the internet."""


@dataclass(frozen=True, slots=True)
class Post:
    """A request on its way."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question(Post):
    """A request whose answer matters: its body is read, up to ``max_bytes``."""

    method: str = "GET"
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer; where none came, 0 and the reason as a code."""

    status: int
    reason: str = ""
    retry_after_seconds: float | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """``allow_private`` admits http and addresses that are not of the internet: for tests and

    development, and for operators whose receivers stand in their own network.
    """

    allow_private: bool = False
    connect_seconds: float = CONNECT_SECONDS
    request_seconds: float = REQUEST_SECONDS
    batch_seconds: float = BATCH_SECONDS
    whole_seconds: float = WHOLE_SECONDS


@dataclass(slots=True)
class _Host:
    """What is known of one origin."""

    has_answered: bool = False
    hangs: int = 0  # in a row
    paused_until: float = 0.0


@dataclass(slots=True)
class _Batch:
    known: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(KNOWN_AT_ONCE))
    unknown: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNKNOWN_AT_ONCE))


class Outbound:
    """Requests from a thread of its own, with connections that are used again."""

    def __init__(self, settings: OutboundSettings | None = None) -> None:
        self._settings = settings or OutboundSettings()
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def check(self, url: str) -> str:
        """Why this address is never called, as a code; empty where it may be."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "address_invalid"
        allowed = _DEFAULT_PORTS if self._settings.allow_private else ("https",)
        if parts.scheme not in allowed or not parts.hostname or port == 0:
            return "address_invalid"
        if parts.username is not None or parts.password is not None:
            return "address_invalid"
        try:
            literal = ipaddress.ip_address(parts.hostname)
        except ValueError:
            return ""
        return "" if self._settings.allow_private or is_public(literal) else "address_forbidden"

    def post_all(self, posts: Sequence[Post]) -> list[Answer]:
        """Send each once; answers in the same order.  Never raises for what the others do."""
        if not posts:
            return []
        loop = self._running()
        sending = asyncio.run_coroutine_threadsafe(self._post_all(posts), loop)
        try:
            # Longer than everything within: only a loop that is stuck gets there.
            return sending.result(self._settings.batch_seconds + REQUEST_SECONDS)
        except FutureTimeoutError:
            sending.cancel()
            return [Answer(0, "out_of_time") for _ in posts]

    def ask(self, question: Question) -> Answer:
        """One request and the body of its answer; ``too_large`` where there is more of it.

        As guarded as the others.  Within ``whole_seconds``: somebody may send a byte a second.
        """
        refused = self.check(question.url)
        if refused:
            return Answer(0, refused)
        asking = asyncio.run_coroutine_threadsafe(self._ask(question), self._running())
        try:
            return asking.result(self._settings.whole_seconds + REQUEST_SECONDS)
        except FutureTimeoutError:
            asking.cancel()
            return Answer(0, "out_of_time")

    def close(self) -> None:
        """End connections and the thread."""
        with self._lock:
            self._closed = True
            loop, thread, session = self._loop, self._thread, self._session
            self._loop = self._thread = self._session = None
        if loop is None or thread is None:
            return
        if session is not None:
            asyncio.run_coroutine_threadsafe(session.close(), loop).result(REQUEST_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the channel is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="outbound", daemon=True
                )
                self._thread.start()
                opened = asyncio.run_coroutine_threadsafe(self._open(), self._loop)
                self._session = opened.result(REQUEST_SECONDS)
            return self._loop

    async def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=KNOWN_AT_ONCE + UNKNOWN_AT_ONCE,
            socket_factory=self._make_socket,
            ssl=ssl.create_default_context(),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
            # A small body that unpacks into a large one is not unpacked.
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    def _make_socket(self, info: "aiohttp.connector.AddrInfoType") -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._settings.allow_private and not is_public(ipaddress.ip_address(address[0])):
            raise ForbiddenAddressError(address[0])
        return socket.socket(family, kind, protocol)

    async def _post_all(self, posts: Sequence[Post]) -> list[Answer]:
        batch = _Batch()
        tasks = [asyncio.create_task(self._post(post, batch)) for post in posts]
        _, late = await asyncio.wait(tasks, timeout=self._settings.batch_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return [Answer(0, "out_of_time") if task in late else task.result() for task in tasks]

    async def _post(self, post: Post, batch: _Batch) -> Answer:
        refused = self.check(post.url)
        if refused:
            return Answer(0, refused)
        host = self._host(origin_of(post.url))
        async with batch.known if host.has_answered else batch.unknown:
            waiting = host.paused_until - time.monotonic()
            if waiting > 0:
                return Answer(0, "host_paused", waiting)
            answer = await self._send(post)
        if answer.reason == "timed_out":
            host.hangs += 1
            if host.hangs >= HANGS_BEFORE_PAUSE:
                host.paused_until = time.monotonic() + PAUSE_SECONDS
        elif answer.status:
            host.has_answered, host.hangs = True, 0
        return answer

    async def _send(self, post: Post) -> Answer:
        return await self._request("POST", post, 0, self._settings.request_seconds)

    async def _ask(self, question: Question) -> Answer:
        whole = self._settings.whole_seconds
        return await self._request(question.method, question, question.max_bytes, whole)

    async def _request(self, method: str, post: Post, max_bytes: int, seconds: float) -> Answer:
        session = self._session
        if session is None:
            return Answer(0, "out_of_time")
        try:
            async with session.request(
                method,
                post.url,
                data=post.body or None,
                headers=post.headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=seconds, sock_connect=self._settings.connect_seconds
                ),
            ) as response:
                after = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
                body = bytearray()
                while max_bytes and len(body) <= max_bytes:
                    piece = await response.content.read(PIECE_BYTES)
                    if not piece:
                        break
                    body += piece
                if len(body) > max_bytes:
                    return Answer(0, "too_large")
                return Answer(response.status, "", after, bytes(body))
        except TimeoutError:
            return Answer(0, "timed_out")
        except (aiohttp.InvalidURL, ValueError):
            return Answer(0, "address_invalid")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(0, "address_forbidden" if _was_forbidden(error) else "unreachable")

    def _host(self, origin: str) -> _Host:
        host = self._hosts.get(origin)
        if host is None:
            while len(self._hosts) >= MAX_HOSTS:
                del self._hosts[next(iter(self._hosts))]
            host = self._hosts[origin] = _Host()
        return host


def receipt_of(answer: Answer) -> Receipt:
    """What an answer means for a delivery (RFC 8030, 5 and 7.3; RFC 9110, 15)."""
    status = answer.status
    if not status:
        never = answer.reason in {"address_invalid", "address_forbidden"}
        outcome = ReceiptStatus.REFUSED if never else ReceiptStatus.RETRY
        return Receipt(outcome, answer.retry_after_seconds, answer.reason)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        limited = status == HTTPStatus.TOO_MANY_REQUESTS
        reason = "too_many_requests" if limited else "server_error"
        return Receipt(ReceiptStatus.RETRY, answer.retry_after_seconds, reason)
    if status in _GONE:
        return Receipt(ReceiptStatus.GONE, reason="gone")
    if status >= HTTPStatus.BAD_REQUEST:
        return Receipt(ReceiptStatus.REFUSED, reason=_REFUSALS.get(status, "rejected"))
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        return Receipt(ReceiptStatus.REFUSED, reason="redirected")
    return Receipt(ReceiptStatus.SENT)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address belongs to the internet, and not to a machine, a network of an

    operator, or several (RFC 6890).  An IPv6 address that stands for an IPv4 one counts as that.
    """
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


def origin_of(url: str) -> str:
    """Scheme, host and port, the port left away where it is the usual one (RFC 6454)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    usual = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{shown}" if usual else f"{parts.scheme}://{shown}:{parts.port}"


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds to wait, from a ``Retry-After`` header (RFC 9110, 10.2.3); at most a day."""
    text = header.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _was_forbidden(error: BaseException | None) -> bool:
    """Whether our own check is behind an error, however deep aiohttp has wrapped it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ForbiddenAddressError):
            return True
        if isinstance(error, BaseExceptionGroup):
            return any(_was_forbidden(one) for one in error.exceptions)
        seen.add(id(error))
        inner = getattr(error, "os_error", None)
        error = inner if inner is not None else error.__cause__ or error.__context__
    return False
