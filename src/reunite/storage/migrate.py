"""Bring a database to the shape of this release."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, pool, text

from reunite.storage.errors import translated
from reunite.storage.server import sqlalchemy_url

# Any constant will do as long as no other program on the same database uses it.
MIGRATION_LOCK = 0x7265756E697465


def upgrade(dsn: str | URL) -> None:
    """Apply every migration that the database lacks, all of them or none.

    Processes that start at the same time wait for one another.
    Raises ReuniteError ``database_unreachable``.
    """
    with translated(), _engine(dsn).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current(dsn: str | URL) -> str | None:
    """The revision that the database is at; None for an empty one.

    Raises ReuniteError ``database_unreachable``.
    """
    with translated(), _engine(dsn).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _engine(dsn: str | URL) -> Engine:
    return create_engine(
        dsn if isinstance(dsn, URL) else sqlalchemy_url(dsn), poolclass=pool.NullPool
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Alembic joins lists of paths with this; without it, it warns.
    config.set_main_option("path_separator", "os")
    return config
