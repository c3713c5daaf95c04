"""Bodies of cases and their photos."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from reunite.alerts.notices import NoticeKind
from reunite.alerts.radius import Category, TravelMode
from reunite.api.schemas.basics import (
    GivenPosition,
    ModuleName,
    Position,
    RequestBody,
    SexName,
    SideName,
    Text,
    Year,
)
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus
from reunite.kernel.datum import Datum


class Years(RequestBody):
    """An inclusive range of years; twice the same when it is known."""

    first: Year = Field(examples=[1996])
    last: Year = Field(examples=[1997])

    @model_validator(mode="after")
    def _forward(self) -> Self:  # noqa: N804  (run on the instance)
        if self.first > self.last:
            raise ValueError("a range of years runs forward")
        return self


class PersonBody(RequestBody):
    """What is known about the person."""

    name: Text = Field(
        default="", description="Required for a missing person.", examples=["王乐乐"]
    )
    sex: SexName = SexName.UNKNOWN
    birth_years: Years | None = None
    height_cm: int | None = Field(default=None, ge=20, le=260)
    marks: Text = Field(default="", description="Scars, moles, a limp.")
    clothing: Text = ""
    dialect: Text = ""
    blood_group: Text = ""


class CircumstancesBody(RequestBody):
    """When and where the person was last seen, or found."""

    seen_at: AwareDatetime | None = Field(default=None, examples=["2026-03-01T16:30:00+08:00"])
    place: GivenPosition | None = None
    place_label: Text = Field(default="", examples=["杭州市上城区"])
    story: Text = Field(default="", description="Shown with the case once it is published.")
    private_note: Text = Field(default="", description="For reviewers only.")


class CaseRequest(RequestBody):
    """A report: somebody is missing, or somebody has been found."""

    module: ModuleName
    side: SideName
    person: PersonBody = Field(default_factory=PersonBody)
    circumstances: CircumstancesBody = Field(default_factory=CircumstancesBody)
    consent_search: bool = Field(description="The family agrees that faces are compared.")
    consent_publish: bool = Field(description="The family agrees that name and photo are shown.")
    contact: Text = Field(default="", description="How reviewers reach the reporter; never shown.")
    captured_year: Year | None = Field(default=None, description="When the photo was taken.")


class CaseOpened(BaseModel):
    """What has been written."""

    reference: str
    choose_photo: int | None = Field(
        description="A photo with several faces: say which one is meant, with "
        "`PUT /photos/{photo_id}/face`."
    )


class CaseSummary(BaseModel):
    """A case in a list."""

    reference: str
    module: ModuleName
    side: SideName
    status: CaseStatus
    name: str
    sex: SexName
    birth_years: Years | None
    seen_at: datetime | None
    place_label: str
    opened_at: datetime
    photo_id: int | None = Field(description="The photo that stands for the case.")


class FaceBody(BaseModel):
    """A face in a photo."""

    index: int
    box: tuple[float, float, float, float] = Field(
        description="Left, top, width and height, in pixels of the stored picture."
    )
    quality_score: float = Field(description="0 to 100.")
    verdict: str = Field(description="`good`, `weak` or `unusable`.")
    reasons: list[str]


class PhotoBody(BaseModel):
    """A photo of a case, without its pixels."""

    id: int
    width: int
    height: int
    captured_year: int | None
    faces: list[FaceBody]
    chosen: int | None = Field(description="Which face is meant; null: still to be chosen.")


class TransitionBody(BaseModel):
    """One step in the life of a case."""

    status: CaseStatus
    by: int
    at: datetime
    note: str


class LeadReference(BaseModel):
    """A lead of a case, in short."""

    id: int
    status: LeadStatus
    similarity: float


class NoticeProgressBody(BaseModel):
    """How far an alert has come."""

    kind: NoticeKind
    created_at: datetime
    radius_km: float
    recipients: int
    delivered: int
    read: int


class CaseFile(BaseModel):
    """What only the reporter and staff see."""

    contact: str
    organisation: str
    private_note: str
    consent_search: bool
    consent_publish: bool
    outcome: Outcome | None
    cause: ResolutionCause | None
    closed_at: datetime | None
    transitions: list[TransitionBody]
    leads: list[LeadReference] = Field(description="Staff only.")
    sightings: list[int] = Field(description="Their numbers; staff only.")
    notices: list[NoticeProgressBody] = Field(description="Staff only.")


class CaseDetail(CaseSummary):
    """A case as this reader may see it."""

    height_cm: int | None
    marks: str
    clothing: str
    dialect: str
    blood_group: str
    story: str
    place: Position | None = Field(description="Left out for found people, who may be in danger.")
    photos: list[PhotoBody]
    file: CaseFile | None


class FaceChoice(RequestBody):
    """Which face is meant."""

    index: int = Field(ge=0, le=10_000)


class NoteBody(RequestBody):
    """Why."""

    note: Text = ""


class Publication(RequestBody):
    """Whom to tell, and why so far; the alert widens by the rules as the one of a form does."""

    alert_radius_km: float | None = Field(
        default=None, gt=0, description="Null publishes without an alert.", examples=[5.0]
    )
    category: Category | None = Field(
        default=None, description="Whose radius rule holds; null takes what the report says."
    )
    mode: TravelMode = TravelMode.FOOT
    area: Text = Field(
        default="", description="GeoJSON: polygons, or lines that the radius lies around."
    )
    without: Text = Field(default="", description="GeoJSON of what is left out.")
    datum: Datum = Field(
        default=Datum.WGS84, description="Of `area` and `without`; others are converted."
    )
    reason: Text = Field(
        default="",
        description="Required for another area or radius than the rules suggest.",
        examples=["Seen on the night bus to Jinhua"],
    )
    is_imminent: bool = Field(
        default=False,
        description="Somebody is in danger now: quiet hours and weekly limits are overridden.",
    )


class WaveBody(BaseModel):
    """How far an alert reaches from some time on, counted from the wave before."""

    after_seconds: float
    radius_km: float


class AlertEstimate(BaseModel):
    """Whom an alert would reach, and how it would be widened."""

    suggested_radius_km: float
    radius_km: float
    recipients: int
    may_push: int = Field(description="Of them, whom it may disturb now.")
    waves: list[WaveBody]


class Resolution(RequestBody):
    """How the search ended, and what brought it about."""

    outcome: Outcome
    cause: ResolutionCause
    note: Text = ""
    with_confirmed_partners: bool = Field(
        default=False,
        description="Also close the other side's records that two reviewers confirmed.",
    )
