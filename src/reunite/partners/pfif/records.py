"""PFIF records: what they say, and whether it can be used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import EARLIEST_BIRTH_YEAR, Sex, YearRange
from reunite.partners.pfif.fields import LATEST, SEXES, STATUSES, Kind

MAX_ID_CHARACTERS = 255
MAX_FIELD_CHARACTERS = 20_000
OLDEST_AGE_YEARS = 130
# Clocks differ; a record from later than this is from none of them.
CLOCK_TOLERANCE = timedelta(days=1)
UNDATED_VERSIONS = frozenset({"1.1", "1.2"})

_RECORD_ID = re.compile(
    r"(?=.{3,255}$)([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)/(\S.*)", re.DOTALL
)
_DATE_OF_BIRTH = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_AGE = re.compile(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?")
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]+")


@dataclass(frozen=True, slots=True)
class PfifRecord:
    """One person or note as it was sent, word for word.

    ``fields`` has the names of PFIF 1.4, whatever the version that was read, and only those that
    had a value.  ``unknown`` keeps every other element as canonical XML, so that a partner's own
    fields survive the way through us.
    """

    kind: Kind
    fields: Mapping[str, str]
    unknown: tuple[str, ...] = field(default=())

    @property
    def record_id(self) -> str:
        return self.text(f"{self.kind.value}_record_id")

    @property
    def domain(self) -> str:
        """The repository that the record comes from and that alone may change it."""
        return domain_of(self.record_id)

    def text(self, name: str) -> str:
        """A field without the space around it; empty where it is not there."""
        return self.fields.get(name, "").strip()

    def time(self, name: str) -> datetime | None:
        """A date field in UTC; None where it is not there.

        Raises InvalidInputError ``date_unreadable`` or ``date_without_zone``.
        """
        value = self.text(name)
        return parse_time(value, name) if value else None

    def with_fields(self, **changes: str) -> "PfifRecord":
        """The same with some fields changed; an empty value takes one away."""
        fields = {**self.fields, **changes}
        return replace(self, fields={name: value for name, value in fields.items() if value})


def domain_of(record_id: str) -> str:
    """The part of a record id before the slash, in lower case; empty for no record id."""
    match = _RECORD_ID.fullmatch(record_id.strip())
    return match[1].lower() if match else ""


def parse_time(value: str, field_name: str) -> datetime:
    """A point in time.  PFIF asks for UTC with a Z; other offsets are converted.

    Raises InvalidInputError ``date_unreadable``, or ``date_without_zone`` for a time of which
    nobody can say when it was.
    """
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise InvalidInputError("date_unreadable", field=field_name) from error
    if "T" not in value.upper():
        raise InvalidInputError("date_unreadable", field=field_name)
    if read.tzinfo is None:
        raise InvalidInputError("date_without_zone", field=field_name)
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInputError("date_unreadable", field=field_name) from error


def format_time(at: datetime) -> str:
    """A point in time as PFIF writes it: UTC to the second, with a Z."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def check(record: PfifRecord, now: datetime, version: str = LATEST) -> PfifRecord:
    """The record, with its times in UTC and its full name filled in.

    ``version`` is that of the document: before PFIF 1.3 a person needed no source date.

    Raises InvalidInputError naming the ``field``: ``required``, ``record_id_unreadable``,
    ``text_too_long``, ``date_unreadable``, ``date_without_zone``, ``date_in_future``.  What
    is optional and makes no sense is no reason to turn a missing person away.
    """
    for name, value in record.fields.items():
        limit = MAX_ID_CHARACTERS if name.endswith("_record_id") else MAX_FIELD_CHARACTERS
        if len(value) > limit:
            raise InvalidInputError("text_too_long", field=name, maximum=limit)
    if sum(map(len, record.unknown)) > MAX_FIELD_CHARACTERS:
        raise InvalidInputError("text_too_long", field="unknown", maximum=MAX_FIELD_CHARACTERS)
    checked = _with_ids_checked(record)
    times: dict[str, str] = {}
    for name in ("source_date", "entry_date", "expiry_date"):
        at = checked.time(name)
        if at is None:
            continue
        if name != "expiry_date" and at > now + CLOCK_TOLERANCE:
            raise InvalidInputError("date_in_future", field=name)
        times[name] = format_time(at)
    checked = checked.with_fields(**times)
    if checked.kind is Kind.NOTE:
        return _checked_note(checked)
    return _checked_person(checked, now, needs_date=version not in UNDATED_VERSIONS)


