"""Bodies of requests for blood.  No patient is named, and no donor before they come."""

from datetime import date, datetime

from pydantic import AwareDatetime, BaseModel, Field

from reunite.api.schemas.basics import GivenPosition, Position, Reference, RequestBody, Text
from reunite.blood.appeals import CannotReason
from reunite.blood.requests import Likeness
from reunite.blood.rules import Component
from reunite.blood.waves import Answer, Urgency, Why
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause

NOTICE = "A recruitment suggestion for a blood centre, never transfusion advice."
_NOTICE = Field(default=NOTICE, description="To be shown wherever this is.")


class BloodRequestBody(RequestBody):
    """What a hospital or blood centre needs."""

    patient: Text = Field(
        description="Type and antibodies as a laboratory writes them.", examples=["B+ anti-Jk3"]
    )
    component: Component = Component.RED_CELLS
    units: int = Field(description="1 to 60.")
    units_per_donation: int = Field(default=1, description="1 or 2: how much one donor gives.")
    needed_by: AwareDatetime
    urgency: Urgency = Urgency.URGENT
    place: GivenPosition | None = Field(default=None, description="Null: where the centre is.")
    childbearing: bool = Field(default=False, description="The patient may bear children.")
    policy: Text = Field(default="default", description="Name of a local policy.")
    patient_code: Text = Field(default="", description="The centre's own; never a name.")
    family_code: Text = Field(default="", description="Brothers and sisters who joined with it.")
    note: Text = ""
    override_reason: Text = Field(
        default="", description="Why donors asked within 30 days may be asked; imminent need only."
    )


class LikeRequestBody(BaseModel):
    """Another open request that may be for the same patient."""

    likeness: Likeness
    centre: str
    reference: str = Field(description="Empty for another centre's.")
    opened_at: datetime


class SourceBody(BaseModel):
    """Where a rule is published."""

    title: str
    url: str


class FindingBody(BaseModel):
    """One reason for or against a donor or a unit."""

    rule: str
    code: str
    grade: str
    antigens: list[str]
    sources: list[SourceBody]


class UnitBody(BaseModel):
    """A unit in stock at a partner centre that suits."""

    centre_id: int
    centre: str
    number: str
    type: str
    expires_on: date
    grade: str
    promised: bool = Field(description="Set aside for this request.")


class BloodRequestOpened(BaseModel):
    """A request that has been written."""

    reference: str
    asking: bool = Field(description="False: look at `alike` and `units`, then start asking.")
    alike: list[LikeRequestBody]
    units: list[UnitBody]
    notice: str = _NOTICE


class BloodRequestEntry(BaseModel):
    """A request in a list."""

    reference: str
    status: CaseStatus
    outcome: Outcome | None
    cause: ResolutionCause | None
    patient: str
    component: Component
    units: int
    needed_by: AwareDatetime
    urgency: Urgency
    patient_code: str
    opened_at: datetime
    asked: int
    coming: int


class BloodRequestList(BaseModel):
    """The requests of one's centre."""

    items: list[BloodRequestEntry]
    notice: str = _NOTICE


class AskRow(BaseModel):
    """One donor who was asked, without who it is."""

    id: int
    type: str | None = Field(description="Null once they have left the register.")
    confirmed: bool = Field(description="Typed by a centre, not by their own word.")
    grade: str
    distance_km: float | None
    sibling: bool
    wave: int
    asked_at: datetime
    answer: Answer | None
    answered_at: datetime | None
    comes_at: datetime | None
    reason: CannotReason | None
    hindrance: str = Field(description="What defers somebody who would come.")
    deferred_until: date | None
    thanked_at: datetime | None
    call: bool = Field(description="Without an account: to be telephoned.")
    keeper: str = Field(description="The centre that keeps them.")
    number: str = Field(description="What that centre calls them.")


class BoardBody(BloodRequestEntry):
    """How far a request has come."""

    needed: int = Field(description="Donors, beyond what stock has promised.")
    promised: int
    filled: bool
    late: bool
    asking_since: datetime | None
    waves: int
    why: Why | None
    next_look_at: datetime | None
    counts: dict[str, int]
    asks: list[AskRow]
    alike: list[LikeRequestBody]
    available_units: list[UnitBody]
    notice: str = _NOTICE


class UnitPromise(RequestBody):
    """A unit that a partner has agreed to give, or no longer."""

    centre_id: int = Field(ge=1)
    number: Text
    promised: bool = True


class DeskAnswer(RequestBody):
    """What a donor said on the telephone, or what the desk saw."""

    answer: Answer
    comes_at: AwareDatetime | None = None
    reason: CannotReason = CannotReason.OTHER
    remark: Text = ""


class ContactBody(BaseModel):
    """Who is coming."""

    name: str
    email: str
    contact: str
    reference: str


class RequestOutcome(RequestBody):
    """How a request ended, and what brought it about."""

    outcome: Outcome = Field(description="`helped`, `unmet`, `not_needed` or `deceased`.")
    cause: ResolutionCause = Field(
        description="`donor_asked`, `stock`, `no_donor`, `unrelated` or `mistaken_report`."
    )
    note: Text = ""


class RankedDonorBody(BaseModel):
    """One donor of the register, with every reason."""

    type: str
    confirmed: bool
    grade: str
    distance_km: float | None
    sibling: bool
    obstacle: str = Field(
        description="Empty, or `asked`, `unsuitable`, `deferred`, `too_far`, `asked_lately`."
    )
    deferred_until: date | None
    findings: list[FindingBody]


class DonorListBody(BaseModel):
    """Whom a request could reach, in order, and the nearest of the others."""

    ranked: list[RankedDonorBody]
    not_asked: list[RankedDonorBody]
    graded: dict[str, int]
    deferred: int
    notice: str = _NOTICE


class RowFaultBody(BaseModel):
    """What is wrong with one cell."""

    row: int = Field(description="As a spreadsheet counts, the header being 1.")
    column: str
    got: str
    code: str


class StockReportBody(BaseModel):
    """What became of an inventory."""

    units: int
    expired: int
    written: bool
    faults: list[RowFaultBody]


class HindranceBody(BaseModel):
    """What defers a donor."""

    code: str
    about: str
    until: date | None
    source: SourceBody | None


class DonorAskBody(BaseModel):
    """A request as a donor who was asked sees it."""

    reference: Reference
    hospital: str
    place: Position
    component: Component
    needed_by: AwareDatetime
    urgency: Urgency
    asked_at: datetime
    distance_km: float | None
    answer: Answer | None
    comes_at: datetime | None
    reason: CannotReason | None
    deferred_until: date | None
    hindrances: list[HindranceBody] = Field(description="What defers the donor today.")
    can_answer: bool
    filled: bool = Field(description="Enough others are coming.")
    notice: str = _NOTICE


class DonorAskList(BaseModel):
    """What one was asked for, the newest first."""

    items: list[DonorAskBody]


class DonorAnswerBody(RequestBody):
    """A donor's answer: `coming`, `cannot` or `not_me`."""

    answer: Answer
    comes_at: AwareDatetime | None = None
    contact: Text = Field(default="", description="For this hospital, if one comes.")
    reason: CannotReason = CannotReason.OTHER
    remark: Text = ""
    gave_on: date | None = Field(default=None, description="A donation not known here yet.")


class CallBody(BaseModel):
    """A donor of one's own centre to be called, and who needs them."""

    id: int
    type: str
    number: str
    contact: str
    hospital: str
    component: Component
    needed_by: datetime
    urgency: Urgency


class CallList(BaseModel):
    """Donors to be called, the longest waiting first."""

    items: list[CallBody]
    notice: str = _NOTICE
