"""A reader of PFIF 1.4 written from its specification alone, without a line of Reunite.

It stands for every other repository: what it makes of our feeds is what they would.
Specification: http://zesty.ca/pfif/1.4, sections 4 (data model), 5 (XML) and 6 (Atom).
"""

import re
import xml.etree.ElementTree as ET
from typing import Any

PFIF = "{http://zesty.ca/pfif/1.4}"
ATOM = "{http://www.w3.org/2005/Atom}"

PERSON = tuple(
    name
    for line in (
        "person_record_id entry_date expiry_date author_name author_email author_phone source_name",
        "source_date source_url full_name given_name family_name alternate_names description sex",
        "date_of_birth age home_street home_neighborhood home_city home_state home_postal_code",
        "home_country photo_url profile_urls",
    )
    for name in line.split()
)
NOTE = tuple(
    name
    for line in (
        "note_record_id person_record_id linked_person_record_id entry_date author_name",
        "author_email",
        "author_phone source_date author_made_contact status email_of_found_person",
        "phone_of_found_person last_known_location text photo_url",
    )
    for name in line.split()
)

RECORD_ID = re.compile(r"[a-z0-9.-]+/\S+", re.IGNORECASE)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
FORMATS = {
    "person_record_id": RECORD_ID,
    "note_record_id": RECORD_ID,
    "linked_person_record_id": RECORD_ID,
    "entry_date": MOMENT,
    "source_date": MOMENT,
    "expiry_date": MOMENT,
    "sex": re.compile("female|male|other"),
    "date_of_birth": re.compile(r"\d{4}(-\d\d(-\d\d)?)?"),
    "age": re.compile(r"\d+(-\d+)?"),
    "home_country": re.compile("[A-Z]{2}"),
    "author_made_contact": re.compile("true|false"),
    "status": re.compile(
        "information_sought|is_note_author|believed_alive|believed_missing|believed_dead"
    ),
}

Found = dict[str, Any]


class NotPfifError(Exception):
    """The document breaks a rule of the specification."""


def read(text: str) -> tuple[list[Found], list[Found]]:
    """Persons and notes of a document or an Atom feed; each note names its person."""
    root = ET.fromstring(text)  # noqa: S314  (our own feed, within a test)
    if root.tag == f"{ATOM}feed":
        entries = root.findall(f"{ATOM}entry")
        for entry in entries:
            _check_entry(entry)
        holders = entries
    elif root.tag == f"{PFIF}pfif":
        holders = [root]
    else:
        raise NotPfifError(root.tag)
    persons, notes = [], []
    for holder in holders:
        for element in holder:
            if element.tag == f"{PFIF}person":
                person, its_notes = _person(element)
                persons.append(person)
                notes += its_notes
            elif element.tag == f"{PFIF}note":
                notes.append(_note(element, None))
    return persons, notes


def _person(element: ET.Element) -> tuple[Found, list[Found]]:
    person = _fields(element, PERSON)
    _require(person, "person_record_id", "source_date", "entry_date")
    if set(person) - {"person_record_id", "source_date", "entry_date", "expiry_date", "full_name"}:
        _require(person, "full_name")
    notes = [_note(child, person["person_record_id"]) for child in element.findall(f"{PFIF}note")]
    return person, notes


def _note(element: ET.Element, owner: str | None) -> Found:
    note = _fields(element, NOTE)
    if owner is not None:
        note.setdefault("person_record_id", owner)
    if owner is not None and note["person_record_id"] != owner:
        raise NotPfifError("a note within a person is about another one")
    _require(note, "note_record_id", "person_record_id", "author_name", "source_date", "text")
    return note


def _fields(element: ET.Element, order: tuple[str, ...]) -> Found:
    fields: Found = {}
    last = -1
    for child in element:
        if not child.tag.startswith(PFIF) or child.tag == f"{PFIF}note":
            continue
        name = child.tag.removeprefix(PFIF)
        if name not in order:
            continue  # section 2: unknown fields are passed over
        if order.index(name) <= last:
            raise NotPfifError(f"{name} stands in the wrong place or twice")
        last = order.index(name)
        value = child.text or ""
        if value and name in FORMATS and not FORMATS[name].fullmatch(value):
            raise NotPfifError(f"{name} is {value!r}")
        if value:
            fields[name] = value
    return fields


def _require(fields: Found, *names: str) -> None:
    for name in names:
        if name not in fields:
            raise NotPfifError(f"{name} is missing")


def _check_entry(entry: ET.Element) -> None:
    record = entry.find(f"{PFIF}person")
    record = entry.find(f"{PFIF}note") if record is None else record
    if record is None:
        raise NotPfifError("an entry without a record")
    kind = record.tag.removeprefix(PFIF)
    record_id = record.findtext(f"{PFIF}{kind}_record_id")
    if entry.findtext(f"{ATOM}id") != f"pfif:{record_id}":
        raise NotPfifError("the entry's id is not that of its record")
    for name in ("title", "updated", "author"):
        if entry.find(f"{ATOM}{name}") is None:
            raise NotPfifError(f"an entry without {name}")
