"""Google Person Finder's own cases, as the outside judge of what PFIF is.

Its files are not part of this repository: name the folder of its ``tests`` in
``PERSON_FINDER_TESTS`` to run them.  Whatever is in ``test_pfif.py`` and beside it as
``*.xml`` is a case.
"""

import ast
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reunite.partners.pfif.fields import PLACEHOLDER_FIELDS, Kind
from reunite.partners.pfif.reading import iter_records, read_checked
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.pfif.writing import write_document

FOLDER = os.environ.get("PERSON_FINDER_TESTS", "")
if not FOLDER:
    pytest.skip(
        "PERSON_FINDER_TESTS does not name the tests of google/personfinder",
        allow_module_level=True,
    )
NOW = datetime(2026, 6, 1, tzinfo=UTC)

Fields = dict[str, str]


@dataclass(frozen=True)
class Case:
    name: str
    version: str
    xml: bytes
    persons: list[Fields]
    notes: list[Fields]
    parses: bool = True
    writes: bool = True
    expired: bool = False


def cases() -> list[Case]:
    """The table of cases, read without running the file: it is Python 2."""
    source = (Path(FOLDER) / "test_pfif.py").read_text(encoding="utf-8")
    named: dict[str, Any] = {}
    found = []
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as value):
                named[name] = ast.literal_eval(value)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="TEST_CASES")),
                    args=[ast.Tuple(elts=[title, ast.Call(args=arguments)])],
                )
            ):
                values = [evaluated(argument, named) for argument in arguments]
                values[1] = values[1].encode("latin-1")  # bytes, in Python 2
                found.append(Case(ast.literal_eval(title), *values))
    return found


def evaluated(node: ast.expr, named: dict[str, Any]) -> Any:
    if isinstance(node, ast.List):
        return [evaluated(one, named) for one in node.elts]
    return named[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)


def files() -> list[Path]:
    return sorted(Path(FOLDER).glob("*pfif*.xml"))


CASES, FILES = cases(), files()


def read(xml: bytes) -> tuple[list[Fields], list[Fields]]:
    records = [one.record for one in iter_records([xml])]
    assert not [record for record in records if record.unknown]
    return (
        [dict(record.fields) for record in records if record.kind is Kind.PERSON],
        [dict(record.fields) for record in records if record.kind is Kind.NOTE],
    )


def written(persons: list[Fields], notes: list[Fields], version: str) -> str:
    by_person: dict[str, list[PfifRecord]] = {}
    for note in notes:
        owner = note.get("person_record_id", "")
        by_person.setdefault(owner, []).append(PfifRecord(Kind.NOTE, note))
    records = [PfifRecord(Kind.PERSON, person) for person in persons]
    return "".join(write_document(records, by_person, version))


def test_there_are_cases() -> None:
    assert len(CASES) >= 16
    assert len(FILES) >= 8


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_parsed(case: Case) -> None:
    if case.parses:
        assert read(case.xml) == (case.persons, case.notes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_written_letter_by_letter(case: Case) -> None:
    if case.writes:
        persons = case.persons
        if case.expired:
            persons = [{k: p[k] for k in PLACEHOLDER_FIELDS if k in p} for p in persons]
        assert written(persons, case.notes, case.version) == case.xml.decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_survives_the_way_through_us(case: Case) -> None:
    # In the latest version, whatever it came in.
    again = written(case.persons, case.notes, "1.4").encode()
    assert read(again) == (case.persons, case.notes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_survives_the_way_through_us(path: Path) -> None:
    persons, notes = read(path.read_bytes())
    assert persons or notes
    again = read(written(persons, notes, "1.4").encode())
    assert again[0] == persons
    # Written by person, so the notes may come in another order.
    assert by_id(again[1]) == by_id(notes)
    assert len(again[1]) == len(notes)


def by_id(notes: list[Fields]) -> dict[str, Fields]:
    return {note.get("note_record_id", ""): note for note in notes}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_record_of_a_file_is_used_or_refused_with_its_reason(path: Path) -> None:
    data = path.read_bytes()
    document = read_checked([data], NOW)
    taken = len(document.persons) + len(document.notes)
    assert taken + len(document.refused) == sum(map(len, read(data)))
    assert all(refusal.error.details["field"] for refusal in document.refused)
