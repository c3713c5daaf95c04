"""What the use cases need from the outside, in their own words.

``storage``, ``broker`` and ``delivery`` implement these on PostgreSQL; ``testing``
implements them in memory.  One contract suite (``tests/contract``) runs on both.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.alerts.audience import Positions
from reunite.alerts.notices import Chunk, Notice
from reunite.alerts.volunteers import Volunteer
from reunite.app.accounts import Account
from reunite.cases.case import Case, CaseStatus
from reunite.cases.leads import Lead, LeadStatus
from reunite.cases.photos import CasePhoto, PhotoFace
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.gallery.port import Enrolment, Facts, TemplateSpace
from reunite.kernel.ids import (
    AccountId,
    CaseId,
    LeadId,
    NoticeId,
    PhotoId,
    SightingId,
    TemplateId,
)
from reunite.kernel.people import Module, Side

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


class AccountRepository(Protocol):
    """Accounts and their sessions."""

    def add(self, account: Account) -> AccountId:
        """Raises ConflictError ``email_taken``."""
        ...

    def get(self, account_id: AccountId) -> Account:
        """Raises NotFoundError."""
        ...

    def find_by_email(self, email: str) -> Account | None: ...

    def list_all(self, *, after: AccountId = AccountId(0), limit: int = 100) -> list[Account]:
        """Accounts by id."""
        ...

    def save(self, account: Account) -> None:
        """Write name, password, role, language, organisation and whether it is disabled."""
        ...

    def add_session(self, token_digest: bytes, account_id: AccountId, expires_at: datetime) -> None:
        """Remember a session by the SHA-256 of its token."""
        ...

    def find_session(self, token_digest: bytes, now: datetime) -> Account | None:
        """The enabled account of an unexpired session."""
        ...

    def delete_session(self, token_digest: bytes) -> None: ...

    def delete_sessions_of(self, account_id: AccountId) -> None: ...

    def delete_expired_sessions(self, now: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases to list, newest first.  Empty conditions admit all."""

    statuses: frozenset[CaseStatus] = frozenset()
    sides: frozenset[Side] = frozenset()
    modules: frozenset[Module] = frozenset()
    opened_by: AccountId | None = None
    before: CaseId | None = None  # for the next page: ids below this one
    photos_due: datetime | None = None  # closed before then, pictures not yet erased; oldest first
    limit: int = 24


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many cases there are of one kind."""

    module: Module
    side: Side
    status: CaseStatus
    outcome: str | None
    cause: str | None
    count: int


class CaseRepository(Protocol):
    """Cases with their transitions."""

    def add(self, case: Case) -> CaseId:
        """Write a new case and its transitions; sets ``case.id``."""
        ...

    def get(self, case_id: CaseId, *, lock: bool = False) -> Case:
        """Raises NotFoundError.  ``lock`` holds the row until the transaction ends."""
        ...

    def get_by_reference(self, reference: str, *, lock: bool = False) -> Case:
        """Raises NotFoundError."""
        ...

    def get_many(self, case_ids: Sequence[CaseId]) -> dict[CaseId, Case]:
        """Those that exist, by id."""
        ...

    def save(self, case: Case) -> None:
        """Write state and new transitions.

        Raises ConflictError ``changed_meanwhile`` when ``case.version`` is not the stored one.
        """
        ...

    def list_matching(self, query: CaseQuery) -> list[Case]: ...

    def count(self) -> list[CaseCount]: ...


class PhotoRepository(Protocol):
    """Photos of cases, without their pixels (see ``PhotoStore``)."""

    def add(self, photo: CasePhoto) -> PhotoId:
        """Sets ``photo.id``.  Raises ConflictError ``photo_already_there`` for the same digest on the same case."""
        ...

    def get(self, photo_id: PhotoId) -> CasePhoto:
        """Raises NotFoundError."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[CasePhoto]: ...

    def list_of_cases(self, case_ids: Sequence[CaseId]) -> dict[CaseId, list[CasePhoto]]: ...

    def has_digest(self, digests: Sequence[str]) -> set[str]:
        """Which of these pictures any case holds already; for imports."""
        ...

    def save(self, photo: CasePhoto) -> None:
        """Write the chosen face and the year."""
        ...

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        """Forget all photos of a case; their storage keys."""
        ...

    def iter_storage_keys(self) -> Iterator[str]:
        """Every key that a photo, a probe or a sighting refers to."""
        ...


