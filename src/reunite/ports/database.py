"""One transaction over everything stored, the outbox, pictures, and live pages."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import AccountId, NoticeId
from reunite.ports.accounts import AccountRepository
from reunite.ports.alerts import AlertPlanRepository, VolunteerRepository
from reunite.ports.blood_requests import (
    BloodRequestRepository,
    BloodStockRepository,
    DonorAskRepository,
)
from reunite.ports.cases import (
    CaseRepository,
    LeadRepository,
    PhotoRepository,
    SightingRepository,
    TemplateRepository,
)
from reunite.ports.channels import ChannelAddressRepository
from reunite.ports.donors import BloodCentreRepository, DonorRepository
from reunite.ports.duplicates import DuplicateRepository
from reunite.ports.exchange import (
    AlertLedger,
    ApiKeyRepository,
    PartnerRepository,
    WebhookRepository,
)
from reunite.ports.ledger import ChunkLedger
from reunite.ports.notices import NoticeRepository
from reunite.ports.partners import (
    BackgroundRepository,
    LinkageRepository,
    StationRepository,
)
from reunite.ports.previews import PreviewRepository
from reunite.ports.registrations import RegistrationRepository
from reunite.ports.searches import ImportRepository, LookRepository, ProbeRepository

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


# Whatever is due later than this was written by a clock that has been put back since: it is due
# now, for otherwise it would wait for as long as the clock was wrong.
FURTHEST_DUE = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Message:
    """Something that must happen after the transaction that wrote it."""

    id: int
    topic: str
    payload: Mapping[str, object]
    attempts: int


class Outbox(Protocol):
    """What must happen later, written in the transaction that makes it necessary."""

    def add(
        self, topic: str, payload: Mapping[str, object], due_at: datetime | None = None
    ) -> None:
        """Due at once unless said otherwise, and at most ``FURTHEST_DUE`` ahead."""
        ...

    def claim(
        self, now: datetime, topics: Collection[str] = (), *, among: bool = False
    ) -> Message | None:
        """The oldest due message nobody else works on, held until the transaction ends.

        One of these topics with ``among``, else one of all the others.
        ``match_facts`` and, last, ``match_import`` come when nothing else is due.
        """
        ...

    def finish(self, message: Message) -> None:
        """It has happened."""
        ...

    def postpone(self, message: Message, until: datetime, error: str) -> None:
        """It failed; try again then."""
        ...

    def count_waiting(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A notice that has come into an inbox."""

    notice_id: NoticeId
    delivered_at: datetime


class Transaction(Protocol):
    """Everything stored, within one transaction."""

    @property
    def accounts(self) -> AccountRepository: ...
    @property
    def cases(self) -> CaseRepository: ...
    @property
    def photos(self) -> PhotoRepository: ...
    @property
    def previews(self) -> PreviewRepository: ...
    @property
    def templates(self) -> TemplateRepository: ...
    @property
    def leads(self) -> LeadRepository: ...
    @property
    def duplicates(self) -> DuplicateRepository: ...
    @property
    def sightings(self) -> SightingRepository: ...
    @property
    def volunteers(self) -> VolunteerRepository: ...
    @property
    def alert_plans(self) -> AlertPlanRepository: ...
    @property
    def notices(self) -> NoticeRepository: ...
    @property
    def channel_addresses(self) -> ChannelAddressRepository: ...
    @property
    def ledger(self) -> ChunkLedger: ...
    @property
    def probes(self) -> ProbeRepository: ...
    @property
    def looks(self) -> LookRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def stations(self) -> StationRepository: ...
    @property
    def backgrounds(self) -> BackgroundRepository: ...
    @property
    def registrations(self) -> RegistrationRepository: ...
    @property
    def linkage(self) -> LinkageRepository: ...
    @property
    def api_keys(self) -> ApiKeyRepository: ...
    @property
    def partners(self) -> PartnerRepository: ...
    @property
    def cap_messages(self) -> AlertLedger: ...
    @property
    def webhooks(self) -> WebhookRepository: ...
    @property
    def blood_centres(self) -> BloodCentreRepository: ...
    @property
    def donors(self) -> DonorRepository: ...
    @property
    def blood_requests(self) -> BloodRequestRepository: ...
    @property
    def donor_asks(self) -> DonorAskRepository: ...
    @property
    def blood_stock(self) -> BloodStockRepository: ...
    @property
    def outbox(self) -> Outbox: ...

    def announce(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        """Once this transaction commits, tell the open pages of these people what has arrived.

        Without an arrival they are told to look again.
        """
        ...


class Database(Protocol):
    """Where everything is stored."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One transaction: committed when the block ends, undone when it raises."""
        ...

    def ping(self) -> None:
        """Raises when the database does not answer."""
        ...


class PhotoStore(Protocol):
    """Pictures by key.  What is written is already normalised and without metadata."""

    def put(self, jpeg: bytes) -> str:
        """Keep a picture durably; its unguessable key."""
        ...

    def get(self, key: str) -> bytes:
        """Raises NotFoundError."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Erase pictures from the disk; unknown keys are ignored."""
        ...

    def iter_keys_older_than(self, at: datetime) -> Iterator[str]: ...


Prepare = Callable[[Arrival], Awaitable[None]]


class LiveChannel(Protocol):
    """Tells open pages that something new is there."""

    def subscribe(
        self, account_id: AccountId, prepare: Prepare | None = None
    ) -> AsyncIterator[frozenset[Arrival]]:
        """One item whenever something new has arrived for this person.

        Where many are told at once, ``prepare`` of one of them runs before all of them: what it
        makes they need not make themselves.
        What arrives before somebody waits is collected.  An empty set says that something may
        have been missed: look.
        """
        ...
