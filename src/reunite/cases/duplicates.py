"""Duplicates: two records of one side that may be about one person.

They are linked, never merged: each record keeps its source, its reporter and its life, and a
link can be undone at any time, with everybody's word on record.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reunite.cases.leads import LeadEvidence
from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import AccountId, CaseId, DuplicateId


class DuplicateStatus(StrEnum):
    """Where a pair stands."""

    SUGGESTED = "suggested"
    LINKED = "linked"
    SEPARATE = "separate"  # two people; not suggested again


class DuplicateSource(StrEnum):
    """Who suggested a pair."""

    COMPARISON = "comparison"
    PARTNER = "partner"  # the registries that the records came from


@dataclass(frozen=True, slots=True)
class DuplicateDecision:
    """One reviewer's word on a pair: ``LINKED`` or ``SEPARATE``."""

    by: AccountId
    status: DuplicateStatus
    at: datetime
    note: str = ""


@dataclass(slots=True)
class Duplicate:
    """A pair of records of one side, the earlier record first."""

    first_case_id: CaseId
    second_case_id: CaseId
    suggested_at: datetime
    bits: float = 0.0  # what facts and faces say together
    evidence: list[LeadEvidence] = field(default_factory=list)
    source: DuplicateSource = DuplicateSource.COMPARISON
    status: DuplicateStatus = DuplicateStatus.SUGGESTED
    decisions: list[DuplicateDecision] = field(default_factory=list)
    id: DuplicateId = DuplicateId(0)

    def __post_init__(self) -> None:
        if self.first_case_id >= self.second_case_id:
            raise ValueError("the earlier record comes first")

    @property
    def case_ids(self) -> tuple[CaseId, CaseId]:
        return self.first_case_id, self.second_case_id

    @property
    def was_linked(self) -> bool:
        """Whether anybody has ever been told that the two are one person."""
        return any(one.status is DuplicateStatus.LINKED for one in self.decisions)

    def other(self, case_id: CaseId) -> CaseId:
        """The partner of one of the two."""
        return self.second_case_id if case_id == self.first_case_id else self.first_case_id

    def decide(self, by: AccountId, status: DuplicateStatus, at: datetime, note: str = "") -> None:
        """Link two records, or take them for two people; either can be said anew.

        Raises ConflictError ``duplicate_decided`` where that is how they stand already.
        """
        if status is DuplicateStatus.SUGGESTED:
            raise ValueError("a decision, not a suggestion")
        if status is self.status:
            raise ConflictError("duplicate_decided", status=status.value)
        self.decisions.append(DuplicateDecision(by, status, at, note))
        self.status = status