@dataclass(frozen=True, slots=True)
class GalleryChange:
    """Templates that came or went, in the order of their transactions."""

    added: Sequence[int]
    removed: Sequence[int]
    position: int  # hand in again to get what has happened since


class TemplateRepository(Protocol):
    """Templates: the truth that galleries are rebuilt from.  Vectors are stored as float16."""

    def add(
        self, photo: CasePhoto, vector: Float32, space: TemplateSpace, facts: Facts
    ) -> TemplateId:
        """Write the template of a photo's chosen face, replacing an older one of the same space."""
        ...

    def add_synthetic(self, vectors: Float32, space: TemplateSpace, facts: Facts) -> int:
        """Write templates that belong to nobody, in bulk; how many."""
        ...

    def delete_of_case(self, case_id: CaseId) -> list[TemplateId]: ...

    def delete_synthetic(self) -> int: ...

    def find_of_photo(
        self, photo_id: PhotoId, space: TemplateSpace
    ) -> tuple[TemplateId, Float32] | None: ...

    def list_of_case(
        self, case_id: CaseId, space: TemplateSpace
    ) -> list[tuple[TemplateId, PhotoId, Float32]]:
        """Templates with the photo they come from and their vector of shape (dim,)."""
        ...

    def photos_of(self, template_ids: Sequence[int]) -> dict[int, tuple[CaseId, PhotoId]]:
        """The case and photo behind templates; synthetic ones are absent."""
        ...

    def count(self) -> Mapping[str, int]:
        """Numbers of templates: ``photo`` and ``synthetic``."""
        ...

    def iter_enrolments(self, space: TemplateSpace, batch: int = 50_000) -> Iterator[Enrolment]:
        """Everything of one space, in batches by id."""
        ...

    def get_enrolment(self, template_ids: Sequence[int], space: TemplateSpace) -> Enrolment:
        """These templates, as far as they exist."""
        ...

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everything."""
        ...

    def changes_since(self, position: int) -> GalleryChange:
        """What came and went; may repeat changes around ``position``, never misses one."""
        ...


class LeadRepository(Protocol):
    """Leads and the decisions on them."""

    def add_new(self, lead: Lead) -> LeadId | None:
        """Write a lead; None when the pair is known already, rejected ones included.

        An open lead is given the more similar pair of photos.
        """
        ...

    def get(self, lead_id: LeadId, *, lock: bool = False) -> Lead:
        """Raises NotFoundError."""
        ...

    def save(self, lead: Lead) -> None:
        """Write status and new decisions."""
        ...

    def list_with_status(
        self, statuses: frozenset[LeadStatus], *, limit: int = 50, offset: int = 0
    ) -> list[Lead]:
        """The most similar first; leads of closed cases are left out."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[Lead]: ...

    def list_rejected_partners(self, case_id: CaseId) -> list[CaseId]:
        """Records of the other side that a reviewer has ruled out for this one."""
        ...


class SightingRepository(Protocol):
    """Sightings."""

    def add(self, sighting: Sighting) -> SightingId: ...

    def get(self, sighting_id: SightingId, *, lock: bool = False) -> Sighting:
        """Raises NotFoundError."""
        ...

    def save(self, sighting: Sighting) -> None: ...

    def list_with_status(
        self, status: SightingStatus, *, limit: int = 50, offset: int = 0
    ) -> list[Sighting]:
        """The newest first."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[Sighting]: ...

    def erase_photos_of_case(self, case_id: CaseId) -> list[str]:
        """Forget the photos sent for a case; their storage keys."""
        ...


class VolunteerRepository(Protocol):
    """Volunteers and where they are."""

    def save(self, volunteer: Volunteer) -> None:
        """Join, or change what was said when joining."""
        ...

    def find(self, account_id: AccountId) -> Volunteer | None: ...

    def delete(self, account_id: AccountId) -> None: ...

    def positions(self, module: Module) -> Positions:
        """Where everyone is who opted in to a module."""
        ...

    def count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One notice in one person's inbox."""

    notice_id: NoticeId
    case_id: CaseId
    kind: str
    delivered_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeProgress:
    """How far the delivery of a notice has come."""

    recipients: int
    delivered: int
    read: int


