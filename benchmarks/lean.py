"""As much of the services as fan-out and open pages touch: no face models, no gallery."""

from types import SimpleNamespace
from typing import cast

from reunite.app.metrics import Metrics
from reunite.app.services import Services, Settings
from reunite.broker.live import PostgresLive
from reunite.broker.outbox import PostgresOutbox
from reunite.kernel.clock import SystemClock
from reunite.storage.database import PostgresDatabase


def lean_services(dsn: str, *, live: bool = False) -> Services:
    """On the database at ``dsn``, with nothing but inboxes; ``live`` listens for open pages."""
    return cast(
        "Services",
        SimpleNamespace(
            database=PostgresDatabase(dsn, PostgresOutbox),
            live=PostgresLive(dsn) if live else None,
            clock=SystemClock(),
            settings=Settings(),
            channels={},
            queue=None,
            metrics=Metrics(),
        ),
    )
