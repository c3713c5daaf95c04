"""The stream of notices, over real HTTP on loopback: it has to end, and an ASGI client waits."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn

from reunite.app.close_case import resolve_case
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.sign_in import change_account
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.kernel.ids import AccountId
from reunite.kernel.people import Module
from reunite.ports import Arrival, Prepare, Transaction
from reunite.web.main import create_web
from reunite.web.pages import inbox
from tests.unit.app.world import HANGZHOU
from tests.unit.web.conftest import Site

SECONDS = 10.0  # for what takes milliseconds


class Channel:
    """A ``LiveChannel`` that can be closed, as the one on PostgreSQL."""

    def __init__(self) -> None:
        self.waiting: list[Queue] = []

    def subscribe(
        self, account_id: AccountId, prepare: Prepare | None = None
    ) -> AsyncIterator[frozenset[Arrival]]:
        queue = Queue()
        self.waiting.append(queue)
        return queue

    def tell(self, *arrivals: Arrival) -> None:
        for queue in self.waiting:
            queue.items.put_nowait(frozenset(arrivals))

    def close(self) -> None:
        for queue in self.waiting:
            queue.items.put_nowait(None)


class Queue:
    """A class, not a generator: waiting may be cancelled and taken up again."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[frozenset[Arrival] | None] = asyncio.Queue()

    def __aiter__(self) -> "Queue":
        return self

    async def __anext__(self) -> frozenset[Arrival]:
        arrived = await self.items.get()
        if arrived is None:
            raise StopAsyncIteration
        return arrived


class CountedDatabase:
    """Counts the transactions that are open."""

    def __init__(self, site: Site) -> None:
        self._database = site.world.database
        self.open = 0

    @contextmanager
    def _counted(self) -> Iterator[Transaction]:
        self.open += 1
        try:
            with self._database.transaction() as transaction:
                yield transaction
        finally:
            self.open -= 1

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._counted()

    def ping(self) -> None:
        self._database.ping()