def _with_ids_checked(record: PfifRecord) -> PfifRecord:
    own = f"{record.kind.value}_record_id"
    needed = {own, "person_record_id"}
    ids: dict[str, str] = {}
    for name in (own, "person_record_id", "linked_person_record_id"):
        value = record.text(name)
        if not value and name in needed:
            raise InvalidInputError("required", field=name)
        if value and not domain_of(value):
            raise InvalidInputError("record_id_unreadable", field=name)
        if value:
            ids[name] = value
    return record.with_fields(**ids)


def _checked_person(record: PfifRecord, now: datetime, *, needs_date: bool) -> PfifRecord:
    if needs_date and not record.text("source_date"):
        raise InvalidInputError("required", field="source_date")
    if is_expired(record, now):
        return record
    name = full_name(record)
    if not name:
        raise InvalidInputError("required", field="full_name")
    return record if record.text("full_name") else record.with_fields(full_name=name)


def _checked_note(record: PfifRecord) -> PfifRecord:
    # PFIF 1.4: the author's name and the text are mandatory too, but the note of an expired
    # person has neither any more.
    if not record.text("source_date"):
        raise InvalidInputError("required", field="source_date")
    if record.text("text") and not record.text("author_name"):
        raise InvalidInputError("required", field="author_name")
    if record.text("author_name") and not record.text("text"):
        raise InvalidInputError("required", field="text")
    return record


def full_name(record: PfifRecord) -> str:
    """The name to show: the first full name, or what older versions had instead of it."""
    names = record.text("full_name").splitlines()
    if names:
        return names[0].strip()
    family, given = record.text("family_name"), record.text("given_name")
    if _CHINESE.fullmatch(family + given):
        return family + given
    return f"{given} {family}".strip()


def is_expired(record: PfifRecord, now: datetime) -> bool:
    """Whether the record must no longer be shown: its expiry date has come."""
    at = record.time("expiry_date")
    return at is not None and at <= now


def sex_of(record: PfifRecord) -> Sex:
    """Sex as recorded; ``other`` and what PFIF does not know are not known to us."""
    words = {"female": Sex.FEMALE, "male": Sex.MALE}
    return words.get(record.text("sex").lower(), Sex.UNKNOWN)


def status_of(record: PfifRecord) -> str:
    """The status that a note gives; empty for none or for a word that PFIF does not have."""
    status = record.text("status").lower()
    return status if status in STATUSES else ""


def has_known_sex(record: PfifRecord) -> bool:
    """Whether the sex is one of the words of PFIF."""
    return record.text("sex").lower() in SEXES


def birth_years(record: PfifRecord, now: datetime) -> YearRange | None:
    """The years in which the person may have been born; None where nothing usable is said.

    The date of birth may be a year, a month or a day; an age holds at the source date (PFIF 1.4).
    """
    born = _DATE_OF_BIRTH.fullmatch(record.text("date_of_birth"))
    if born and EARLIEST_BIRTH_YEAR <= int(born[1]) <= now.year:
        return YearRange(int(born[1]), int(born[1]))
    age = _AGE.fullmatch(record.text("age"))
    said = record.time("source_date")
    if age is None or said is None:
        return None
    youngest, oldest = int(age[1]), int(age[2] or age[1])
    if youngest > oldest or oldest > OLDEST_AGE_YEARS:
        return None
    # Somebody who is seven in June was born this year less seven, or the year before.
    first, last = said.year - oldest - 1, said.year - youngest
    return YearRange(max(first, EARLIEST_BIRTH_YEAR), last) if last >= EARLIEST_BIRTH_YEAR else None
