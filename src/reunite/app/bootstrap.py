"""Wire the outside world to the use cases; the only place that knows both."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reunite.app.gallery_sync import LiveGallery
from reunite.app.services import Services, Settings
from reunite.broker.live import PostgresLive
from reunite.broker.outbox import PostgresOutbox
from reunite.faces.engine import FaceEngine
from reunite.faces.registry import load_registry
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import TemplateSpace
from reunite.kernel.clock import SystemClock
from reunite.storage.database import PostgresDatabase
from reunite.storage.migrate import current, newest, upgrade
from reunite.storage.photo_files import PhotoDirectory
from reunite.storage.server import DatabaseHandle, open_database, sqlalchemy_url


@dataclass(frozen=True, slots=True)
class Config:
    """Where things are on this machine."""

    data_directory: Path
    database_url: str | None = None  # an existing PostgreSQL; None starts our own
    models_file: Path | None = None  # an operator's own models
    embedder: str | None = None  # one of them, instead of the packaged one
    inference_threads: int = 1  # of one face; several faces are read at the same time
    settings: Settings = field(default_factory=Settings)


def default_data_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """``REUNITE_DATA``, or the place that the XDG base directory specification gives."""
    if environment.get("REUNITE_DATA"):
        return Path(environment["REUNITE_DATA"])
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "reunite"


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration that the environment gives; see ``docs/configuration.md``."""
    models = environment.get("REUNITE_MODELS")
    return Config(
        data_directory=default_data_directory(environment),
        database_url=environment.get("REUNITE_DATABASE_URL") or None,
        models_file=Path(models) if models else None,
        embedder=environment.get("REUNITE_EMBEDDER") or None,
        inference_threads=int(environment.get("REUNITE_INFERENCE_THREADS", "1")),
    )


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Where the database is, and whether its tables are those of this release."""

    dsn: str
    revision: str | None  # None: empty
    newest: str | None

    @property
    def is_current(self) -> bool:
        return self.revision == self.newest


@contextmanager
def inspect_database(config: Config) -> Iterator[DatabaseState]:
    """Look at the database without changing it; it is up while the block runs."""
    with _opened(config) as handle:
        yield DatabaseState(handle.dsn, current(handle.dsn), newest())


def _opened(config: Config) -> DatabaseHandle:
    # The server's directory belongs to its own account when started by root, so photos lie
    # beside it, not in it.
    return open_database(dsn=config.database_url, data_directory=config.data_directory / "database")


@contextmanager
def open_services(config: Config) -> Iterator[Services]:
    """Everything running: database started or reached, migrated; closed again at the end.

    Raises the errors of ``storage.server``, each of which says what to do.
    """
    with ExitStack() as opened:
        handle = opened.enter_context(_opened(config))
        url = sqlalchemy_url(handle.dsn).render_as_string(hide_password=False)
        upgrade(url)
        database = PostgresDatabase(url, PostgresOutbox)
        opened.callback(database.dispose)
        live = PostgresLive(url)
        opened.callback(live.close)
        faces = FaceEngine.from_registry(
            load_registry(config.models_file),
            config.embedder,
            intra_op_threads=config.inference_threads,
        )
        space = TemplateSpace(faces.model.sha256, faces.adapter_digest, faces.model.dim)
        yield Services(
            database=database,
            photos=PhotoDirectory(config.data_directory / "photos"),
            faces=faces,
            gallery=LiveGallery(database, ExactGallery, space),
            live=live,
            clock=SystemClock(),
            settings=config.settings,
        )
