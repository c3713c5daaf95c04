"""PFIF in → records → out, as files: append ``pfif/NAME.in.xml`` to add a case.

``REUNITE_WRITE_GOLDEN=1`` writes what is expected; read it before it is committed.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.reading import PfifDocument, read_checked
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.pfif.writing import FeedHead, write_document, write_note_feed
from reunite.partners.pfif.writing import write_person_feed as write_feed
from tests.independent import pfif_reader

FOLDER = Path(__file__).parent / "pfif"
CASES = sorted(path.name.removesuffix(".in.xml") for path in FOLDER.glob("*.in.xml"))
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEAD = FeedHead("https://reunite.example/feeds/pfif/persons", "Reunite", "People", NOW)


def read(name: str) -> PfifDocument:
    return read_checked([(FOLDER / f"{name}.in.xml").read_bytes()], NOW)


def notes_of(document: PfifDocument) -> dict[str, list[PfifRecord]]:
    notes: dict[str, list[PfifRecord]] = {}
    for note in document.notes:
        notes.setdefault(note.text("person_record_id"), []).append(note)
    return notes


def in_words(document: PfifDocument) -> dict[str, Any]:
    return {
        "persons": [{**one.fields, "unknown": list(one.unknown)} for one in document.persons],
        "notes": [{**one.fields, "unknown": list(one.unknown)} for one in document.notes],
        "refused": [
            {"record_id": one.record_id, "code": one.error.code, **one.error.details}
            for one in document.refused
        ],
    }


def expect(path: Path, text: str) -> None:
    if os.environ.get("REUNITE_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_document_is_read_and_written_as_ever(name: str) -> None:
    document = read(name)
    words = json.dumps(in_words(document), ensure_ascii=False, indent=2) + "\n"
    expect(FOLDER / f"{name}.json", words)
    expect(
        FOLDER / f"{name}.out.xml", "".join(write_document(document.persons, notes_of(document)))
    )
    expect(
        FOLDER / f"{name}.atom.xml", "".join(write_feed(HEAD, document.persons, notes_of(document)))
    )


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read_again(name: str) -> None:
    document = read(name)
    # Before 1.3 a person needed no date, so one without can go out in an old version only.
    version = "1.4" if all(one.text("source_date") for one in document.persons) else "1.2"
    for text in (
        write_document(document.persons, notes_of(document), version),
        write_feed(HEAD, document.persons, notes_of(document), version),
    ):
        again = read_checked(["".join(text).encode()], NOW)
        assert again.persons == document.persons
        assert not again.refused


@pytest.mark.parametrize("name", CASES)
def test_an_independent_reader_reads_the_same(name: str) -> None:
    document = read(name)
    # Every record of a feed has the time at which it came in.
    stamp = {"entry_date": "2026-06-01T12:00:00Z", "source_date": "2026-06-01T11:00:00Z"}
    persons = [one.with_fields(**stamp) for one in document.persons]
    notes = [one.with_fields(**stamp) for one in document.notes]
    text = "".join(write_feed(HEAD, persons, {}))
    assert pfif_reader.read(text) == ([dict(one.fields) for one in persons], [])
    text = "".join(write_note_feed(HEAD, notes))
    assert pfif_reader.read(text) == ([], [dict(one.fields) for one in notes])
    by_person: dict[str, list[PfifRecord]] = {}
    for note in notes:
        by_person.setdefault(note.text("person_record_id"), []).append(note)
    found_persons, found_notes = pfif_reader.read("".join(write_document(persons, by_person)))
    assert found_persons == [dict(one.fields) for one in persons]
    assert found_notes == [dict(one.fields) for ones in by_person.values() for one in ones]


def test_the_next_page_is_named() -> None:
    head = FeedHead("https://r.example/f?skip=0&x=1", "R", "", NOW, "https://r.example/f?skip=2")
    text = "".join(write_feed(head, [PfifRecord(Kind.PERSON, {"full_name": "王"})], {}))
    assert '<link rel="next" href="https://r.example/f?skip=2"/>' in text
    assert 'href="https://r.example/f?skip=0&amp;x=1"' in text
