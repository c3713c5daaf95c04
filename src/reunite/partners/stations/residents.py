"""From rows of a station's sheet to residents, each fact read or the reason why not."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex, YearRange
from reunite.partners.stations.columns import Column, find_header, guess_columns, head_of
from reunite.partners.stations.dates import read_date
from reunite.partners.stations.documents import DocumentSheet, is_document, read_documents
from reunite.partners.stations.sheets import Cell, Sheet, read_sheet
from reunite.partners.stations.values import (
    read_age,
    read_birth,
    read_height,
    read_sex,
    read_text,
)

# Bump when the same row is read otherwise than before: records are then brought up to date.
READING = "1"
LEAST_FACTS = 2  # of a row with neither name, marks, statement nor photo
_SEPARATOR = re.compile(r"[,，、;；/]+")


@dataclass(frozen=True, slots=True)
class Resident:
    """What one row says of somebody who is looked after."""

    row: int  # as the spreadsheet counts, from 1
    number: str  # the station's own, or made of the row's content
    name: str = ""
    other_names: tuple[str, ...] = ()
    sex: Sex = Sex.UNKNOWN
    birth_years: YearRange | None = None
    height_cm: int | None = None
    found_on: date | None = None
    found_place: str = ""
    home: str = ""
    dialect: str = ""
    marks: str = ""
    clothing: str = ""
    belongings: str = ""
    statement: str = ""
    condition: str = ""
    blood_group: str = ""
    note: str = ""
    photo_names: tuple[str, ...] = ()
    embedded_photos: tuple[str, ...] = ()  # parts of the file
    digest: str = ""  # of everything the row says, pictures' bytes apart
    warnings: tuple[str, ...] = ()  # columns whose cell could not be read


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot become a record, and why: a code, and the column it is about."""

    row: int
    code: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet whose columns are known."""

    sheet: Sheet
    header_row: int
    heads: tuple[str, ...]
    columns: Mapping[int, Column] = field(default_factory=dict)
    # Documents that could not be read, by their row: a code and the file's name.
    refused: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def mapping(self) -> dict[str, Column]:
        """Column by head, to be remembered for the partner."""
        return {self.heads[place]: column for place, column in self.columns.items()}

    @property
    def unknown_heads(self) -> list[str]:
        return [head for i, head in enumerate(self.heads) if head and i not in self.columns]

    def close(self) -> None:
        """Let go of the file."""
        self.sheet.close()

    def __len__(self) -> int:
        return max(0, len(self.sheet.rows) - self.header_row - 1)


def read_source(path: Path, remembered: Mapping[str, Column]) -> ReadSheet:
    """What a station hands over: a sheet, a document, or a folder of documents.

    Raises InvalidInputError as ``read_sheet``, ``understand`` and ``read_documents`` do.
    """
    if not is_document(path):
        return understand(read_sheet(path), remembered)
    sheet: DocumentSheet = read_documents(path, remembered)
    heads = tuple(str(cell) for cell in sheet.rows[0])
    return ReadSheet(sheet, 0, heads, sheet.columns, sheet.refused)


def understand(sheet: Sheet, remembered: Mapping[str, Column]) -> ReadSheet:
    """Find the header and its columns.  Raises InvalidInputError ``sheet_header``."""
    header = find_header(sheet.rows, remembered)
    if header is None:
        raise InvalidInputError("sheet_header")
    heads = tuple(head_of(cell) for cell in sheet.rows[header])
    return ReadSheet(sheet, header, heads, guess_columns(heads, remembered))


def iter_residents(read: ReadSheet, today: date) -> Iterator[Resident | RefusedRow]:
    """Every row that is not empty, in order; a number that came before is refused."""
    seen: set[str] = set()
    header = read.sheet.rows[read.header_row]
    for place in range(read.header_row + 1, len(read.sheet.rows)):
        cells = read.sheet.rows[place]
        if place in read.refused:
            yield RefusedRow(place + 1, *read.refused[place])
            continue
        if not any(read_text(cell) for cell in cells) or list(cells) == list(header):
            continue
        one = _read_row(read, place, cells, today)
        if isinstance(one, Resident):
            if one.number in seen:
                one = RefusedRow(one.row, "row_repeated", Column.NUMBER.value)
            else:
                seen.add(one.number)
        yield one


def _read_row(
    read: ReadSheet, place: int, cells: Sequence[Cell], today: date
) -> Resident | RefusedRow:
    values = {column: cells[i] for i, column in read.columns.items() if i < len(cells)}
    reader = _Row(values, today)
    found_on = reader.when()
    embedded = read.sheet.pictures.get(place, ())
    made = Resident(
        row=place + 1,
        number=reader.text(Column.NUMBER),
        name=reader.text(Column.NAME),
        other_names=reader.words(Column.OTHER_NAMES),
        sex=reader.sex(),
        birth_years=reader.birth(found_on or today),
        height_cm=reader.height(),
        found_on=found_on,
        found_place=reader.text(Column.FOUND_PLACE),
        home=reader.text(Column.HOME),
        dialect=reader.text(Column.DIALECT),
        marks=reader.text(Column.MARKS),
        clothing=reader.text(Column.CLOTHING),
        belongings=reader.text(Column.BELONGINGS),
        statement=reader.text(Column.STATEMENT),
        condition=reader.text(Column.CONDITION),
        blood_group=reader.text(Column.BLOOD),
        note=reader.text(Column.NOTE),
        photo_names=reader.words(Column.PHOTO),
        embedded_photos=embedded,
        warnings=(),
    )
    if reader.refused is not None:
        return RefusedRow(place + 1, "date_in_future", reader.refused.value)
    if not _says_enough(made):
        return RefusedRow(place + 1, "row_says_nothing")
    return _signed(made, tuple(reader.warnings))


def _says_enough(made: Resident) -> bool:
    """Whether there is anything to go by: many who are taken in can say nothing at all."""
    surest = (made.name, made.marks, made.statement, made.photo_names, made.embedded_photos)
    others = (made.sex, made.birth_years, made.found_on, made.found_place, made.dialect, made.home)
    return any(surest) or sum(bool(one) for one in others) >= LEAST_FACTS


def _signed(made: Resident, warnings: tuple[str, ...]) -> Resident:
    facts = [
        (name, str(getattr(made, name)))
        for name in made.__slots__
        if name not in {"row", "number", "digest", "warnings", "embedded_photos"}
    ]
    digest = hashlib.sha256(repr((READING, facts)).encode()).hexdigest()
    changes = {"digest": digest, "number": made.number or f"~{digest[:24]}", "warnings": warnings}
    return Resident(**({name: getattr(made, name) for name in made.__slots__} | changes))


class _Row:
    """Cells by column; what cannot be read becomes a warning, and the fact unknown."""

    def __init__(self, values: Mapping[Column, Cell], today: date) -> None:
        self._values, self._today = values, today
        self.warnings: list[str] = []
        self.refused: Column | None = None

    def text(self, column: Column) -> str:
        return read_text(self._values.get(column))

    def words(self, column: Column) -> tuple[str, ...]:
        parts = (
            _SEPARATOR.split(self.text(column))
            if column is Column.OTHER_NAMES
            else (re.split(r"[,，、;；\n]+", self.text(column)))
        )
        return tuple(part.strip() for part in parts if part.strip())

    def when(self) -> date | None:
        try:
            day = read_date(self._values.get(Column.FOUND_ON), self._today)
        except ValueError:
            self.warnings.append(Column.FOUND_ON.value)
            return None
        if day is not None and day > self._today:
            self.refused = Column.FOUND_ON
        return day

    def sex(self) -> Sex:
        try:
            return read_sex(self._values.get(Column.SEX))
        except ValueError:
            self.warnings.append(Column.SEX.value)
            return Sex.UNKNOWN

    def birth(self, at: date) -> YearRange | None:
        for column, reader in ((Column.BIRTH, read_birth), (Column.AGE, read_age)):
            try:
                years = reader(self._values.get(column), at)
            except ValueError:
                self.warnings.append(column.value)
                continue
            if years is not None:
                return years
        return None

    def height(self) -> int | None:
        try:
            return read_height(self._values.get(Column.HEIGHT))
        except ValueError:
            self.warnings.append(Column.HEIGHT.value)
            return None
