"""One way in to the database, whoever runs it."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from psycopg.conninfo import conninfo_to_dict as _parts
from sqlalchemy import URL, make_url

from reunite.storage.server.external import ExternalDatabase, psycopg_dsn
from reunite.storage.server.handle import PostgresServer


class DatabaseHandle(Protocol):
    """A database that is up for as long as the handle is open."""

    @property
    def dsn(self) -> str:
        """Its address, for psycopg."""

    @property
    def owns(self) -> bool:
        """Whether closing the handle stops the server."""

    @property
    def is_running(self) -> bool:
        """Whether the server is there as far as this process can tell without asking it."""

    def close(self) -> None:
        """Let go of it, and stop the server if this handle started it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_database(
    *,
    dsn: str | None = None,
    data_directory: Path | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> DatabaseHandle:
    """The PostgreSQL at ``dsn`` when one is given, else the one of ``data_directory``.

    The second is started unless a process of this machine runs it already.  Raises the
    errors of ``reunite.storage.server.errors``, and ValueError when neither is given.
    """
    if dsn:
        return ExternalDatabase(dsn).check()
    if data_directory is None:
        message = "open_database needs a dsn or a data_directory"
        raise ValueError(message)
    return PostgresServer(data_directory, on_wait=on_wait).attach_or_start()


def sqlalchemy_url(dsn: str) -> URL:
    """The same address for SQLAlchemy over psycopg 3."""
    dsn = psycopg_dsn(dsn)
    if "://" in dsn:
        return make_url(dsn).set(drivername="postgresql+psycopg")
    # "host=... dbname=...", the other form that PostgreSQL's own tools take.
    return URL.create("postgresql+psycopg", query={k: str(v) for k, v in _parts(dsn).items()})
