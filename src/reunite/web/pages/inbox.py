"""The inbox of notices, and the stream that tells an open page of a new one."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from reunite.accounts.account import Actor
from reunite.app.access import SIGNED_IN
from reunite.app.join_alerts import find_volunteer
from reunite.app.read_inbox import (
    InboxItem,
    list_arrivals,
    list_inbox,
    look_into_inbox,
    mark_read,
)
from reunite.app.sign_in import find_actor
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import NoticeId
from reunite.ports import Arrival
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
ASK_AGAIN_SECONDS = 60.0  # whether the session is still good
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


@dataclass(slots=True)
class _State:
    """What the page has been told."""

    unread: int
    known: set[NoticeId]
    seen: datetime | None  # when the newest of them was delivered

    def learn(self, items: Iterable[InboxItem]) -> list[InboxItem]:
        """Those that the page does not know yet; from now on it does."""
        fresh = [item for item in items if item.notice_id not in self.known]
        for item in fresh:
            self.known.add(item.notice_id)
            self.seen = max(item.delivered_at, self.seen or item.delivered_at)
        return fresh


@dataclass(frozen=True, slots=True)
class _Look:
    """What the inbox holds now."""

    unread: int
    items: list[InboxItem]


async def _events(
    page: Page, actor: Actor, after: datetime | None
) -> AsyncGenerator[str | bytes, None]:
    # One generator and no more: each layer is run through once for every page that is told.
    # Subscribed before the first look: what arrives between the two is then not missed.
    arrivals = page.services.live.subscribe(actor.account_id, partial(_prepare, page))
    pages = page.services.metrics.live_pages
    pages.inc()
    try:
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
        look = await run_in_threadpool(_first_look, page, actor)
        if look is None:
            return
        state = _State(look.unread, set(), None)
        state.learn(item for item in look.items if _is_known(item, after))
        newest = max((item.delivered_at for item in look.items), default=None)
        yield event(json.dumps({"unread": look.unread}), name="unread", event_id=_id(newest))
        if fresh := state.learn(look.items):
            yield await run_in_threadpool(_notice, page, state, fresh)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LONGEST_STREAM_SECONDS
        ask_again_at = loop.time() + ASK_AGAIN_SECONDS
        while loop.time() < ends_at:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    arrived = await anext(arrivals)
            except TimeoutError:
                yield HEARTBEAT
                # Whoever has signed out meanwhile, or was shut out, hears no more.
                if loop.time() >= ask_again_at:
                    ask_again_at = loop.time() + ASK_AGAIN_SECONDS
                    if await run_in_threadpool(_look, page) is None:
                        return
                continue
            except StopAsyncIteration:  # the channel has closed: the server stops
                return
            sent = await _arrived(page, state, arrived)
            if sent is None:
                return
            if sent:
                yield sent
    finally:
        pages.dec()


async def _arrived(page: Page, state: _State, arrived: frozenset[Arrival]) -> str | bytes | None:
    """What to send of it, "" for nothing new; None when the stream is over."""
    if not arrived:
        look = await run_in_threadpool(_look, page)
        if look is None:
            return None
        state.unread = look.unread
        fresh = state.learn(look.items)
        return await run_in_threadpool(_notice, page, state, fresh) if fresh else ""
    find = page.web.shared.find
    try:
        words: list[_Words] = [
            find((arrival, page.language)) or await _words(page, arrival) for arrival in arrived
        ]
    except ReuniteError as error:
        log.warning("stream_ended", request_id=page.request_id, code=error.code)
        return None  # the page comes back after a while
    if len(words) > 1:
        words.sort(key=lambda one: one.item.delivered_at, reverse=True)
    fresh = state.learn(one.item for one in words)
    state.unread += len(fresh)
    page.services.metrics.live_told.inc(len(fresh))
    if len(fresh) == len(words) == 1:
        return words[0].event_for(state)
    new = {item.notice_id for item in fresh}
    return _told(state, [one for one in words if one.item.notice_id in new]) if new else ""


async def _prepare(page: Page, arrival: Arrival) -> None:
    """Have the words ready in every language before the pages that are told ask for them."""
    in_all = [replace(page, language=language) for language in page.web.renderers]
    await asyncio.gather(*(_words(one, arrival) for one in in_all))


def _first_look(page: Page, actor: Actor) -> _Look | None:
    """As ``_look``, of somebody who has just shown who they are."""
    try:
        return _Look(*look_into_inbox(page.services, actor, limit=20))
    except ReuniteError as error:
        log.warning("stream_ended", request_id=page.request_id, code=error.code)
        return None  # the page comes back after a while


def _look(page: Page) -> _Look | None:
    """The inbox; None once the session has ended, the account is shut out, or nothing answers."""
    try:
        actor = find_actor(page.services, page.session_token)
    except ReuniteError as error:
        log.warning("stream_ended", request_id=page.request_id, code=error.code)
        return None
    return None if actor is None else _first_look(page, actor)


def _is_known(item: InboxItem, after: datetime | None) -> bool:
    return after is None or not item.is_new or item.delivered_at <= after


async def _words(page: Page, arrival: Arrival) -> "_Words":
    """What to say of a notice, in the language of the page."""
    return await page.web.shared.get(
        (arrival, page.language),
        lambda: _Words.of(page, list_arrivals(page.services, [arrival])[0]),
    )


def _notice(page: Page, state: _State, fresh: list[InboxItem]) -> str:
    return _told(state, [_Words.of(page, item) for item in fresh[:TOASTS_AT_ONCE]])


@dataclass(frozen=True, slots=True)
class _Words:
    """A notice and what a page is told of it, as JSON: made once, sent ten thousand times."""

    item: InboxItem
    text: str
    # As pages are sent it, by how many notices are unread and the newest that they know: most
    # pages of the ten thousand are in one of a few states.
    events: dict[tuple[int, datetime | None], bytes] = field(default_factory=dict)

    def event_for(self, state: _State) -> bytes:
        """The event for a page that knows this notice and no other new one."""
        key = state.unread, state.seen
        made = self.events.get(key)
        if made is None:
            made = self.events[key] = _told(state, [self]).encode()
        return made

    @classmethod
    def of(cls, page: Page, item: InboxItem) -> "_Words":
        words = words_of(page, item)
        told = {
            "title": words.title,
            "text": words.text,
            "path": words.path or page.url("/inbox"),
            # A later notice about the same case takes the place of an earlier one.
            "topic": item.case.reference,
        }
        return cls(item, json.dumps(told, ensure_ascii=False))


def _told(state: _State, words: list[_Words]) -> str:
    notices = ", ".join(one.text for one in words[:TOASTS_AT_ONCE])
    return event(
        f'{{"unread": {state.unread}, "notices": [{notices}]}}',
        name="notice",
        event_id=_id(state.seen),
    )


def _id(newest: datetime | None) -> str:
    return "" if newest is None else str(int(newest.timestamp() * 1_000_000))


def _moment(event_id: str) -> datetime | None:
    """When the last event that a page has seen was delivered; None for nonsense."""
    if not event_id.isascii() or not event_id.isdigit():
        return None
    try:
        return datetime.fromtimestamp(int(event_id) / 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
