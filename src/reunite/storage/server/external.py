"""A PostgreSQL that somebody else runs, reached by its address."""

from types import TracebackType
from typing import Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from reunite.storage.server.errors import DatabaseUnreachableError, DatabaseVersionMismatchError

# MERGE, and what the queue's queries use, are in every release since.
OLDEST_MAJOR = 15
CONNECT_TIMEOUT_SECONDS = 10


class ExternalDatabase:
    """A database behind a DSN; closing the handle leaves the server alone."""

    owns = False

    def __init__(self, dsn: str) -> None:
        self.dsn = psycopg_dsn(dsn)

    def check(self) -> Self:
        """Make sure that it answers and is recent enough.

        Raises DatabaseUnreachableError or DatabaseVersionMismatchError; neither carries the
        password.
        """
        try:
            parts = conninfo_to_dict(self.dsn)
        except psycopg.Error as error:
            raise DatabaseUnreachableError(reason="address_not_understood") from error
        where = {name: parts.get(name) for name in ("host", "port", "dbname", "user")}
        try:
            # A limit of the operator's own in the address wins.
            limit = {"connect_timeout": CONNECT_TIMEOUT_SECONDS} | parts
            with psycopg.connect(**limit) as connection:  # type: ignore[arg-type]
                version = connection.info.server_version // 10_000
        except psycopg.Error as error:
            # The driver's own text names host and user, and the reason; never the password.
            raise DatabaseUnreachableError(**where, reason=str(error).strip()) from None
        if version < OLDEST_MAJOR:
            raise DatabaseVersionMismatchError(
                **where, found=str(version), needed=str(OLDEST_MAJOR)
            )
        return self

    @property
    def is_running(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to do: the server is not ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def psycopg_dsn(dsn: str) -> str:
    """The address without SQLAlchemy's driver name, which psycopg does not know."""
    scheme, separator, rest = dsn.partition("://")
    return f"postgresql://{rest}" if separator and scheme.startswith("postgres") else dsn
