"""Documents about residents, DOCX and PDF, read as if they were rows of a sheet.

A form tells of one person, with every picture in it; a table with a header tells of a person a
row.  Parsers of either format run in a child process with bounds on time and memory
(``document_child``), so that a hostile file costs one row of the report and nothing else.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reunite.kernel.errors import InvalidInputError
from reunite.partners.stations.columns import Column, guess_columns, head_of
from reunite.partners.stations.forms import Facts, facts_of_form, is_list
from reunite.partners.stations.sheets import Sheet

SUFFIXES = frozenset({".docx", ".pdf"})
MAX_DOCUMENT_BYTES = 50_000_000
MAX_DOCUMENTS = 20_000
DOCUMENTS_A_CHILD = 100
CHILD = "reunite.partners.stations.document_child"
PDF, ZIP = b"%PDF-", b"PK\x03\x04"


@dataclass(slots=True)
class DocumentSheet(Sheet):
    """People out of documents as rows; ``columns`` says what stands where.

    ``refused`` are rows whose document could not be read: a code and the name of the file.
    """

    columns: dict[int, Column] = field(default_factory=dict)
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)
    folder: "tempfile.TemporaryDirectory[str] | None" = None  # of the pictures

    def close(self) -> None:
        """Erase the pictures that were taken out of the documents."""
        if self.folder is not None:
            self.folder.cleanup()

    def picture(self, part: str) -> bytes:
        """The bytes of a picture.  Raises InvalidInputError ``sheet_picture``."""
        assert self.folder is not None  # noqa: S101
        try:
            return (Path(self.folder.name) / part).read_bytes()
        except OSError as error:
            raise InvalidInputError("sheet_picture", part=part) from error


@dataclass(frozen=True, slots=True)
class _Person:
    facts: Facts
    pictures: tuple[str, ...]


def is_document(path: Path) -> bool:
    """Whether this is a folder of documents, or one document, by what is in it."""
    if path.is_dir():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(5)
    return start == PDF or (start.startswith(ZIP) and _is_word(path))


def read_documents(path: Path, remembered: Mapping[str, Column]) -> DocumentSheet:
    """Everybody whom a document, or every document in a folder, tells of.

    Somebody without a number of the station's is known by the name of the file.  Raises
    InvalidInputError ``sheet_empty`` or ``sheet_too_large``.
    """
    paths = (
        sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        if (path.is_dir())
        else [path]
    )
    paths = [one for one in paths if one.is_file() and not one.is_symlink()]
    if not paths:
        raise InvalidInputError("sheet_empty")
    if len(paths) > MAX_DOCUMENTS:
        raise InvalidInputError("sheet_too_large", most_rows=MAX_DOCUMENTS)
    columns = [one for one in Column if one not in (Column.IGNORED, Column.PHOTO)]
    folder = tempfile.TemporaryDirectory(prefix="reunite-documents-")
    sheet = DocumentSheet(
        rows=[],
        path=path,
        columns=dict(enumerate(columns)),
        folder=folder,
    )
    rows: list[list[str]] = [[column.value for column in columns]]
    for one, said in _iter_read(paths, Path(folder.name)):
        if "code" in said:
            sheet.refused[len(rows)] = (said["code"], one.name)
            rows.append([one.name])
            continue
        people = list(_people(said, remembered))
        for order, person in enumerate(people):
            facts = person.facts
            # An upload has no name of its own: such a record is known by what it says.
            if Column.NUMBER not in facts and one.suffix.lower() in SUFFIXES:
                suffix = f"-{order + 1}" if len(people) > 1 else ""
                facts[Column.NUMBER] = f"{one.stem}{suffix}"
            if person.pictures:
                sheet.pictures[len(rows)] = person.pictures
            rows.append([facts.get(column, "") for column in columns])
    sheet.rows = rows
    return sheet


def _people(said: dict[str, Any], remembered: Mapping[str, Column]) -> Iterator[_Person]:
    forms, pictures = [], list(said["pictures"])
    for table in said["tables"]:
        cells = [row["cells"] for row in table]
        if not is_list(cells, remembered):
            forms.append(cells)
            pictures += [name for row in table for name in row["pictures"]]
            continue
        heads = guess_columns([head_of(cell) for cell in cells[0]], remembered)
        for row in table[1:]:
            facts = {
                column: row["cells"][place]
                for place, column in heads.items()
                if place < len(row["cells"]) and row["cells"][place]
            }
            if facts:
                yield _Person(facts, tuple(row["pictures"]))
    facts = facts_of_form(said["lines"], forms, remembered)
    is_about_nobody = set(facts) <= {Column.NOTE} and not pictures
    if not is_about_nobody or not said["tables"]:
        yield _Person(facts, tuple(pictures))


def _is_word(path: Path) -> bool:
    # Without the list of parts, which a hostile archive can make long: the name stands in the
    # clear in front of the part, and once more in the directory at the end.
    with path.open("rb") as file:
        start = file.read(65536)
        file.seek(max(0, path.stat().st_size - 65536))
        return b"word/" in start + file.read()


def _iter_read(paths: Sequence[Path], folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What the child makes of each; where it ends early, the document it was at is refused."""
    waiting = list(enumerate(paths))
    while waiting:
        batch, waiting = waiting[:DOCUMENTS_A_CHILD], waiting[DOCUMENTS_A_CHILD:]
        fitting = []
        for number, path in batch:
            if path.stat().st_size > MAX_DOCUMENT_BYTES:
                yield path, {"code": "document_too_large"}
            else:
                fitting.append((number, path))
        done = 0
        for said in _run([path for _, path in fitting], folder, fitting):
            yield fitting[done][1], said
            done += 1
        if done < len(fitting):
            yield fitting[done][1], {"code": "document_too_large"}
            waiting = fitting[done + 1 :] + waiting


def _run(
    paths: Sequence[Path], folder: Path, numbered: Sequence[tuple[int, Path]]
) -> Iterator[dict[str, Any]]:
    if not paths:
        return
    own = folder / str(numbered[0][0])
    own.mkdir()
    # The interpreter itself, with arguments of our own making: no shell, no search path.
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            CHILD,
            str(own),
            *(str(path.resolve()) for path in paths),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={"PYTHONPATH": ":".join(part for part in sys.path if part), "PATH": ""},
        text=True,
        encoding="utf-8",
    ) as child:
        assert child.stdout is not None  # noqa: S101
        for line in child.stdout:
            said: dict[str, Any] = json.loads(line)
            yield _within(said, own.name)


def _within(said: dict[str, Any], folder: str) -> dict[str, Any]:
    """Names of pictures as the parent finds them."""
    if "code" in said:
        return said
    return {
        "lines": said["lines"],
        "pictures": [f"{folder}/{name}" for name in said["pictures"]],
        "tables": [
            [
                {
                    "cells": row["cells"],
                    "pictures": [f"{folder}/{name}" for name in row["pictures"]],
                }
                for row in table
            ]
            for table in said["tables"]
        ],
    }
