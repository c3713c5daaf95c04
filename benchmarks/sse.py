"""Ten thousand open pages: how soon the last of them hears of a notice.

python -m benchmarks.sse --json

The server is the one of the pages, with real sessions, inboxes and PostgreSQL; the clients are
bare sockets in processes of their own, on the same machine: what they cost is reported beside
what the server costs, in processor time of one round.  Measured from before the chunks are put
into inboxes until the last client has the whole event; median of the rounds.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import psycopg
import structlog
import uvicorn
import uvloop

from benchmarks.lean import lean_services
from reunite.alerts.notices import CHUNK_RECIPIENTS, Notice, NoticeKind, number
from reunite.app.deliver_chunks import deliver_to_inboxes
from reunite.app.search_face import digest_of
from reunite.app.services import Services
from reunite.cases.case import CaseStatus
from reunite.cli.server import spare_the_garbage_collector
from reunite.kernel.clock import SystemClock
from reunite.storage.migrate import upgrade
from reunite.storage.server import PostgresServer
from reunite.testing.factories import store_case
from reunite.web.main import create_web

_PEOPLE = """
    INSERT INTO accounts (email, display_name, password_hash, role, language, organisation,
                          disabled, created_at)
    SELECT 's' || n, '', '!', 'volunteer', 'zh', '', false, now()
    FROM generate_series(1, %s) AS n RETURNING id
"""
_SESSIONS = """
    INSERT INTO sessions (token_digest, account_id, expires_at)
    SELECT * FROM unnest(%s::bytea[], %s::bigint[], %s::timestamptz[])
"""
SERVER_DESCRIPTORS = 60_000
CONNECTING_AT_ONCE = 200
TOLD_WITHIN_SECONDS = 120.0


def raise_limit() -> None:
    """As many open sockets as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, SERVER_DESCRIPTORS), hard))


def serve(dsn: str, listening: socket.socket) -> None:
    raise_limit()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    config = uvicorn.Config(
        create_web(lean_services(dsn, live=True)),
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="error",
        lifespan="off",
        server_header=False,
    )
    spare_the_garbage_collector()
    uvicorn.Server(config).run(sockets=[listening])


class Client(asyncio.Protocol):
    """One open page; counts its events."""

    def __init__(self, told: "Told", token: str) -> None:
        self.told = told
        self.token = token
        self.tail = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        request = (
            "GET /inbox/stream?language=zh HTTP/1.1\r\nHost: reunite.example\r\n"
            f"Cookie: reunite_session={self.token}\r\nAccept: text/event-stream\r\n\r\n"
        )
        cast("asyncio.Transport", transport).write(request.encode())

    def data_received(self, data: bytes) -> None:
        seen = self.tail + data
        if b"event: unread" in seen and not self.ready.done():
            self.ready.set_result(None)
            self.tail = b""
            return
        if b"event: notice" in seen and seen.endswith(b"\n\n\r\n"):
            self.tail = b""
            self.told.one()
            return
        self.tail = seen

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.lost += 1
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed"))


class Told:
    """How many clients have heard, and when the last of them did."""

    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.lost = 0
        self.count = 0
        self.all = asyncio.Event()
        self.last_at = 0.0

    def one(self) -> None:
        self.count += 1
        if self.count == self.clients:
            self.last_at = time.monotonic()
            self.all.set()

    def again(self) -> None:
        self.count = 0
        self.all.clear()


def hear(port: int, tokens: list[str], rounds: int, pipe: Any) -> None:
    """Open every page, then say of each round when the last one had heard."""
    raise_limit()

    async def run() -> None:
        told = Told(len(tokens))
        loop = asyncio.get_running_loop()
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def connect(token: str) -> Client:
            async with gate:
                _, client = await loop.create_connection(
                    lambda: Client(told, token), "127.0.0.1", port
                )
                await client.ready
                return client

        clients = await asyncio.gather(*map(connect, tokens))
        pipe.send(len(clients))
        for _ in range(rounds):
            told.again()
            pipe.send("listening")
            try:
                async with asyncio.timeout(TOLD_WITHIN_SECONDS):
                    await told.all.wait()
            except TimeoutError:
                pipe.send((told.count, told.lost, None))
                return
            pipe.send((told.count, told.lost, told.last_at))

    uvloop.run(run())


