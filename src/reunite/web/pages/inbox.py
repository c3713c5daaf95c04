"""The inbox of notices, and the stream that tells an open page of a new one."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from reunite.accounts.account import Actor
from reunite.app.access import SIGNED_IN
from reunite.app.join_alerts import find_volunteer
from reunite.app.read_inbox import InboxItem, count_unread, list_inbox, mark_read
from reunite.app.sign_in import find_actor
from reunite.kernel.errors import ReuniteError
from reunite.web.i18n import find_language
from reunite.web.inbox_words import words_of
from reunite.web.page import Page
from reunite.web.routing import Pages
from reunite.web.streams import HEARTBEAT, EventStream, event

log = structlog.get_logger(__name__)

routes = Pages()

HEARTBEAT_SECONDS = 20.0  # shorter than the minute after which proxies give up
# Then the browser comes back, and is asked again who it is.
LONGEST_STREAM_SECONDS = 15 * 60.0
RECONNECT_MILLISECONDS = 3000
TOASTS_AT_ONCE = 3


@routes.get("/inbox", access=SIGNED_IN)
def inbox(page: Page) -> Response:
    """All notices, the newest first; what is shown counts as read."""
    items = list_inbox(page.services, page.actor)
    if page.request.method == "GET":
        mark_read(page.services, page.actor)
    return page.render(
        "alerts/inbox.html",
        notices=[words_of(page, item) for item in items],
        volunteer=find_volunteer(page.services, page.actor),
    )


@routes.get("/inbox/stream", access=SIGNED_IN, localised=False)
async def stream(page: Page) -> Response:
    """Server-sent events: ``unread`` once at the start, ``notice`` whenever one arrives.

    ``language`` is that of the page; ``after`` (or Last-Event-ID) is the id of the last
    event that it has seen, so that nothing is missed while it was away.
    """
    if page.request.method == "HEAD":  # a page asks whether it is worth coming back
        return Response(headers={"Cache-Control": "no-store"})
    page.language = find_language(page.query("language")) or page.language
    assert page.actor is not None  # noqa: S101  (SIGNED_IN)
    after = _moment(page.request.headers.get("last-event-id") or page.query("after"))
    return EventStream(_events(page, page.actor, after))


@dataclass(frozen=True, slots=True)
class _Look:
    """What the inbox holds now."""

    unread: int
    items: list[InboxItem]


async def _events(page: Page, actor: Actor, after: datetime | None) -> AsyncGenerator[str, None]:
    # Before the first look: what arrives between the two is then not missed.
    arrivals = page.services.live.subscribe(actor.account_id)
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    look = await run_in_threadpool(_look, page)
    if look is None:
        return
    known = {item.notice_id for item in look.items if _is_known(item, after)}
    yield _unread(look)
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + LONGEST_STREAM_SECONDS
    arrival = _next(arrivals)
    try:
        while loop.time() < ends_at:
            fresh = [item for item in look.items if item.notice_id not in known]
            if fresh:
                known |= {item.notice_id for item in fresh}
                yield await run_in_threadpool(_notice, page, look, fresh)
            done, _ = await asyncio.wait({arrival}, timeout=HEARTBEAT_SECONDS)
            if not done:
                yield HEARTBEAT
                continue
            if arrival.exception() is not None:  # the channel has closed: the server stops
                return
            arrival = _next(arrivals)
            look = await run_in_threadpool(_look, page)
            if look is None:
                return
    finally:
        arrival.cancel()


def _next(arrivals: AsyncIterator[None]) -> "asyncio.Future[None]":
    # A task, so that a heartbeat meanwhile does not cut the wait off.
    return asyncio.ensure_future(anext(arrivals))


def _look(page: Page) -> _Look | None:
    """The inbox; None once the session has ended, the account is shut out, or nothing answers."""
    try:
        actor = find_actor(page.services, page.session_token)
        if actor is None:
            return None
        return _Look(count_unread(page.services, actor), list_inbox(page.services, actor, limit=20))
    except ReuniteError as error:
        log.warning("stream_ended", request_id=page.request_id, code=error.code)
        return None  # the page comes back after a while


def _is_known(item: InboxItem, after: datetime | None) -> bool:
    return after is None or not item.is_new or item.delivered_at <= after


def _unread(look: _Look) -> str:
    return event(json.dumps({"unread": look.unread}), name="unread", event_id=_id(look.items))


def _notice(page: Page, look: _Look, fresh: list[InboxItem]) -> str:
    notices = [
        {"title": words.title, "text": words.text, "path": words.path or page.url("/inbox")}
        for words in (words_of(page, item) for item in fresh[:TOASTS_AT_ONCE])
    ]
    return event(
        json.dumps({"unread": look.unread, "notices": notices}, ensure_ascii=False),
        name="notice",
        event_id=_id(look.items),
    )


def _id(items: list[InboxItem]) -> str:
    newest = max((item.delivered_at for item in items), default=None)
    return "" if newest is None else str(int(newest.timestamp() * 1_000_000))


def _moment(event_id: str) -> datetime | None:
    """When the last event that a page has seen was delivered; None for nonsense."""
    if not event_id.isascii() or not event_id.isdigit():
        return None
    try:
        return datetime.fromtimestamp(int(event_id) / 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
