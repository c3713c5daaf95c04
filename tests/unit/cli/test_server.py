"""One application of pages and API, and a server that stops when told."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Mount, Route

from reunite.app.gallery_sync import GalleryState
from reunite.app.services import Services, Settings
from reunite.cli.server import (
    GRACE_SECONDS,
    _Server,
    address_of,
    bind,
    create_app,
    warm_up,
    worker_beside,
)
from reunite.kernel.clock import SystemClock
from reunite.kernel.errors import ReuniteError
from tests.unit.api.conftest import Client


@dataclass
class Database:
    is_there: bool = True

    def ping(self) -> None:
        if not self.is_there:
            raise ReuniteError("database_unreachable")

    def transaction(self) -> AbstractContextManager[Any]:
        raise ReuniteError("database_unreachable")


@dataclass
class Gallery:
    refreshed: int = 0

    def state(self) -> GalleryState:
        return GalleryState(3, loaded=True)

    def refresh(self) -> float:
        self.refreshed += 1
        return 0.0


class Live:
    """Says nothing until it is closed."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    async def listen(self) -> AsyncIterator[bytes]:
        while not self._closed.is_set():
            yield b": still here\n\n"
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self._closed.set()


@dataclass
class Audience:
    started: int = 0

    def start(self) -> None:
        self.started += 1


@dataclass
class World:
    database: Database = field(default_factory=Database)
    gallery: Gallery = field(default_factory=Gallery)
    audience: Audience = field(default_factory=Audience)
    donors: Audience = field(default_factory=Audience)
    live: Live = field(default_factory=Live)
    clock: SystemClock = field(default_factory=SystemClock)
    settings: Settings = field(default_factory=Settings)
    faces: object = None
    channels: dict[str, object] = field(default_factory=dict)
    queue: object = None


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(create_app(cast("Services", world)))


def test_health(world: World, client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    world.database.is_there = False
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "database_unreachable")


def test_the_api_speaks_the_language_of_the_pages(client: Client) -> None:
    answer = client.get("/api/v1/inbox", headers={"Accept-Language": "en"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Please sign in first."


def test_the_document_knows_where_the_api_is(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/api/v1"}]


def test_everything_else_is_a_page(client: Client) -> None:
    assert client.get("/no-such-page").headers["Content-Type"].startswith("text/html")


def mounted(world: World) -> list[Starlette]:
    app = create_app(cast("Services", world))
    return [cast("Starlette", route.app) for route in app.routes if isinstance(route, Mount)]


def test_pages_and_api_share_one_limit(world: World) -> None:
    api, _, pages = mounted(world)
    assert api.state.doorkeeper is pages.state.web.doorkeeper


def test_pages_are_set_up_by_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REUNITE_PUBLIC_URL", "https://reunite.example/")
    monkeypatch.setenv("REUNITE_HOTLINE", " 0571 110 ")
    settings = mounted(world)[2].state.web.settings
    assert (settings.public_url, settings.hotline) == ("https://reunite.example", "0571 110")


def test_the_next_free_port_is_taken_unless_one_is_wanted() -> None:
    with closing(bind("127.0.0.1", None)) as first, closing(bind("127.0.0.1", None)) as second:
        number = second.getsockname()[1]
        assert number > first.getsockname()[1] >= 8000
        assert address_of(second) == f"http://127.0.0.1:{number}"
        with pytest.raises(ReuniteError) as refused:
            bind("127.0.0.1", number)
    assert refused.value.code == "port_taken"
    assert refused.value.details == {"host": "127.0.0.1", "port": number}


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ReuniteError) as refused:
        bind("192.0.2.1", 8000)  # RFC 5737: nobody's
    assert refused.value.code == "address_unusable"


def test_open_streams_do_not_hold_up_the_end(world: World) -> None:
    def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(world.live.listen(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/events", stream)])
    listening = bind("127.0.0.1", None)
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = _Server(config, cast("Services", world))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        with httpx.stream("GET", f"{address_of(listening)}/events") as answer:
            assert next(answer.iter_bytes())
            told_at = time.monotonic()
            server.should_exit = True
            thread.join(GRACE_SECONDS + 5)
            took_seconds = time.monotonic() - told_at
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
    assert took_seconds < GRACE_SECONDS / 2


def test_the_worker_beside_ends_with_the_block(world: World) -> None:
    # The database of this world is never there: a worker must wait for it, and still end.
    with worker_beside(cast("Services", world)):
        assert any(thread.name == "worker" for thread in threading.enumerate())
    assert not any(thread.name == "worker" for thread in threading.enumerate())
    with worker_beside(cast("Services", world), wanted=False):
        assert not any(thread.name == "worker" for thread in threading.enumerate())


def test_warming_up(world: World) -> None:
    warm_up(cast("Services", world)).join()
    assert world.gallery.refreshed == 1
    assert world.audience.started == world.donors.started == 1


def test_a_socket_is_ready_before_the_server_runs() -> None:
    with closing(bind("127.0.0.1", None)) as listening:
        socket.create_connection(listening.getsockname(), timeout=1).close()
