"""The same handle for an embedded server and for one that somebody else runs."""

from pathlib import Path

import psycopg
import pytest

from reunite.storage.databases import (
    create_database,
    create_database_from_template,
    drop_database,
    has_database,
    rename_database,
    with_database,
)
from reunite.storage.server import (
    DatabaseUnreachableError,
    PostgresServer,
    open_database,
    sqlalchemy_url,
)


def test_a_dsn_reaches_a_server_and_leaves_it_running(postgres: PostgresServer) -> None:
    with open_database(dsn=postgres.dsn) as database:
        assert database.is_running
        assert not database.owns
        with psycopg.connect(database.dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert postgres.is_running


def test_sqlalchemys_form_of_the_address_is_taken_too(postgres: PostgresServer) -> None:
    text = sqlalchemy_url(postgres.dsn).render_as_string(hide_password=False)
    with open_database(dsn=text) as database, psycopg.connect(database.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_directory_starts_a_server_of_our_own(place: Path) -> None:
    with open_database(data_directory=place / "db") as database:
        assert database.owns
        with open_database(data_directory=place / "db") as second:
            assert not second.owns
            assert second.dsn == database.dsn


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://someone:hush-hush@127.0.0.1:1/reunite",
        "postgresql://someone:hush-hush@/reunite?host=/nonexistent",
        "host=127.0.0.1 port=1 password=hush-hush dbname=reunite",
        "hush-hush",
    ],
)
def test_an_unreachable_server_is_named_without_its_password(dsn: str) -> None:
    with pytest.raises(DatabaseUnreachableError) as caught:
        open_database(dsn=dsn)
    assert caught.value.code == "database_unreachable"
    assert "hush-hush" not in str(caught.value)


def test_neither_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="dsn or a data_directory"):
        open_database()


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        (
            "postgresql://reunite@/reunite?host=%2Frun%2Fit%27s&port=5432",
            "postgresql://reunite@/other?host=%2Frun%2Fit%27s&port=5432",
        ),
        ("dbname=reunite host=/run", "dbname=other host=/run"),
    ],
)
def test_the_address_of_another_database(dsn: str, expected: str) -> None:
    assert with_database(dsn, "other") == expected


def test_both_forms_of_an_address_serve_sqlalchemy() -> None:
    url = sqlalchemy_url("host=/run port=5433 dbname=reunite")
    assert url.drivername == "postgresql+psycopg"
    assert url.query == {"host": "/run", "port": "5433", "dbname": "reunite"}


def test_copies_of_a_template_are_apart(postgres: PostgresServer) -> None:
    template = create_database(postgres.dsn, "opening_draft")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE word (word text)")
        connection.execute("INSERT INTO word VALUES ('first')")
    rename_database(postgres.dsn, "opening_draft", "opening_template")
    try:
        for _ in range(2):
            copy = create_database_from_template(postgres.dsn, "opening_copy", "opening_template")
            with psycopg.connect(copy) as connection:
                connection.execute("INSERT INTO word VALUES ('second')")
                assert connection.execute("SELECT count(*) FROM word").fetchone() == (2,)
                connection.commit()
                # A connection left open is cut off.
                drop_database(postgres.dsn, "opening_copy")
            assert not has_database(postgres.dsn, "opening_copy")
    finally:
        drop_database(postgres.dsn, "opening_template")
