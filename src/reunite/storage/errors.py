"""What goes wrong in PostgreSQL, in the words of the application."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy import exc

from reunite.kernel.errors import ConflictError, NotFoundError, ReuniteError

_GOING_AWAY = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.DatabaseDropped,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of the driver inside the block into those that a person can act on.

    Raises ReuniteError ``database_unreachable``, ``database_busy`` or ``database_full``,
    ConflictError ``changed_meanwhile`` and NotFoundError; others pass unchanged.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise ReuniteError("database_busy") from error
    except exc.DBAPIError as error:
        meaning = _meaning(error.orig, lost=error.connection_invalidated)
        if meaning is None:
            raise
        raise meaning from error
    except psycopg.Error as error:  # from COPY, which goes past SQLAlchemy
        meaning = _meaning(error, lost=False)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: BaseException | None, *, lost: bool) -> ReuniteError | None:
    if isinstance(error, errors.ForeignKeyViolation):
        # What is referred to was deleted while this was being written.
        return NotFoundError()
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
        return ConflictError("changed_meanwhile")
    if isinstance(error, errors.DiskFull):
        return ReuniteError("database_full")
    if isinstance(error, errors.TooManyConnections):
        return ReuniteError("database_busy")
    # Without a code the server did not say it: there was no connection to say it on.
    if lost or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None):
        return ReuniteError("database_unreachable")
    if isinstance(error, _GOING_AWAY):
        return ReuniteError("database_unreachable")
    return None
