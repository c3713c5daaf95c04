"""Fixtures: the repositories on a database that tests share and leave empty.

To remove every row takes a fraction of the time that another database would.
"""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from reunite.broker.outbox import PostgresOutbox
from reunite.storage.database import PostgresDatabase
from reunite.storage.databases import create_database_from_template, drop_database
from reunite.storage.server import PostgresServer
from reunite.storage.tables import metadata


@pytest.fixture(scope="session")
def shared_database_url(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """Address of a migrated database that lives as long as the test run."""
    name = f"shared_{os.getpid()}"
    yield create_database_from_template(postgres.dsn, name, migrated_template)
    drop_database(postgres.dsn, name)


@pytest.fixture(scope="session")
def shared_database(shared_database_url: str) -> Iterator[PostgresDatabase]:
    """The repositories on it; ``postgres_database`` is the one to use in a test."""
    opened = PostgresDatabase(shared_database_url, PostgresOutbox)
    yield opened
    opened.dispose()


@pytest.fixture
def postgres_database(shared_database: PostgresDatabase) -> Iterator[PostgresDatabase]:
    """An empty database."""
    yield shared_database
    # Migrations fill that table: what they wrote stays.
    emptied = [table.name for table in metadata.sorted_tables if table.name != "time_zones"]
    names = ", ".join(f'"{name}"' for name in emptied)
    with shared_database._engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
