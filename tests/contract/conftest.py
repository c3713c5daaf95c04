"""Every port once in memory and once for real: one suite keeps the fakes honest."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from reunite.broker.outbox import PostgresOutbox
from reunite.ports import Database, PhotoStore
from reunite.storage.database import PostgresDatabase
from reunite.storage.databases import create_database_from_template, drop_database
from reunite.storage.photo_files import PhotoDirectory
from reunite.storage.server import PostgresServer
from reunite.storage.tables import metadata
from reunite.testing.memory import MemoryDatabase, MemoryPhotoStore


@pytest.fixture(scope="session")
def postgres_database(
    postgres: PostgresServer, migrated_template: str
) -> Iterator[PostgresDatabase]:
    """One database for the suite: emptying it is much quicker than making another one."""
    name = f"contract_{os.getpid()}"
    url = create_database_from_template(postgres.dsn, name, migrated_template)
    opened = PostgresDatabase(url, PostgresOutbox)
    yield opened
    opened.dispose()
    drop_database(postgres.dsn, name)


@pytest.fixture(params=["memory", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database."""
    if request.param == "memory":
        yield MemoryDatabase()
        return
    opened: PostgresDatabase = request.getfixturevalue("postgres_database")
    yield opened
    empty(opened)


def empty(database: PostgresDatabase) -> None:
    """Remove every row; numbers start at one again."""
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database._engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


@pytest.fixture(params=["memory", "directory"])
def photo_store(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    """An empty photo store."""
    stores: dict[str, Callable[[], PhotoStore]] = {
        "memory": lambda: MemoryPhotoStore(now=lambda: datetime.now(UTC)),
        "directory": lambda: PhotoDirectory(tmp_path / "photos"),
    }
    return stores[request.param]()
