"""Servers of a test's own, apart from the one that the whole run shares."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reunite
from reunite.storage.server import find_running

SOURCES = Path(reunite.__file__).resolve().parent.parent

Script = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account may pass through; ``place / "db"`` is stopped at the end.

    Not tmp_path: run by root, that is closed to the account of the server.
    """
    path = Path(tempfile.mkdtemp(prefix="reunite-test-"))
    path.chmod(0o755)
    yield path
    left = find_running(path / "db")
    if left is not None:
        left.stop()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def script(place: Path) -> Iterator[Script]:
    """Run Python source in a process of its own, with ``place / "db"`` as its argument."""
    running: list[subprocess.Popen[str]] = []

    def run(source: str, *prefix: str, executable: str = sys.executable) -> subprocess.Popen[str]:
        paths = [str(SOURCES), *(entry for entry in sys.path if "site-packages" in entry)]
        process = subprocess.Popen(
            [*prefix, executable, "-c", source, str(place / "db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)},
            cwd="/",
            start_new_session=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
