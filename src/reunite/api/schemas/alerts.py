"""Bodies of what volunteers are told and tell, and of statistics."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from reunite.alerts.notices import NoticeKind
from reunite.api.schemas.basics import (
    LARGEST_ID,
    GivenPosition,
    ModuleName,
    Position,
    RequestBody,
    Text,
    TownEntry,
)
from reunite.api.schemas.cases import CaseSummary
from reunite.cases.case import Outcome, ResolutionCause
from reunite.cases.sightings import SightingStatus
from reunite.kernel.languages import Language


class VolunteerRequest(RequestBody):
    """Where and about what to be told: a position or a town."""

    modules: list[ModuleName]
    position: GivenPosition | None = Field(
        default=None, description="Kept as a cell of 0.1 km², never exactly."
    )
    town_id: int | None = Field(default=None, ge=1, le=LARGEST_ID)


class VolunteerBody(BaseModel):
    """What the caller has opted in to."""

    modules: list[ModuleName]
    town: TownEntry | None = Field(description="The town nearest to the place.")
    joined_at: datetime
    language: Language


class InboxEntryBody(BaseModel):
    """One notice.  Once the case is over, its name and photo are gone from here too."""

    id: int
    kind: NoticeKind
    case: CaseSummary
    delivered_at: datetime
    is_new: bool


class Inbox(BaseModel):
    """The newest notices first."""

    unread: int
    items: list[InboxEntryBody]


class SightingRequest(RequestBody):
    """What somebody saw."""

    seen_at: AwareDatetime
    place: GivenPosition | None = None
    place_label: Text = ""
    text: Text = ""
    search_token: Text | None = Field(
        default=None, description="Sends the photo of a face-find along."
    )


class SightingBody(BaseModel):
    """A sighting with what helps to judge it."""

    id: int
    case: CaseSummary
    reporter: str
    reported_at: datetime
    seen_at: datetime
    place: Position | None
    place_label: str
    text: str
    has_photo: bool
    similarity: float | None = Field(description="Of the photo's best face to the case.")
    status: SightingStatus
    distance_km: float | None = Field(description="From where the person was last seen.")


class SightingDecision(RequestBody):
    """What a reviewer makes of a sighting."""

    status: SightingStatus = Field(description="`passed_on` or `unlikely`.")

    @model_validator(mode="after")
    def _decided(self) -> Self:  # noqa: N804  (run on the instance)
        if self.status is SightingStatus.NEW:
            raise ValueError("a decision is passed_on or unlikely")
        return self


class ModuleCountBody(BaseModel):
    """The searches of one module."""

    module: ModuleName
    reported: int
    open: int
    resolved: int
    unmet: int = Field(description="Requests for blood that ended without any.")
    mistaken: int
    withdrawn: int
    by_cause: dict[ResolutionCause, int]
    by_outcome: dict[Outcome, int]
    found_records: int


class StatisticsBody(BaseModel):
    """Results, counted honestly."""

    modules: list[ModuleCountBody]
    volunteers: int
    templates: int
    synthetic_templates: int = Field(description="Faces of nobody, for trials of full size.")
