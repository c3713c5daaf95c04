"""A real server as a process of its own: real HTTP, PostgreSQL, models, and kill -9."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from reunite.accounts.account import Role
from reunite.app.bootstrap import inspect_database, read_config
from reunite.app.services import Services
from reunite.app.sign_in import create_account
from reunite.broker.outbox import PostgresOutbox
from reunite.kernel.clock import SystemClock
from reunite.kernel.languages import DEFAULT_LANGUAGE
from reunite.ports import ChannelAddress, ChannelName
from reunite.storage.database import PostgresDatabase
from reunite.storage.migrate import upgrade

START_SECONDS = 60.0
PASSWORD = "a long enough password"


def run_cli(data: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run ``reunite`` to its end."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*REUNITE, *arguments],
        env=environment(data),
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
        **options,
    )


REUNITE = (sys.executable, "-c", "from reunite.cli.main import app; app()")


def environment(data: Path) -> dict[str, str]:
    """The environment of a process on its own data directory."""
    return {**os.environ, "REUNITE_DATA": str(data), "LANG": "C.UTF-8", "COLUMNS": "200"}


@dataclass
class Server:
    """A running ``reunite serve``."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        log = (self.data / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [*REUNITE, "serve", "--port", str(self.port), *options],
                env=environment(self.data),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.address}/healthz", timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail(f"no server:\n{(self.data / 'server.log').read_text()[-4000:]}")

    def kill(self) -> None:
        """As kill -9 does; PostgreSQL, a process of its own, goes on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it as Ctrl-C does, and with it PostgreSQL."""
        for client in self.clients:
            client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        else:
            # Takes over the PostgreSQL that a killed server left, and stops it at its end.
            run_cli(self.data, "db", "status")

    def add_account(self, name: str, role: str) -> str:
        """An account, made as ``reunite user add`` makes it; its address.

        Without a process of its own: a test needs up to six, and each would load everything.
        """
        email = f"{name}@example.org"
        with self._database() as database:
            services = cast("Services", SimpleNamespace(database=database, clock=SystemClock()))
            create_account(services, email, PASSWORD, name, Role(role), DEFAULT_LANGUAGE)
        return email

    def add_address(self, email: str, channel: ChannelName, address: str) -> None:
        """A way to tell this account, as if its owner had confirmed it."""
        now = SystemClock().now()
        with self._database() as database, database.transaction() as transaction:
            account = transaction.accounts.find_by_email(email)
            assert account is not None
            transaction.channel_addresses.add(
                ChannelAddress(account.id, channel, address, now, confirmed_at=now)
            )

    @contextmanager
    def _database(self) -> Iterator[PostgresDatabase]:
        with inspect_database(read_config(environment(self.data))) as state:
            upgrade(state.dsn)
            database = PostgresDatabase(state.dsn, PostgresOutbox)
            try:
                yield database
            finally:
                database.dispose()

    def client(self, email: str | None = None) -> httpx.Client:
        """The API, as this account."""
        client = httpx.Client(base_url=f"{self.address}/api/v1", timeout=60)
        self.clients.append(client)
        if email is not None:
            answer = client.post("/sessions", json={"email": email, "password": PASSWORD})
            assert answer.status_code == httpx.codes.CREATED, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> object:
    """The first true answer of ``condition``; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.1)
    return pytest.fail("nothing happened in time")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on an empty data directory, not started yet."""
    # Not below tmp_path: pytest shuts that to other accounts, and the one that runs
    # PostgreSQL, when the tests run as root, is another.
    with tempfile.TemporaryDirectory(prefix="reunite-server-") as place:
        Path(place).chmod(0o755)
        data = Path(place) / "data"
        data.mkdir()
        made = Server(data, free_port())
        yield made
        made.stop()
