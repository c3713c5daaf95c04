"""Make, copy and drop whole databases of one server."""

from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

MAINTENANCE_DATABASE = "postgres"


def create_database(dsn: str, name: str) -> str:
    """Make an empty database on the server of ``dsn``; its address.

    Raises psycopg.errors.DuplicateDatabase.
    """
    _execute(dsn, sql.SQL("CREATE DATABASE {} STRATEGY FILE_COPY").format(sql.Identifier(name)))
    return with_database(dsn, name)


def create_database_from_template(dsn: str, name: str, template: str) -> str:
    """Copy the database ``template`` to a new one called ``name``; its address.

    Nobody may be connected to the template meanwhile.  Its files are copied as they are,
    which for a small template is the quickest way.
    """
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    _execute(dsn, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return with_database(dsn, name)


def rename_database(dsn: str, name: str, new_name: str) -> None:
    """Give a database another name; nobody may be connected to it."""
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    _execute(dsn, statement.format(sql.Identifier(name), sql.Identifier(new_name)))


def drop_database(dsn: str, name: str) -> None:
    """Drop a database and cut off whoever is connected to it; nothing if it is not there."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    _execute(dsn, statement.format(sql.Identifier(name)))


def has_database(dsn: str, name: str) -> bool:
    """Whether the server of ``dsn`` holds a database of that name."""
    with psycopg.connect(with_database(dsn, MAINTENANCE_DATABASE), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return known.fetchone() is not None


def with_database(dsn: str, name: str) -> str:
    """The address of another database on the same server, in the form of the one given."""
    if "://" in dsn:
        return urlsplit(dsn)._replace(path=f"/{quote(name, safe='')}").geturl()
    return make_conninfo(dsn, dbname=name)


def _execute(dsn: str, statement: sql.Composed) -> None:
    # None of these statements may stand in a transaction, nor in the database they concern.
    with psycopg.connect(with_database(dsn, MAINTENANCE_DATABASE), autocommit=True) as connection:
        connection.execute(statement)
