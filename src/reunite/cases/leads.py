"""Leads: a missing and a found record that may be the same person.

A lead is for reviewers.  Two different ones must accept it before it counts, one may
reject it, and a rejected pair never comes back.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reunite.kernel.errors import ConflictError
from reunite.kernel.ids import AccountId, CaseId, LeadId, PhotoId


class LeadStatus(StrEnum):
    """Where a lead stands."""

    OPEN = "open"
    SECOND_OPINION = "second_opinion"  # one reviewer has accepted it
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Verdict(StrEnum):
    """What a reviewer says of a lead."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """One reviewer's word on a lead."""

    by: AccountId
    verdict: Verdict
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeadEvidence:
    """One fact that speaks for a lead or against it; codes that the interface puts into words."""

    fact: str
    level: str
    bits: float  # logarithm of a likelihood ratio, base 2; negative contradicts


NO_PHOTO = PhotoId(0)


@dataclass(slots=True)
class Lead:
    """A pair of records whose faces look alike, or whose facts fit one person.

    A photo is ``NO_PHOTO`` where a record has none, or has none any more.
    """

    missing_case_id: CaseId
    found_case_id: CaseId
    missing_photo_id: PhotoId
    found_photo_id: PhotoId
    similarity: float  # cosine of the two templates, higher is more alike; 0 without photos
    found_at: datetime
    bits: float = 0.0  # what facts and faces say together; 0 where nobody has weighed them
    evidence: list[LeadEvidence] = field(default_factory=list)
    status: LeadStatus = LeadStatus.OPEN
    decisions: list[Decision] = field(default_factory=list)
    id: LeadId = LeadId(0)

    @property
    def is_of_faces(self) -> bool:
        """Whether two photos were compared for it."""
        return NO_PHOTO not in (self.missing_photo_id, self.found_photo_id)

    def decide(self, by: AccountId, verdict: Verdict, at: datetime, note: str = "") -> None:
        """Record a reviewer's word.

        Raises ConflictError ``lead_closed`` when the lead has been decided, and
        ``same_reviewer`` when the second acceptance comes from the first reviewer.
        """
        if self.status in (LeadStatus.CONFIRMED, LeadStatus.REJECTED):
            raise ConflictError("lead_closed", status=self.status.value)
        if verdict is Verdict.ACCEPT and any(
            decision.by == by and decision.verdict is Verdict.ACCEPT for decision in self.decisions
        ):
            raise ConflictError("same_reviewer")
        self.decisions.append(Decision(by, verdict, at, note))
        if verdict is Verdict.REJECT:
            self.status = LeadStatus.REJECTED
        elif self.status is LeadStatus.OPEN:
            self.status = LeadStatus.SECOND_OPINION
        else:
            self.status = LeadStatus.CONFIRMED