def processor_seconds(process: Any) -> float:
    """What a process has used so far, all its threads together (proc(5))."""
    text = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(services: Services, case_id: Any, account_ids: Any) -> float:
    """Put a notice into these inboxes; when that began."""
    database = services.database
    notice = Notice(case_id, NoticeKind.PUBLISHED, SystemClock().now(), 30.0, len(account_ids))
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        parts = range(0, len(account_ids), CHUNK_RECIPIENTS)
        transaction.notices.add_chunks(
            number(notice.id, (account_ids[at : at + CHUNK_RECIPIENTS] for at in parts))
        )
        transaction.notices.open_inboxes(notice.id, SystemClock().now())
    started = time.monotonic()
    while deliver_to_inboxes(services):
        pass
    return started


def run(n_clients: int, n_processes: int, rounds: int, folder: Path) -> dict[str, Any]:
    postgres = PostgresServer(folder / "data").attach_or_start()
    context = multiprocessing.get_context("spawn")
    processes = []
    try:
        upgrade(postgres.dsn)
        services = lean_services(postgres.dsn)
        case, _ = store_case(services.database, status=CaseStatus.PUBLISHED)
        tokens = [f"token-{n}" for n in range(n_clients)]
        until = SystemClock().now() + timedelta(days=1)
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            ids = [row[0] for row in connection.execute(_PEOPLE, [n_clients])]
            digests = [digest_of(token) for token in tokens]
            connection.execute(_SESSIONS, [digests, ids, [until] * n_clients])
        listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        processes.append(context.Process(target=serve, args=(postgres.dsn, listening), daemon=True))
        port = listening.getsockname()[1]
        pipes = []
        for number in range(n_processes):
            ours, theirs = context.Pipe()
            pipes.append(ours)
            some = tokens[number::n_processes]
            processes.append(
                context.Process(target=hear, args=(port, some, rounds, theirs), daemon=True)
            )
        started = time.monotonic()
        for process in processes:
            process.start()
        assert sum(pipe.recv() for pipe in pipes) == n_clients
        connect_seconds = time.monotonic() - started
        times, server_seconds, client_seconds = [], [], []
        for _ in range(rounds):
            assert {pipe.recv() for pipe in pipes} == {"listening"}
            time.sleep(0.5)
            before = [processor_seconds(process) for process in processes]
            begun = tell(services, case.id, np.array(ids, dtype=np.int64))
            heard = [pipe.recv() for pipe in pipes]
            told, lost = (sum(one[at] for one in heard) for at in (0, 1))
            assert (told, lost) == (n_clients, 0), (told, lost)
            times.append(max(one[2] for one in heard) - begun)
            used = [processor_seconds(process) for process in processes]
            spent = [after - first for first, after in zip(before, used, strict=True)]
            server_seconds.append(spent[0])
            client_seconds.append(sum(spent[1:]))
        return {
            "clients": n_clients,
            "client_processes": n_processes,
            "last_client_seconds": statistics.median(times),
            "best_seconds": min(times),
            "worst_seconds": max(times),
            "connect_seconds": connect_seconds,
            "server_processor_seconds": statistics.median(server_seconds),
            "clients_processor_seconds": statistics.median(client_seconds),
            "machine": {
                "threads": len(os.sched_getaffinity(0)),
                "load": round(os.getloadavg()[0], 2),
            },
        }
    finally:
        for process in processes:
            process.kill()
            process.join(10)
        postgres.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--client-processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="reunite-sse-") as place:
        Path(place).chmod(0o755)
        result = run(asked.clients, asked.client_processes, asked.rounds, Path(place))
    results = Path(__file__).parent / "results"
    text = json.dumps(result, indent=1)
    (results / f"sse-{asked.clients}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write((json.dumps(result) if asked.json else text) + "\n")


if __name__ == "__main__":
    main()
