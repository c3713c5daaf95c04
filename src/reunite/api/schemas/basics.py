"""Parts of bodies that every subject uses, and those of accounts."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from reunite.accounts.account import Role
from reunite.kernel.datum import Datum
from reunite.kernel.ids import REFERENCE_ALPHABET, REFERENCE_LENGTH, read_reference
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language

LARGEST_ID = 2**63 - 1  # of PostgreSQL's bigint; more would be an error there
Item = TypeVar("Item")


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("NUL is no character of a text")
    return text


def _as_written(reference: object) -> object:
    """A reference as it is stored; it may have been read out by telephone (Crockford)."""
    if not isinstance(reference, str):
        return reference
    return read_reference(reference)


Text = Annotated[str, AfterValidator(_without_nul)]  # PostgreSQL refuses NUL
Secret = Annotated[Text, Field(max_length=1000, json_schema_extra={"format": "password"})]
Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Reference = Annotated[
    str,
    BeforeValidator(_as_written),
    Field(
        pattern=f"^[{REFERENCE_ALPHABET}]{{{REFERENCE_LENGTH}}}$",
        description="The public name of a case; upper or lower case.",
        examples=["7K3M9QX2TB"],
    ),
]
Year = Annotated[int, Field(ge=1800, le=2200)]


class ModuleName(StrEnum):
    """The three kinds of help."""

    CHILD = "child"
    ELDER = "elder"
    BLOOD = "blood"


class SideName(StrEnum):
    """Which side of a reunion a record stands on."""

    MISSING = "missing"
    FOUND = "found"


class SexName(StrEnum):
    """Sex as recorded."""

    UNKNOWN = "unknown"
    FEMALE = "female"
    MALE = "male"


class RequestBody(BaseModel):
    """What is sent in: a misspelt field is a mistake, not a wish to leave it out."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Page(BaseModel, Generic[Item]):
    """Part of a list."""

    items: list[Item]
    next: int | None = Field(
        description="Where the next part begins: send it as the `before`, `after` or `offset` "
        "of this list.  Null at the end."
    )


class SessionRequest(RequestBody):
    """Who wants to sign in."""

    email: Text = Field(max_length=320, examples=["family@demo.example"])
    password: Secret


class Session(BaseModel):
    """A session; send its token as `Authorization: Bearer <token>`."""

    token: str
    token_type: str = "bearer"  # noqa: S105  (the name of the scheme)


class AccountRequest(RequestBody):
    """A new account of one's own."""

    email: Text = Field(max_length=320)
    password: Secret
    display_name: Text
    role: Role = Field(default=Role.FAMILY, description="`family` or `volunteer`.")
    language: Language = DEFAULT_LANGUAGE


class Created(BaseModel):
    """The number of what has been written."""

    id: int


class CallerAccount(BaseModel):
    """Who is signed in."""

    id: int
    role: Role
    display_name: str
    language: Language
    organisation: str


class AccountEntry(CallerAccount):
    """An account as administrators see it."""

    email: str
    disabled: bool
    created_at: datetime


class AccountChange(RequestBody):
    """What is to change; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None


class Position(RequestBody):
    """A WGS-84 position in degrees."""

    latitude: float = Field(ge=-90, le=90, examples=[30.2741])
    longitude: float = Field(ge=-180, le=180, examples=[120.1551])


class GivenPosition(Position):
    """A position that a program hands in; those of Chinese maps are converted to WGS-84."""

    datum: Datum = Field(
        default=Datum.WGS84,
        description="`gcj02` of Amap and Tencent, `bd09` of Baidu; nothing in the numbers "
        "themselves would tell.",
    )


class TownEntry(BaseModel):
    """A town to choose."""

    id: int = Field(description="Its GeoNames number.")
    name_zh: str
    name_en: str
    position: Position
    population: int
