"""Everything of ``reunite.ports`` in memory: for tests, and for looking at how ports are meant.

The contract suite (``tests/contract``) runs on these and on PostgreSQL.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.kernel.ids import AccountId
from reunite.ports import Arrival, Prepare
from reunite.testing.memory_accounts import MemoryAccounts, MemoryVolunteers
from reunite.testing.memory_blood_requests import (
    MemoryBloodRequests,
    MemoryBloodStock,
    MemoryDonorAsks,
)
from reunite.testing.memory_cases import MemoryCases, MemoryPhotos, MemorySightings
from reunite.testing.memory_channels import MemoryChannelAddresses
from reunite.testing.memory_donors import MemoryBloodCentres, MemoryDonors
from reunite.testing.memory_duplicates import MemoryDuplicates
from reunite.testing.memory_exchange import (
    MemoryApiKeys,
    MemoryCapMessages,
    MemoryPartners,
    MemoryWebhooks,
)
from reunite.testing.memory_leads import MemoryLeads
from reunite.testing.memory_ledger import MemoryLedger
from reunite.testing.memory_notices import MemoryNotices
from reunite.testing.memory_partners import MemoryBackgrounds, MemoryLinkage, MemoryStations
from reunite.testing.memory_plans import MemoryAlertPlans
from reunite.testing.memory_previews import MemoryPreviews
from reunite.testing.memory_registrations import MemoryRegistrations
from reunite.testing.memory_searches import MemoryImports, MemoryLooks, MemoryOutbox, MemoryProbes
from reunite.testing.memory_tables import MemorySession, MemoryStore
from reunite.testing.memory_templates import MemoryTemplates

Int64 = npt.NDArray[np.int64]


class MemoryTransaction:
    """Implements ``Transaction``."""

    def __init__(
        self, session: MemorySession, announce: Callable[[Int64, Arrival | None], None]
    ) -> None:
        self.accounts = MemoryAccounts(session)
        self.cases = MemoryCases(session)
        self.photos = MemoryPhotos(session)
        self.previews = MemoryPreviews(session)
        self.templates = MemoryTemplates(session)
        self.leads = MemoryLeads(session)
        self.duplicates = MemoryDuplicates(session)
        self.sightings = MemorySightings(session)
        self.volunteers = MemoryVolunteers(session)
        self.alert_plans = MemoryAlertPlans(session)
        self.notices = MemoryNotices(session)
        self.channel_addresses = MemoryChannelAddresses(session)
        self.ledger = MemoryLedger(session)
        self.probes = MemoryProbes(session)
        self.looks = MemoryLooks(session)
        self.imports = MemoryImports(session)
        self.stations = MemoryStations(session)
        self.backgrounds = MemoryBackgrounds(session)
        self.linkage = MemoryLinkage(session)
        self.registrations = MemoryRegistrations(session)
        self.api_keys = MemoryApiKeys(session)
        self.partners = MemoryPartners(session)
        self.cap_messages = MemoryCapMessages(session)
        self.webhooks = MemoryWebhooks(session)
        self.blood_centres = MemoryBloodCentres(session)
        self.donors = MemoryDonors(session)
        self.blood_requests = MemoryBloodRequests(session)
        self.donor_asks = MemoryDonorAsks(session)
        self.blood_stock = MemoryBloodStock(session)
        self.outbox = MemoryOutbox(session)
        self._session = session
        self._announce = announce

    def announce(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        told = account_ids.copy()
        self._session.after_commit(lambda: self._announce(told, arrival))


class MemoryLive:
    """Implements ``LiveChannel`` within one event loop.

    ``announced`` keeps whom it told, ``arrivals`` of what.
    """

    def __init__(self) -> None:
        self.announced: list[int] = []
        self.arrivals: list[Arrival] = []
        self._flags: list[_Flagged] = []

    def tell(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        """Raise the flags of these people's pages."""
        told = set(account_ids.tolist())
        self.announced.extend(account_ids.tolist())
        if arrival is not None:
            self.arrivals.append(arrival)
        for flagged in self._flags:
            if flagged.account_id in told:
                flagged.tell(arrival)

    def subscribe(
        self, account_id: AccountId, prepare: Prepare | None = None
    ) -> AsyncIterator[frozenset[Arrival]]:
        flagged = _Flagged(account_id, prepare)
        self._flags.append(flagged)
        return flagged


class _Flagged:
    def __init__(self, account_id: AccountId, prepare: Prepare | None) -> None:
        self.account_id = account_id
        self._prepare = prepare
        self._flag = asyncio.Event()
        self._arrivals: list[Arrival | None] = []

    def tell(self, arrival: Arrival | None) -> None:
        self._arrivals.append(arrival)
        self._flag.set()

    def __aiter__(self) -> AsyncIterator[frozenset[Arrival]]:
        return self

    async def __anext__(self) -> frozenset[Arrival]:
        await self._flag.wait()
        self._flag.clear()
        arrivals, self._arrivals = self._arrivals, []
        named = frozenset(one for one in arrivals if one is not None)
        if self._prepare is not None:
            for arrival in named:
                await self._prepare(arrival)
        return frozenset() if None in arrivals else named


class MemoryDatabase:
    """Implements ``Database``.  Announcements of committed transactions go to ``live``."""

    def __init__(self, live: MemoryLive | None = None) -> None:
        self.live = live or MemoryLive()
        self.reachable = True  # set to False to see what happens without a database
        self._store = MemoryStore()

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """Committed when the block ends, undone when it raises."""
        self.ping()
        session = MemorySession(self._store)
        try:
            yield MemoryTransaction(session, self.live.tell)
        except BaseException:
            session.release()
            raise
        session.commit()

    def ping(self) -> None:
        """Raises ReuniteError ``database_unreachable`` while it is not ``reachable``."""
        if not self.reachable:
            raise ReuniteError("database_unreachable")


class MemoryPhotoStore:
    """Implements ``PhotoStore``."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.full = False  # set to True to see what happens when the disk is full
        self._now = now
        self._pictures: dict[str, tuple[bytes, datetime]] = {}

    def put(self, jpeg: bytes) -> str:
        if self.full:
            raise ReuniteError("photo_store_full")
        key = secrets.token_hex(20)
        self._pictures[key] = (bytes(jpeg), self._now())
        return key

    def get(self, key: str) -> bytes:
        if key not in self._pictures:
            raise NotFoundError
        return self._pictures[key][0]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._pictures.pop(key, None)

    def iter_keys_older_than(self, at: datetime) -> Iterator[str]:
        return iter([key for key, (_, put_at) in self._pictures.items() if put_at < at])
