"""What was typed into a form: read it, or give it back with a message beside the field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import TypeVar
from zoneinfo import ZoneInfo

from reunite.kernel.datum import Datum, to_wgs84
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.places import Point

Choice = TypeVar("Choice", bound=Enum)

# No number that a form asks for is longer, and every one this short fits a bigint.
MAX_NUMBER_CHARACTERS = 18


@dataclass(slots=True)
class Form:
    """Typed values by field name, the uploads, and the mistake that was found.

    Reading a value raises InvalidInputError with the ``field`` at fault.
    """

    values: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    error: ReuniteError | None = None
    message: str = ""  # the error in the reader's language

    @classmethod
    def of(cls, **values: object) -> "Form":
        """A form that is filled in already."""
        return cls({name: [str(v)] for name, v in values.items() if v is not None and v != ""})

    def text(self, name: str) -> str:
        """What was typed, without surrounding space; empty where nothing was."""
        values = self.values.get(name)
        # NUL is no character of a text: PostgreSQL refuses it.
        return values[0].replace("\x00", "").strip() if values else ""

    def secret(self, name: str) -> str:
        """What was typed, to the letter."""
        values = self.values.get(name)
        return values[0] if values else ""

    def required(self, name: str) -> str:
        """What was typed; raises ``required`` for nothing."""
        text = self.text(name)
        if not text:
            raise InvalidInputError("required", field=name)
        return text

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def integer(self, name: str) -> int | None:
        """A whole number, None for nothing; raises ``number_expected``."""
        text = self.text(name)
        if not text:
            return None
        try:
            if len(text) > MAX_NUMBER_CHARACTERS:
                raise InvalidInputError("number_expected", field=name)
            return int(text)
        except ValueError:
            raise InvalidInputError("number_expected", field=name) from None

    def decimal(self, name: str) -> float | None:
        """A number, None for nothing; raises ``number_expected``."""
        text = self.text(name)
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            raise InvalidInputError("number_expected", field=name) from None
        # "nan" and "inf" are numbers to Python and to nobody else.
        if not isfinite(number):
            raise InvalidInputError("number_expected", field=name)
        return number

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        """A day and time in ``zone`` as aware UTC; raises ``date_expected``."""
        text = self.text(name)
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
            return local.replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidInputError("date_expected", field=name) from None

    def choice(self, name: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """One of an enumeration; raises ``required`` or ``choice_unknown``."""
        text = self.text(name)
        if not text:
            if default is not None:
                return default
            raise InvalidInputError("required", field=name)
        return _member(kind, text, name)

    def choices(self, name: str, kind: type[Choice]) -> frozenset[Choice]:
        """Any number of an enumeration; raises ``choice_unknown``."""
        return frozenset(_member(kind, text, name) for text in self.values.get(name, []) if text)

    def point(self) -> Point | None:
        """The coordinates that a browser or a hand filled in, as WGS-84; None without.

        ``datum`` says what the hand read them from; a browser measures in WGS-84.

        Raises ``place_out_of_range``, ``number_expected`` or ``choice_unknown``.
        """
        latitude, longitude = self.decimal("latitude"), self.decimal("longitude")
        if latitude is None or longitude is None:
            return None
        with at_field("place"):
            point = Point(latitude, longitude)
        return to_wgs84(point, self.choice("datum", Datum, Datum.WGS84))

    def upload(self, name: str) -> bytes | None:
        """The bytes of a file; None where none was chosen."""
        return self.files.get(name)

    def required_upload(self, name: str) -> bytes:
        """The bytes of a file; raises ``photo_required`` where none was chosen."""
        data = self.files.get(name)
        if data is None:
            raise InvalidInputError("photo_required", field=name)
        return data

    def value(self, name: str) -> str:
        """What to show in the field again; never a password."""
        return self.text(name)

    def has(self, name: str, value: object) -> bool:
        """Whether this choice was made."""
        wanted = value.value if isinstance(value, Enum) else value
        return str(wanted) in self.values.get(name, [])

    @property
    def fault(self) -> str:
        """The name of the field at fault; empty where it is none in particular."""
        return str(self.error.details.get("field", "")) if self.error is not None else ""

    def message_for(self, name: str) -> str:
        """The message to show beside a field."""
        return self.message if self.error is not None and self.fault == name else ""


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Lay errors that name no field at this one's door."""
    try:
        yield
    except ReuniteError as error:
        error.details.setdefault("field", name)
        raise


def _member(kind: type[Choice], text: str, name: str) -> Choice:
    for member in kind:
        if str(member.value) == text:
            return member
    raise InvalidInputError("choice_unknown", field=name)
