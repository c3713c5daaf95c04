"""Read PFIF documents and feeds: plain XML, Atom or RSS, any version from 1.1 to 1.4."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.partners.pfif.fields import KNOWN, NAMESPACE, RENAMED, VERSIONS, Kind
from reunite.partners.pfif.records import PfifRecord, check
from reunite.partners.xml import (
    DEFAULT_LIMITS,
    XmlLimits,
    canonical,
    iter_elements,
    local_name,
    namespace_of,
)

MAX_RECORDS = 20_000  # of one document; a larger repository is read by its feed
DESCRIPTION_LABEL = "description:"


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record and the version of the format that it was written in."""

    record: PfifRecord
    version: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be used, with the reason for whoever sent it."""

    kind: Kind
    record_id: str
    error: ReuniteError

    @classmethod
    def of(cls, record: PfifRecord, error: ReuniteError) -> "Refusal":
        """Why ``record`` was not taken."""
        return cls(record.kind, record.record_id, error)


@dataclass(slots=True)
class PfifDocument:
    """What a document holds, in its order; every note is here, those within persons too."""

    persons: list[PfifRecord] = field(default_factory=list)
    notes: list[PfifRecord] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def read_checked(
    pieces: Iterable[bytes], now: datetime, limits: XmlLimits = DEFAULT_LIMITS
) -> PfifDocument:
    """The usable records of a document, and why the others are not.

    Raises what ``iter_records`` raises where the document as a whole cannot be read.
    """
    document = PfifDocument()
    for read in iter_records(pieces, limits):
        record = read.record
        try:
            checked = check(record, now, read.version)
        except InvalidInputError as error:
            document.refused.append(Refusal.of(record, error))
            continue
        (document.persons if record.kind is Kind.PERSON else document.notes).append(checked)
    return document


def iter_records(
    pieces: Iterable[bytes], limits: XmlLimits = DEFAULT_LIMITS
) -> Iterator[ReadRecord]:
    """Every record as it stands; a person comes before the notes within it.

    Raises InvalidInputError ``pfif_version_unknown``, ``pfif_too_many_records``, and what
    ``partners.xml`` refuses.  A document without a record is empty, not wrong.
    """
    count = 0
    for element in iter_elements(pieces, frozenset(Kind), limits):
        for record in _records_of(element):
            count += 1
            if count > MAX_RECORDS:
                raise InvalidInputError("pfif_too_many_records", maximum=MAX_RECORDS)
            yield record


def _records_of(element: etree._Element) -> Iterator[ReadRecord]:
    namespace = namespace_of(element)
    version = namespace.removeprefix(NAMESPACE)
    if not namespace.startswith(NAMESPACE):
        return  # Atom has a <person> of its own in its grammar; it is none of ours
    if version not in VERSIONS:
        raise InvalidInputError("pfif_version_unknown", version=version[:20])
    kind = Kind(local_name(element))
    record = _record(element, kind, namespace)
    yield ReadRecord(record, version)
    if kind is Kind.NOTE:
        return
    owner = record.text("person_record_id")
    for child in element:
        if _is_field(child, namespace) and local_name(child) == Kind.NOTE:
            note = _record(child, Kind.NOTE, namespace)
            # A note within a person is about that person, whatever it says itself.
            yield ReadRecord(note.with_fields(person_record_id=owner) if owner else note, version)


def _record(element: etree._Element, kind: Kind, namespace: str) -> PfifRecord:
    fields: dict[str, str] = {}
    unknown: list[str] = []
    for child in element:
        name = local_name(child)
        if kind is Kind.PERSON and name == Kind.NOTE and _is_field(child, namespace):
            continue
        known = _is_field(child, namespace) and name in KNOWN[kind] and len(child) == 0
        latest = RENAMED.get(name, name)
        if not known or latest in fields:
            unknown.append(canonical(child))
        elif child.text:
            text = child.text
            fields[latest] = _description(text) if name == "other" else text
    return PfifRecord(kind, fields, tuple(unknown))


def _is_field(element: etree._Element, namespace: str) -> bool:
    return namespace_of(element) == namespace


def _description(other: str) -> str:
    """The description within the field ``other`` of PFIF 1.3 and before.

    By convention ``other`` held labelled lines.  Where the description is all there is, it is
    taken out of its label; otherwise the field stays as it is, so that nothing is lost.
    """
    lines = []
    for number, line in enumerate(other.splitlines(keepends=True)):
        if number == 0:
            if not line.startswith(DESCRIPTION_LABEL):
                return other
            rest = line.removeprefix(DESCRIPTION_LABEL)
            if rest.strip():
                lines.append(rest.strip(" \t"))
        elif re.match(r"\S+:", line):
            return other
        else:
            lines.append(line.strip(" \t"))
    return "".join(lines)
