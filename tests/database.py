"""Fixtures: one PostgreSQL for the whole test run, and a fresh database for each test.

The first test that asks starts the server, whichever xdist worker runs it; the process
that runs the session stops it at the end.  Migrations run once, into a template, and
each test gets a copy of that.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reunite.storage.databases import (
    create_database,
    create_database_from_template,
    drop_database,
    has_database,
    rename_database,
)
from reunite.storage.server import PostgresServer, attach_or_start, find_running

_DIRECTORY_VARIABLE = "REUNITE_TEST_DATABASE_DIRECTORY"
_PREFIX = f"reunite-tests-{os.getuid()}-"
_TEMPLATE = "template_migrated"
_HALF_BUILT = "template_being_built"
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the place of the server; the workers that start later inherit it."""
    if hasattr(config, "workerinput"):
        return
    _remove_left_overs()
    place = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}"
    place.mkdir(mode=0o755, exist_ok=True)
    # Open to the account that runs the server when the tests run as root.
    place.chmod(0o755)
    os.environ[_DIRECTORY_VARIABLE] = str(place)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server once every worker has ended."""
    if hasattr(config, "workerinput") or _DIRECTORY_VARIABLE not in os.environ:
        return
    _remove(Path(os.environ.pop(_DIRECTORY_VARIABLE)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test run. Fast and forgetful: not for tests of crashes."""
    server = attach_or_start(_place() / "data", durability="fast")
    yield server
    # Other workers may still use it: pytest_unconfigure stops it.
    server.detach()


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> str:
    """Name of a database with every migration applied; copy it, never connect to it."""
    with _locked(_place() / "template.lock"):
        if not has_database(postgres.dsn, _TEMPLATE):
            from reunite.storage.migrate import upgrade  # noqa: PLC0415 - only tests that need it

            # Renamed when it is whole, so that a failed migration is not taken for a template.
            drop_database(postgres.dsn, _HALF_BUILT)
            upgrade(create_database(postgres.dsn, _HALF_BUILT))
            rename_database(postgres.dsn, _HALF_BUILT, _TEMPLATE)
    return _TEMPLATE


@pytest.fixture
def database_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """Address of a fresh, migrated database that lives as long as the test."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield create_database_from_template(postgres.dsn, name, migrated_template)
    drop_database(postgres.dsn, name)


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """Address of a fresh database without any table."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield create_database(postgres.dsn, name)
    drop_database(postgres.dsn, name)


def _place() -> Path:
    return Path(os.environ[_DIRECTORY_VARIABLE])


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_left_overs() -> None:
    """Stop and remove what a test run that was killed left behind."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = place.name.removeprefix(_PREFIX)
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            _remove(place)


def _remove(place: Path) -> None:
    server = find_running(place / "data")
    if server is not None:
        server.stop()
    shutil.rmtree(place, ignore_errors=True)
