"""A real NATS server on loopback: its own port, its own directory, and kill -9."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import free_port

START_SECONDS = 20.0


@dataclass
class NatsServer:
    """``nats-server`` with JetStream."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        log = self.folder / "nats.log"
        seen = log.stat().st_size if log.exists() else 0
        self.process = subprocess.Popen(
            [
                *(_program(), "--addr", "127.0.0.1", "--port", str(self.port)),
                *("--jetstream", "--store_dir", str(self.folder / "store"), "--log", str(log)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if log.exists() and b"Server is ready" in log.read_bytes()[seen:]:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        pytest.fail(f"no NATS server: {log.read_text()[-2000:] if log.exists() else ''}")

    def kill(self) -> None:
        """As kill -9 does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def forget(self) -> None:
        """Lose everything that was stored; only while it does not run."""
        shutil.rmtree(self.folder / "store", ignore_errors=True)


def _program() -> str:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    assert found, "no nats-server: it comes with the development dependencies"
    return found


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A running server with nothing on it."""
    with tempfile.TemporaryDirectory(prefix="reunite-nats-") as place:
        server = NatsServer(Path(place), free_port())
        server.start()
        yield server
        if server.process is not None and server.process.poll() is None:
            server.kill()
