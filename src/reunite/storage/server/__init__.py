"""The embedded PostgreSQL: one small room that starts, finds and stops it."""

from reunite.storage.server.errors import (
    DatabaseAccountError,
    DatabaseDirectoryNotWritableError,
    DatabaseDiskFullError,
    DatabaseError,
    DatabaseInUseError,
    DatabaseNotStartedError,
    DatabaseUnreachableError,
    DatabaseVersionMismatchError,
)
from reunite.storage.server.external import ExternalDatabase
from reunite.storage.server.handle import (
    Durability,
    PostgresServer,
    attach_or_start,
    find_running,
)
from reunite.storage.server.opening import DatabaseHandle, open_database, sqlalchemy_url

__all__ = [
    "DatabaseAccountError",
    "DatabaseDirectoryNotWritableError",
    "DatabaseDiskFullError",
    "DatabaseError",
    "DatabaseHandle",
    "DatabaseInUseError",
    "DatabaseNotStartedError",
    "DatabaseUnreachableError",
    "DatabaseVersionMismatchError",
    "Durability",
    "ExternalDatabase",
    "PostgresServer",
    "attach_or_start",
    "find_running",
    "open_database",
    "sqlalchemy_url",
]
