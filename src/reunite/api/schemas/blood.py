"""Bodies about donors and blood centres."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from reunite.api.schemas.basics import GivenPosition, RequestBody, SexName, Text
from reunite.blood.claims import ClaimReason, Party, Verdict
from reunite.blood.deferral import DonationKind
from reunite.blood.donors import ConsentPurpose, TypingMethod

TypeText = Text


class DonationBody(RequestBody):
    """A donation that was made."""

    kind: DonationKind
    on: date


class DeferralBody(RequestBody):
    """Something that defers a donor; `over_on` is null while it lasts."""

    reason: Text = Field(max_length=60, examples=["tattoo_or_piercing"])
    over_on: date | None = None


class DonorBody(RequestBody):
    """What a donor says of themselves; replaces what was said before."""

    type: TypeText = Field(
        max_length=300, description="As people write it.", examples=["O Rh-", "孟买型", "Jk(a-b-)"]
    )
    consents: list[ConsentPurpose] = Field(examples=[["ask", "centre"]])
    born_on: date | None = None
    sex: SexName = SexName.UNKNOWN
    weight_kg: float | None = None
    last_given: DonationBody | None = None
    gives: list[DonationKind] = Field(default_factory=lambda: list(DonationKind))
    travel_km: int | None = Field(default=None, description="Null: as far as it takes.")
    rules: Text = Field(default="china", examples=["china", "uk", "us"])
    contact: Text = Field(default="", max_length=200)
    position: GivenPosition | None = None
    town_id: int | None = Field(default=None, description="A GeoNames number of `GET /towns`.")
    family_code: Text = Field(default="", max_length=30)


class RestBody(RequestBody):
    """Be asked by nobody, until woken or before that day."""

    asleep: bool = False
    away_until: date | None = None


class FamilyBody(RequestBody):
    """The code that a blood centre gave to a family."""

    code: Text = Field(max_length=30)


class HindranceBody(BaseModel):
    """What stands in the way until that day, or for good (null), and whose rule it is."""

    code: str
    about: str
    until: date | None
    source: str
    source_url: str


class EligibilityBody(BaseModel):
    """The first day on which a donor may give, null where no day can be told."""

    kind: DonationKind
    earliest: date | None
    hindrances: list[HindranceBody]


class ConfirmationBody(BaseModel):
    """A type that a laboratory found."""

    type: str
    at: datetime
    method: TypingMethod


class DonorSummary(BaseModel):
    """A donor as a centre lists them."""

    id: int
    reference: str
    type: str = Field(description="What a laboratory found, or else the donor's own word.")
    confirmed: bool
    disagrees: bool = Field(description="The laboratory found what the donor's word excludes.")
    may_be_asked: bool
    town_id: int | None


class DonorDetail(DonorSummary):
    """A donor whole."""

    note: str = "A recruitment suggestion for a blood centre, never transfusion advice."
    code: str = Field(description="What the donor shows to a blood centre.")
    declared: str | None
    confirmation: ConfirmationBody | None
    born_on: date | None
    sex: SexName
    weight_kg: float | None
    donations: list[DonationBody]
    deferrals: list[DeferralBody]
    consents: list[ConsentPurpose]
    gives: list[DonationKind]
    travel_km: int | None
    rules: str
    asleep: bool
    away_until: date | None
    family_code: str
    contact: str
    last_asked_at: datetime | None
    eligibility: list[EligibilityBody]


class TakeOnBody(RequestBody):
    """The code that a donor showed, and the centre's own number for them."""

    code: Text = Field(max_length=30)
    reference: Text = Field(default="", max_length=60)


class TakenOn(BaseModel):
    """Either the donor is the centre's now, or another centre is asked."""

    donor_id: int | None
    claim_id: int | None


class TypeBody(RequestBody):
    """A laboratory result."""

    type: TypeText = Field(max_length=300)
    method: TypingMethod = TypingMethod.SEROLOGY


class FamilyCode(BaseModel):
    """A family's code."""

    code: str


class ClaimBody(BaseModel):
    """A donor whom two centres have."""

    id: int
    why: ClaimReason
    party: Party = Field(description="What the caller's centre is in it.")
    other_centre: str
    made_at: datetime
    answers: list[Verdict] = Field(description="What the caller's centre may say.")


class VerdictBody(RequestBody):
    """What is so, in the eyes of the caller's centre."""

    verdict: Verdict


class RowFaultBody(BaseModel):
    """What is wrong with a cell."""

    column: str
    got: str
    code: str


class DonorRowBody(BaseModel):
    """What became of a row."""

    row: int
    reference: str
    outcome: str
    faults: list[RowFaultBody]
    claim: ClaimReason | None


class DonorFileBody(BaseModel):
    """What became of a file, or would."""

    written: bool
    counts: dict[str, int]
    rows: list[DonorRowBody]
