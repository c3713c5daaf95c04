"""A CAP message: what is said, in which languages, and for where."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
LEAST_RING_POINTS = 4  # three corners, and the first one again
MAX_TEXT_CHARACTERS = 20_000
MAX_AREAS = 500

# CAP 1.2, 3.2.1: identifier and sender must not hold spaces, commas or restricted characters.
_TOKEN = re.compile(r"[^\s,<&]{1,255}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


class Status(StrEnum):
    """Whether the message is in earnest (CAP 1.2, 3.2.1)."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """What the message does (CAP 1.2, 3.2.1)."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class MessageScope(StrEnum):
    """For whom the message is."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


CATEGORIES = frozenset(
    {
        "Geo",
        "Met",
        "Safety",
        "Security",
        "Rescue",
        "Fire",
        "Health",
        "Env",
        "Transport",
        "Infra",
        "CBRNE",
        "Other",
    }
)
RESPONSES = frozenset(
    {
        "Shelter",
        "Evacuate",
        "Prepare",
        "Execute",
        "Avoid",
        "Monitor",
        "Assess",
        "AllClear",
        "None",
    }
)
URGENCIES = frozenset({"Immediate", "Expected", "Future", "Past", "Unknown"})
SEVERITIES = frozenset({"Extreme", "Severe", "Moderate", "Minor", "Unknown"})
CERTAINTIES = frozenset({"Observed", "Likely", "Possible", "Unlikely", "Unknown"})


@dataclass(frozen=True, slots=True)
class CapCircle:
    """A circle on the ground."""

    centre: Point
    radius_km: float


@dataclass(frozen=True, slots=True)
class CapArea:
    """Where people are to be told.  ``polygons`` are closed rings of WGS-84 points."""

    description: str
    circles: tuple[CapCircle, ...] = ()
    polygons: tuple[tuple[Point, ...], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CapInfo:
    """The message in one language (BCP 47)."""

    language: str
    category: str
    event: str
    urgency: str
    severity: str
    certainty: str
    response: str = ""
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    areas: tuple[CapArea, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message, as later ones point at it."""

    sender: str
    identifier: str
    sent: datetime

    def __str__(self) -> str:
        return f"{self.sender},{self.identifier},{format_time(self.sent)}"


@dataclass(frozen=True, slots=True)
class CapAlert:
    """One message."""

    identifier: str
    sender: str
    sent: datetime
    message_type: MessageType
    infos: tuple[CapInfo, ...]
    status: Status = Status.ACTUAL
    scope: MessageScope = MessageScope.PUBLIC
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: str = ""

    @property
    def reference(self) -> Reference:
        """How a later message names this one."""
        return Reference(self.sender, self.identifier, self.sent)

    def info_in(self, language: str) -> CapInfo | None:
        """The block of a language, or the first where there is none of it."""
        for info in self.infos:
            if info.language.lower().partition("-")[0] == language:
                return info
        return self.infos[0] if self.infos else None


def check(alert: CapAlert) -> CapAlert:
    """The alert itself.

    Raises InvalidInputError naming the ``field`` that breaks a rule of CAP 1.2 which the schema
    does not know: ``cap_token``, ``cap_reference_missing``, ``cap_word_unknown``,
    ``cap_ring_open``, ``cap_info_missing``, ``radius_out_of_range``, ``text_too_long``.
    """
    for name, token in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not _TOKEN.fullmatch(token):
            raise InvalidInputError("cap_token", field=name)
    changes = alert.message_type in (MessageType.UPDATE, MessageType.CANCEL)
    if changes and not alert.references:
        raise InvalidInputError("cap_reference_missing", field="references")
    if alert.message_type in (MessageType.ALERT, MessageType.UPDATE) and not alert.infos:
        raise InvalidInputError("cap_info_missing", field="info")
    for info in alert.infos:
        _check_info(info)
    return alert


def _check_info(info: CapInfo) -> None:
    for name, value, words in (
        ("category", info.category, CATEGORIES),
        ("urgency", info.urgency, URGENCIES),
        ("severity", info.severity, SEVERITIES),
        ("certainty", info.certainty, CERTAINTIES),
        ("responseType", info.response or "None", RESPONSES),
    ):
        if value not in words:
            raise InvalidInputError("cap_word_unknown", field=name)
    for name, text in (
        ("event", info.event),
        ("headline", info.headline),
        ("description", info.description),
        ("instruction", info.instruction),
    ):
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidInputError("text_too_long", field=name, maximum=MAX_TEXT_CHARACTERS)
    if not info.event:
        raise InvalidInputError("required", field="event")
    if len(info.areas) > MAX_AREAS:
        raise InvalidInputError("text_too_long", field="area", maximum=MAX_AREAS)
    for area in info.areas:
        _check_area(area)


def _check_area(area: CapArea) -> None:
    for circle in area.circles:
        if not 0 <= circle.radius_km < float("inf"):
            raise InvalidInputError("radius_out_of_range", field="circle", maximum=20_000)
    for ring in area.polygons:
        if len(ring) < LEAST_RING_POINTS or ring[0] != ring[-1]:
            raise InvalidInputError("cap_ring_open", field="polygon")


def closed(ring: tuple[Point, ...]) -> tuple[Point, ...]:
    """The ring with its first point at the end, and no point twice in a row."""
    kept = ring[:1] + tuple(following for point, following in pairwise(ring) if following != point)
    return kept if kept[:1] == kept[-1:] and len(kept) > 1 else kept + kept[:1]


def parse_time(text: str, field_name: str) -> datetime:
    """A time of CAP in UTC.

    Raises InvalidInputError ``date_unreadable`` or, for one without an offset,
    ``date_without_zone``.  A Z is against CAP 1.2 (3.3.2), yet many send it.
    """
    value = text.strip()
    if value.endswith(("Z", "z")):
        value = value[:-1] + "+00:00"
    if not _TIME.fullmatch(value):
        bare = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value)
        code = "date_without_zone" if bare else "date_unreadable"
        raise InvalidInputError(code, field=field_name)
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError("date_unreadable", field=field_name) from error


def format_time(at: datetime) -> str:
    """A time as CAP writes it: to the second, UTC as ``-00:00``, never Z (CAP 1.2, 3.3.2)."""
    text = at.replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "-00:00" if text.endswith("+00:00") else text
