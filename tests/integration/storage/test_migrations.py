"""Migrations on a real PostgreSQL."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from reunite.kernel.errors import ReuniteError
from reunite.storage.migrate import current, newest, upgrade
from reunite.storage.server import sqlalchemy_url
from reunite.storage.tables import metadata

# Columns, defaults, constraints and indexes as PostgreSQL itself writes them down.
SHAPE = text("""
    SELECT table_name, 'column ' || column_name AS name,
           concat_ws(' ', data_type, is_nullable, column_default, identity_generation) AS definition
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT conrelid::regclass::text, 'constraint ' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    ORDER BY 1, 2
""")


def shape_of(dsn: str) -> dict[tuple[str, str], str]:
    engine = create_engine(sqlalchemy_url(dsn))
    with engine.connect() as connection:
        rows = connection.execute(SHAPE).all()
    engine.dispose()
    return {
        (row.table_name, row.name): row.definition for row in rows if row[0] != "alembic_version"
    }


def test_an_empty_database_is_brought_to_the_newest_revision(empty_database_url: str) -> None:
    assert current(empty_database_url) is None
    upgrade(empty_database_url)
    assert current(empty_database_url) == newest()
    upgrade(empty_database_url)
    assert current(empty_database_url) == newest()


def test_processes_that_start_at_once_wait_for_one_another(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(upgrade, [empty_database_url] * 4):
            pass
    assert current(empty_database_url) == newest()


def test_alembic_finds_no_difference_to_the_tables(shared_database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(shared_database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        with warnings.catch_warnings():
            # Indexes on conditions are compared below, which Alembic says it cannot.
            warnings.simplefilter("ignore")
            assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_lead_to_what_the_tables_say(
    shared_database_url: str, empty_database_url: str
) -> None:
    engine = create_engine(sqlalchemy_url(empty_database_url))
    metadata.create_all(engine)
    engine.dispose()
    assert shape_of(shared_database_url) == shape_of(empty_database_url)


def test_an_unreachable_database_is_named_as_such() -> None:
    with pytest.raises(ReuniteError) as refused:
        upgrade("postgresql://nobody@/nothing?host=/nowhere")
    assert refused.value.code == "database_unreachable"
