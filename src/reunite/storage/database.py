"""The system of record: transactions on PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import URL, Connection, create_engine, text

from reunite.ports import Arrival, Outbox
from reunite.storage.accounts import PostgresAccounts
from reunite.storage.alert_plans import PostgresAlertPlans
from reunite.storage.api_keys import PostgresApiKeys
from reunite.storage.blood_centres import PostgresBloodCentres
from reunite.storage.blood_requests import (
    PostgresBloodRequests,
    PostgresBloodStock,
    PostgresDonorAsks,
)
from reunite.storage.cap_messages import PostgresCapMessages
from reunite.storage.cases import PostgresCases
from reunite.storage.channels import PostgresChannelAddresses
from reunite.storage.donors import PostgresDonors
from reunite.storage.duplicates import PostgresDuplicates
from reunite.storage.errors import translated
from reunite.storage.imports import PostgresImports
from reunite.storage.leads import PostgresLeads
from reunite.storage.ledger import PostgresLedger
from reunite.storage.linkage import PostgresBackgrounds, PostgresLinkage
from reunite.storage.looks import PostgresLooks
from reunite.storage.notices import PostgresNotices
from reunite.storage.partners import PostgresPartners
from reunite.storage.photos import PostgresPhotos
from reunite.storage.previews import PostgresPreviews
from reunite.storage.probes import PostgresProbes
from reunite.storage.registrations import PostgresRegistrations
from reunite.storage.server import sqlalchemy_url
from reunite.storage.sightings import PostgresSightings
from reunite.storage.stations import PostgresStations
from reunite.storage.templates import PostgresTemplates
from reunite.storage.volunteers import PostgresVolunteers
from reunite.storage.webhooks import PostgresWebhooks

Int64 = npt.NDArray[np.int64]

CONNECT_TIMEOUT_SECONDS = 10
POOL_TIMEOUT_SECONDS = 30  # a request that waits longer than this for a connection is refused


class TransactionalOutbox(Outbox, Protocol):
    """The broker's share of a transaction: what it writes leaves when the transaction commits."""

    def announce(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        """Tell the open pages of these people what has arrived."""
        ...


OutboxFactory = Callable[[Connection], TransactionalOutbox]


class PostgresTransaction:
    """Everything stored, within one transaction.  Implements ``Transaction``."""

    def __init__(self, connection: Connection, make_outbox: OutboxFactory) -> None:
        self.accounts = PostgresAccounts(connection)
        self.cases = PostgresCases(connection)
        self.photos = PostgresPhotos(connection)
        self.previews = PostgresPreviews(connection)
        self.templates = PostgresTemplates(connection)
        self.leads = PostgresLeads(connection)
        self.duplicates = PostgresDuplicates(connection)
        self.sightings = PostgresSightings(connection)
        self.volunteers = PostgresVolunteers(connection)
        self.alert_plans = PostgresAlertPlans(connection)
        self.notices = PostgresNotices(connection)
        self.channel_addresses = PostgresChannelAddresses(connection)
        self.ledger = PostgresLedger(connection)
        self.probes = PostgresProbes(connection)
        self.looks = PostgresLooks(connection)
        self.imports = PostgresImports(connection)
        self.stations = PostgresStations(connection)
        self.backgrounds = PostgresBackgrounds(connection)
        self.linkage = PostgresLinkage(connection)
        self.registrations = PostgresRegistrations(connection)
        self.api_keys = PostgresApiKeys(connection)
        self.partners = PostgresPartners(connection)
        self.cap_messages = PostgresCapMessages(connection)
        self.webhooks = PostgresWebhooks(connection)
        self.blood_centres = PostgresBloodCentres(connection)
        self.donors = PostgresDonors(connection)
        self.blood_requests = PostgresBloodRequests(connection)
        self.donor_asks = PostgresDonorAsks(connection)
        self.blood_stock = PostgresBloodStock(connection)
        self.outbox = make_outbox(connection)

    def announce(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        """Once this transaction commits, tell the open pages of these people of it."""
        self.outbox.announce(account_ids, arrival)


class PostgresDatabase:
    """PostgreSQL at ``dsn``, e.g. ``postgresql://reunite@/reunite?host=/run/postgresql``.

    Implements ``Database``.  ``outbox_factory`` comes from ``broker``, which ``storage`` does
    not know.
    """

    def __init__(
        self,
        dsn: str | URL,
        outbox_factory: OutboxFactory,
        *,
        pool_size: int = 5,
        max_overflow: int = 10,
    ) -> None:
        self._make_outbox = outbox_factory
        url = dsn if isinstance(dsn, URL) else sqlalchemy_url(dsn)
        options = url.query.get("options", "")
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            # After a restart of the server the pool holds dead connections: noticed, replaced.
            pool_pre_ping=True,
            # Names and telephone numbers would otherwise stand in every logged traceback.
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "application_name": "reunite",
                "options": f"{options} -c timezone=UTC".strip(),
            },
        )

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """One transaction: committed when the block ends, undone when it raises.

        Raises ReuniteError ``database_unreachable``, ``database_busy`` or ``database_full``;
        ConflictError ``changed_meanwhile`` where two transactions are in each other's way.
        """
        with translated(), self._engine.begin() as connection:
            yield PostgresTransaction(connection, self._make_outbox)

    def ping(self) -> None:
        """Raises ReuniteError ``database_unreachable`` when the database does not answer."""
        with translated(), self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every connection of the pool; the next transaction opens new ones."""
        self._engine.dispose()