class Running:
    """A server on loopback and a reader of its events."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.channel = Channel()
        self.database = CountedDatabase(site)
        services = replace(site.world.services, live=self.channel, database=self.database)
        self.cookies = dict(site.reader(site.world.volunteer).client.cookies)
        self.listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            create_web(services), log_level="error", lifespan="off", http="httptools", ws="none"
        )
        self.server = uvicorn.Server(config)
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    @asynccontextmanager
    async def events(self, query: str = "?language=en", **headers: str) -> AsyncIterator["Events"]:
        async with (
            httpx.AsyncClient(base_url=self.address, cookies=self.cookies) as client,
            client.stream("GET", f"/inbox/stream{query}", headers=headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            yield Events(answer.aiter_lines())

    async def get(
        self, path: str, method: str = "GET", *, signed_in: bool = True
    ) -> httpx.Response:
        cookies = self.cookies if signed_in else {}
        async with httpx.AsyncClient(base_url=self.address, cookies=cookies) as client:
            return await client.request(method, path)


class Events:
    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def line(self) -> str:
        return await asyncio.wait_for(anext(self._lines), SECONDS)

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """Name, id and data of the next event."""
        fields: dict[str, str] = {}
        while True:
            line = await self.line()
            if not line and "data" in fields:
                return fields["event"], fields.get("id", ""), json.loads(fields["data"])
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value

    async def rest(self) -> list[str]:
        """What comes until the stream ends."""
        return [line async for line in self._lines]


def run(site: Site, story: Callable[[Running], Awaitable[None]]) -> None:
    async def whole() -> None:
        running = Running(site)
        serving = asyncio.ensure_future(running.server.serve([running.listening]))
        try:
            # The socket listens already: what comes too early waits.
            await story(running)
        finally:
            running.channel.close()
            running.server.should_exit = True
            await asyncio.wait_for(serving, SECONDS)

    asyncio.run(whole())


def join(site: Site) -> None:
    join_alerts(
        site.world.services, site.world.volunteer, JoinRequest(frozenset(Module), point=HANGZHOU)
    )


def publish(site: Site, name: str = "林小雨") -> str:
    site.world.pass_time(seconds=1)
    reference = site.world.open(person=Person(name=name), place_label="断桥")
    site.world.publish(reference, 5.0)
    site.world.drain()
    return reference


def test_a_notice_arrives_at_once(site: Site) -> None:
    join(site)

    async def story(running: Running) -> None:
        async with running.events() as events:
            assert await events.next() == ("unread", "", {"unread": 0})
            reference = await asyncio.to_thread(publish, site)
            running.channel.tell()
            name, _, data = await events.next()
            assert name == "notice"
            assert data["unread"] == 1
            (notice,) = data["notices"]
            assert notice["title"] == "Missing: 林小雨"
            assert notice["path"] == f"/en/cases/{reference}"

    run(site, story)


def test_it_speaks_the_language_of_the_page(site: Site) -> None:
    join(site)

    async def story(running: Running) -> None:
        async with running.events("?language=zh") as events:
            await events.next()
            await asyncio.to_thread(publish, site)
            running.channel.tell()
            notice = (await events.next())[2]["notices"][0]
            assert notice["title"] == "寻找：林小雨"
            assert notice["path"].startswith("/zh/")

    run(site, story)


def test_the_end_of_a_search_is_told_without_the_name(site: Site) -> None:
    join(site)
    reference = publish(site)

    async def story(running: Running) -> None:
        async with running.events() as events:
            assert (await events.next())[2] == {"unread": 1}
            services, actor = site.world.services, site.world.reviewer
            site.world.pass_time(seconds=1)
            resolve_case(services, actor, reference, Outcome.REUNITED, ResolutionCause.POLICE)
            site.world.drain()
            running.channel.tell()
            (notice,) = (await events.next())[2]["notices"]
            assert "林小雨" not in json.dumps(notice, ensure_ascii=False)
            assert "Thank you" in notice["text"]
            assert notice["path"] == "/en/inbox"

    run(site, story)


def test_word_of_nothing_new_tells_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "HEARTBEAT_SECONDS", 0.1)
    join(site)
    publish(site)

    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            running.channel.tell()
            assert await events.line() == ": still here"

    run(site, story)


def test_what_came_while_the_page_was_away_is_not_missed(site: Site) -> None:
    join(site)
    publish(site, "First")

    async def story(running: Running) -> None:
        async with running.events() as events:
            _, seen, _ = await events.next()
        await asyncio.to_thread(publish, site, "Second")
        async with running.events(f"?language=en&after={seen}") as events:
            await events.next()
            name, _, data = await events.next()
            assert name == "notice"
            assert [notice["title"] for notice in data["notices"]] == ["Missing: Second"]
        async with running.events(**{"Last-Event-ID": seen}) as events:
            await events.next()
            assert (await events.next())[0] == "notice"

    run(site, story)


@pytest.mark.parametrize("after", ["x", "9" * 40, "-1", "²"])
def test_a_nonsensical_last_id_is_ignored(site: Site, after: str) -> None:
    async def story(running: Running) -> None:
        async with running.events(f"?language=nn&after={after}") as events:
            assert (await events.next())[0] == "unread"

    run(site, story)


def test_heartbeats_while_nothing_happens_and_no_transaction_is_held(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "HEARTBEAT_SECONDS", 0.05)

    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            for _ in range(3):
                assert await events.line() == ": still here"
                assert await events.line() == ""
                assert running.database.open == 0

    run(site, story)


def test_the_stream_ends_with_the_channel_and_the_server_stops(site: Site) -> None:
    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            begun = time.monotonic()
            running.channel.close()
            running.server.should_exit = True
            await asyncio.wait_for(events.rest(), SECONDS)
            assert time.monotonic() - begun < 2

    run(site, story)


def open_pages(site: Site) -> float | None:
    registry = site.world.services.metrics.registry
    return registry.get_sample_value("reunite_live_pages")


def test_a_reader_who_leaves_is_forgotten_at_once(site: Site) -> None:
    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            assert open_pages(site) == 1
        for _ in range(200):
            if open_pages(site) == 0:
                return
            await asyncio.sleep(0.01)
        pytest.fail("the page is still there")

    run(site, story)


def test_what_arrives_is_told_without_looking_into_each_inbox(site: Site) -> None:
    join(site)

    async def story(running: Running) -> None:
        async with running.events() as first, running.events("?language=zh") as second:
            await first.next()
            await second.next()
            reference = await asyncio.to_thread(publish, site)
            [arrival] = site.world.database.live.arrivals
            running.channel.tell(arrival)
            running.channel.tell(arrival)
            name, event_id, data = await first.next()
            assert (name, data["unread"]) == ("notice", 1)
            (notice,) = data["notices"]
            assert (notice["title"], notice["topic"]) == ("Missing: 林小雨", reference)
            assert (await second.next())[2]["notices"][0]["title"] == "寻找：林小雨"
        # What was told is not told again to a page that comes back.
        async with running.events(f"?language=en&after={event_id}") as events:
            assert await events.next() == ("unread", event_id, {"unread": 1})
            await asyncio.to_thread(publish, site, "Another")
            running.channel.tell()
            (notice,) = (await events.next())[2]["notices"]
            assert notice["title"] == "Missing: Another"

    run(site, story)


def test_whoever_has_signed_out_hears_no_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(inbox, "ASK_AGAIN_SECONDS", 0.05)

    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            with site.world.database.transaction() as transaction:
                transaction.accounts.delete_sessions_of(site.world.volunteer.account_id)
            await asyncio.wait_for(events.rest(), SECONDS)

    run(site, story)


def test_an_account_that_is_shut_out_hears_no_more(site: Site) -> None:
    join(site)

    async def story(running: Running) -> None:
        async with running.events() as events:
            await events.next()
            change_account(
                site.world.services,
                site.world.admin,
                site.world.volunteer.account_id,
                disabled=True,
            )
            running.channel.tell()
            assert not [line for line in await events.rest() if line]
        answer = await running.get("/inbox/stream")
        assert answer.status_code == 303

    run(site, story)


def test_the_browser_comes_back_after_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LONGEST_STREAM_SECONDS", 0.1)
    monkeypatch.setattr(inbox, "HEARTBEAT_SECONDS", 0.05)

    async def story(running: Running) -> None:
        async with running.events() as events:
            assert await events.line() == "retry: 3000"
            await asyncio.wait_for(events.rest(), SECONDS)

    run(site, story)


def test_a_page_may_ask_whether_to_come_back(site: Site) -> None:
    async def story(running: Running) -> None:
        assert (await running.get("/inbox/stream", "HEAD")).status_code == 200
        stranger = await running.get("/inbox/stream", "HEAD", signed_in=False)
        assert stranger.status_code == 303

    run(site, story)
