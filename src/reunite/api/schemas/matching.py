"""Bodies of leads and of face-find."""

from datetime import datetime

from pydantic import BaseModel, Field

from reunite.api.schemas.basics import RequestBody, Text
from reunite.api.schemas.cases import CaseSummary, FaceBody, PhotoBody
from reunite.cases.facts import Agreement
from reunite.cases.kinship import Kin
from reunite.cases.leads import LeadStatus, Verdict


class LeadSideBody(BaseModel):
    """One half of a comparison."""

    case: CaseSummary
    photo: PhotoBody | None
    age_at_photo: tuple[int, int] | None = Field(description="At least and at most, in years.")


class FactBody(BaseModel):
    """One fact on both sides."""

    fact: str
    agreement: Agreement
    missing_value: str
    found_value: str


class DecisionBody(BaseModel):
    """One reviewer's word."""

    by: int
    verdict: Verdict
    at: datetime
    note: str


class KinBody(BaseModel):
    """Why the lead may be of a brother, a sister or another relative."""

    reason: Kin
    rival: str | None = Field(description="Reference of the record that competes with it.")


class LeadDetail(BaseModel):
    """Two records whose faces look alike, with everything a reviewer weighs."""

    id: int
    status: LeadStatus
    similarity: float = Field(description="Cosine of the two templates; higher is more alike.")
    found_at: datetime
    missing: LeadSideBody
    found: LeadSideBody
    lapse_years: int | None
    false_match_rate: float | None = Field(
        description="Share of strangers of these ages who are as much alike; null: not measured."
    )
    kin: list[KinBody]
    facts: list[FactBody]
    decisions: list[DecisionBody]
    may_decide: bool


class LeadDecision(RequestBody):
    """A reviewer's word."""

    verdict: Verdict
    note: Text = ""


class LeadState(BaseModel):
    """Where the lead stands now."""

    status: LeadStatus


class SearchStartedBody(BaseModel):
    """A photo has been read."""

    token: str
    needs_choice: bool = Field(description="Say first which face is meant.")


class ResemblanceBody(BaseModel):
    """A record that may be the same person: a lead, never a match."""

    case: CaseSummary
    photo_id: int
    similarity: float
    captured_year: int | None


class SearchPhotoBody(BaseModel):
    """One photo of a search."""

    number: int = Field(description="0 for the first.")
    faces: list[FaceBody]
    chosen: int | None = Field(description="Null: not searched with, a face is to be chosen.")
    captured_year: int | None


class SearchResultBody(BaseModel):
    """The likeliest people, best first."""

    token: str
    faces: list[FaceBody]
    chosen: int | None = Field(description="Null: nothing was searched, a face is to be chosen.")
    captured_year: int | None
    photos: list[SearchPhotoBody] = Field(description="All photos of the person, the first too.")
    set_aside: list[str] = Field(description="Cases that are not this person, by reference.")
    resemblances: list[ResemblanceBody]
    searched: int = Field(description="How many faces were compared: everybody's.")
    synthetic: int = Field(description="How many faces of the collection are nobody's.")
    elapsed_ms: float
    incomplete: bool = Field(description="Part of the gallery did not answer.")
