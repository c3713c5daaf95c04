"""The server: pages and API as one application, with a worker beside them."""

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRINUSE
from typing import Protocol, runtime_checkable

import numpy as np
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from reunite.api.feeds import PATH as FEEDS_PATH
from reunite.api.feeds import create_feeds
from reunite.api.main import create_api
from reunite.app.services import Services
from reunite.app.throttle import Doorkeeper
from reunite.cli.messages import describe
from reunite.gallery.port import Probes
from reunite.kernel.errors import ReuniteError
from reunite.kernel.places import Point, is_at_sea
from reunite.web.main import create_web
from reunite.web.settings import WebSettings, read_web_settings
from reunite.worker.loop import Worker

log = structlog.get_logger(__name__)

API_PATH = "/api/v1"
PORTS_TO_TRY = 50
# Requests under way get this long to end; an upload on a slow line may take it.
GRACE_SECONDS = 5
WORKER_GRACE_SECONDS = 30.0


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


@runtime_checkable
class _Loadable(Protocol):
    def load(self) -> None: ...


def create_app(services: Services, settings: WebSettings | None = None) -> Starlette:
    """Pages, the API under ``/api/v1``, feeds under ``/feeds``, and ``/healthz``.

    ``settings`` of the pages come from the environment unless given.
    """
    doorkeeper = Doorkeeper(services.clock)
    settings = settings or read_web_settings()
    app = Starlette(
        routes=[
            Route("/healthz", _healthz, methods=["GET"]),
            Mount(API_PATH, create_api(services, describe, doorkeeper)),
            Mount(FEEDS_PATH, create_feeds(services, describe, public_url=settings.public_url)),
            Mount("/", create_web(services, settings, doorkeeper)),
        ]
    )
    app.state.services = services
    return app


async def _healthz(request: Request) -> JSONResponse:
    """Whether this process can serve: 200, or 503 while the database does not answer."""
    services: Services = request.app.state.services
    state = services.gallery.state()
    body: dict[str, object] = {"status": "ok", "gallery_loaded": state.loaded}
    status = 200
    try:
        await run_in_threadpool(services.database.ping)
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer is the same)
        log.warning("health_check_failed", error=type(error).__name__)
        body["status"], status = "database_unreachable", 503
    return JSONResponse(body, status, {"Cache-Control": "no-store"})


class _Server(uvicorn.Server):
    """Ends open event streams before waiting for requests, which they would hold up."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        live = self._services.live
        if isinstance(live, _Closable):
            await asyncio.to_thread(live.close)
        await super().shutdown(sockets)


def serve(services: Services, listening: socket.socket, *, trusted_proxies: str = "") -> None:
    """Serve until told to stop by a signal.

    ``trusted_proxies`` names the addresses, by commas, whose ``X-Forwarded-*`` headers say
    where a request came from; empty believes none.
    """
    config = uvicorn.Config(
        create_app(services),
        http="httptools",
        # Addresses of readers and tokens of searches are nobody's business.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    server = _Server(config, services)
    spare_the_garbage_collector()
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        # Raised again by uvicorn once everything has ended: that is how it was asked to stop.
        log.info("server_stopped")


def spare_the_garbage_collector() -> None:
    """Have it look seldom, and never again at what is there now.

    With thousands of pages open it would otherwise go through all of their objects several
    times while one notice goes out, which takes longer than telling them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def bind(host: str, port: int | None, default_port: int = 8000) -> socket.socket:
    """A listening socket at ``port``, or at the first free one from ``default_port`` on.

    Raises ReuniteError ``port_taken`` or ``address_unusable``.
    """
    wanted = [port] if port is not None else range(default_port, default_port + PORTS_TO_TRY)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in wanted:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, number))
            # Now, so that nobody else gets the port before the server runs.
            listening.listen(2048)
        except OSError as error:
            listening.close()
            if error.errno != EADDRINUSE:
                raise ReuniteError("address_unusable", host=host) from error
            continue
        return listening
    raise ReuniteError("port_taken", host=host, port=wanted[0])


def address_of(listening: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def worker_beside(services: Services, *, wanted: bool = True) -> Iterator[None]:
    """A worker in a thread of this process for as long as the block lasts."""
    if not wanted:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=Worker(services).run_until, args=(stop,), name="worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(WORKER_GRACE_SECONDS)


def warm_up(services: Services) -> threading.Thread:
    """Load models and gallery in a thread, so that the first visitor need not wait."""

    def load() -> None:
        try:
            if isinstance(services.faces, _Loadable):
                services.faces.load()
            # The map of land: whoever reports a place first need not wait for it.
            is_at_sea(Point(0, 0))
            services.audience.start()
            services.donors.start()
            services.gallery.refresh()
            # The first search compiles, or reads, the loops of the scan.
            space = services.gallery.space
            nobody = np.eye(1, space.dim, dtype=np.float32)
            services.gallery.search(Probes(space, nobody), 1)
        except Exception:  # whoever searches first is told what is wrong
            log.exception("warm_up_failed")

    thread = threading.Thread(target=load, name="warm-up", daemon=True)
    thread.start()
    return thread
