"""Where searches, the log of looks, and the state of imports are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.cases.photos import PhotoFace
from reunite.kernel.ids import (
    AccountId,
    CaseId,
)

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


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
    # Of the first photo of the same search; None for the first itself.
    beside: bytes | None = None
    # Of the first photo: whom the searcher has said it is not.
    set_aside: frozenset[CaseId] = frozenset()


class ProbeRepository(Protocol):
    """Photos of face-find."""

    def add(self, probe: Probe) -> None: ...

    def find(self, token_digest: bytes, now: datetime) -> Probe | None: ...

    def list_beside(self, token_digest: bytes, now: datetime) -> list[Probe]:
        """The other photos of a search, in the order in which they came."""
        ...

    def save(self, probe: Probe) -> None:
        """Write the chosen face, and who was set aside."""
        ...

    def delete(self, token_digest: bytes) -> list[str]:
        """Forget one photo, and those beside it; the storage keys."""
        ...

    def count_since(self, account_id: AccountId, since: datetime) -> int: ...

    def delete_expired(self, now: datetime) -> list[str]:
        """Forget what has expired; the storage keys."""
        ...


class LookPurpose(StrEnum):
    """Why somebody looked at a face, or at what reaches a donor."""

    VIEW = "view"
    SEARCH = "search"
    REVIEW = "review"
    DONOR_CONTACT = "donor_contact"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a face, or at what reaches a donor."""

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
