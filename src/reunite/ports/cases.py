"""Where cases, photos, templates, leads and sightings are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.cases.case import Case, CaseStatus
from reunite.cases.leads import Lead, LeadStatus
from reunite.cases.photos import CasePhoto
from reunite.cases.plausibility import History
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.gallery.port import Enrolment, Facts, TemplateSpace
from reunite.kernel.ids import (
    AccountId,
    CaseId,
    LeadId,
    PhotoId,
    SightingId,
    TemplateId,
)
from reunite.kernel.people import Module, Side

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


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

    def add_many(self, cases: Sequence[Case]) -> None:
        """Write new cases at once; sets their ids.  Raises ConflictError ``reference_taken``."""
        ...

    def count_open(self, side: Side, at_most: int) -> int:
        """How many open cases a side has; counting ends at ``at_most``."""
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

    def count_opened_since(self, account_id: AccountId, at: datetime) -> int:
        """How many cases somebody has opened since then."""
        ...


class PhotoRepository(Protocol):
    """Photos of cases, without their pixels (see ``PhotoStore``)."""

    def add(self, photo: CasePhoto) -> PhotoId:
        """Sets ``photo.id``.

        Raises ConflictError ``photo_already_there`` for the same digest on the same case.
        """
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
        """Write the chosen face, the year and the estimated age."""
        ...

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        """Forget all photos of a case; their storage keys."""
        ...

    def iter_storage_keys(self) -> Iterator[str]:
        """Every key that a photo, a preview, a probe or a sighting refers to."""
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

    def list_ids(self, space: TemplateSpace) -> Int64:
        """Every template id of one space, ascending: int64 array of shape (n,)."""
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

        An open lead is given the more similar pair of photos, or what is known better now.
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
        """The weightiest first, then the most similar; leads of closed cases are left out."""
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

    def list_of_reporter(self, account_id: AccountId, *, limit: int = 50) -> list[Sighting]:
        """The newest first."""
        ...

    def find_sent(self, account_id: AccountId, case_id: CaseId, client_key: str) -> Sighting | None:
        """What a device has sent about a case under a key of its own."""
        ...

    def count_since(self, account_id: AccountId, at: datetime) -> int:
        """How many somebody has sent since then."""
        ...

    def count_of_case(self, case_id: CaseId) -> dict[SightingStatus, int]:
        """How many sightings of a case there are of each status."""
        ...

    def histories(self, account_ids: Sequence[AccountId]) -> dict[AccountId, History]:
        """What reviewers made of the earlier sightings of these people; nobody without any."""
        ...

    def erase_of_case(self, case_id: CaseId) -> list[str]:
        """Forget the words, places and photos sent for a case; the storage keys."""
        ...
