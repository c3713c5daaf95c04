"""A server on the loopback address that keeps what it is sent, and answers as it is told."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

HANG_SECONDS = 30.0


@dataclass(frozen=True)
class Arrived:
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers 201, except at paths that ``answers`` holds: status and headers; 0 hangs."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.arrived.append(Arrived(request.path, dict(request.headers), body))
        status, headers = self.answers.get(request.path, (201, {}))
        if not status:
            await asyncio.sleep(HANG_SECONDS)
        return web.Response(status=status, headers=headers)


@contextmanager
def running(application: Callable[[], web.Application]) -> Iterator[int]:
    """The port of an application that runs on a loop and a thread of its own."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ports: list[int] = []

    async def start() -> web.AppRunner:
        runner = web.AppRunner(application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        hanging = asyncio.all_tasks(loop)
        for task in hanging:
            task.cancel()
        if hanging:
            loop.run_until_complete(asyncio.wait(hanging))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver()

    def application() -> web.Application:
        made = web.Application()
        made.router.add_route("*", "/{path:.*}", receiver.answer)
        return made

    with running(application) as port:
        receiver.port = port
        yield receiver