class NoticeRepository(Protocol):
    """Notices, the chunks that wait for delivery, and inboxes."""

    def add(self, notice: Notice) -> NoticeId:
        """Sets ``notice.id``."""
        ...

    def get(self, notice_id: NoticeId) -> Notice:
        """Raises NotFoundError."""
        ...

    def add_chunks(self, chunks: Sequence[Chunk]) -> None: ...

    def claim_chunk(self, now: datetime) -> Chunk | None:
        """A chunk nobody else works on, held until the transaction ends."""
        ...

    def finish_chunk(self, chunk: Chunk, now: datetime) -> None: ...

    def deliver(self, notice_id: NoticeId, account_ids: Int64, now: datetime) -> Int64:
        """Put a notice into inboxes; the accounts that did not have it yet."""
        ...

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        """The newest first."""
        ...

    def count_unread(self, account_id: AccountId) -> int: ...

    def mark_read(self, account_id: AccountId, now: datetime) -> None: ...

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        """Everyone in whose chunk a notice about the case was, ascending and distinct."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]: ...


@dataclass(slots=True)
class Probe:
    """A photo that somebody searches with; forgotten after a day."""

    token_digest: bytes
    account_id: AccountId
    storage_key: str
    faces: list[PhotoFace]
    chosen: int | None
    captured_year: int | None
    created_at: datetime
    expires_at: datetime


class ProbeRepository(Protocol):
    """Photos of face-find."""

    def add(self, probe: Probe) -> None: ...

    def find(self, token_digest: bytes, now: datetime) -> Probe | None: ...

    def save(self, probe: Probe) -> None:
        """Write the chosen face."""
        ...

    def count_since(self, account_id: AccountId, since: datetime) -> int: ...

    def delete_expired(self, now: datetime) -> list[str]:
        """Forget what has expired; the storage keys."""
        ...


class LookPurpose(StrEnum):
    """Why somebody looked at a face."""

    VIEW = "view"
    SEARCH = "search"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a face."""

    account_id: AccountId | None
    case_id: CaseId | None
    purpose: LookPurpose
    at: datetime


class LookRepository(Protocol):
    """The log of looks; written, never changed."""

    def add(self, looks: Sequence[Look]) -> None: ...

    def list_of_case(self, case_id: CaseId, *, limit: int = 100) -> list[Look]:
        """The newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """Something that must happen after the transaction that wrote it."""

    id: int
    topic: str
    payload: Mapping[str, object]
    attempts: int


class Outbox(Protocol):
    """What must happen later, written in the transaction that makes it necessary."""

    def add(self, topic: str, payload: Mapping[str, object]) -> None: ...

    def claim(self, now: datetime) -> Message | None:
        """The oldest due message nobody else works on, held until the transaction ends."""
        ...

    def finish(self, message: Message) -> None:
        """It has happened."""
        ...

    def postpone(self, message: Message, until: datetime, error: str) -> None:
        """It failed; try again then."""
        ...

    def count_waiting(self) -> int: ...


class ImportRepository(Protocol):
    """Which files an import has dealt with, so that it can go on after a crash."""

    def seen(self, source: str) -> set[str]:
        """Names of the files of this source that are done."""
        ...

    def add(self, source: str, name: str, outcome: str, detail: str) -> None:
        """One file is done: ``imported``, ``duplicate`` or ``refused``."""
        ...

    def list_outcomes(self, source: str) -> list[tuple[str, str, str]]:
        """Name, outcome and detail of every file."""
        ...


class Transaction(Protocol):
    """Everything stored, within one transaction."""

    @property
    def accounts(self) -> AccountRepository: ...
    @property
    def cases(self) -> CaseRepository: ...
    @property
    def photos(self) -> PhotoRepository: ...
    @property
    def templates(self) -> TemplateRepository: ...
    @property
    def leads(self) -> LeadRepository: ...
    @property
    def sightings(self) -> SightingRepository: ...
    @property
    def volunteers(self) -> VolunteerRepository: ...
    @property
    def notices(self) -> NoticeRepository: ...
    @property
    def probes(self) -> ProbeRepository: ...
    @property
    def looks(self) -> LookRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def outbox(self) -> Outbox: ...

    def announce(self, account_ids: Int64) -> None:
        """Once this transaction commits, tell the open pages of these people to look again."""
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


class LiveChannel(Protocol):
    """Tells open pages that something new is there."""

    def subscribe(self, account_id: AccountId) -> AsyncIterator[None]:
        """One item whenever something new has arrived for this person."""
        ...
