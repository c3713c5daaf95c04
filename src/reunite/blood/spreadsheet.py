"""Tables as people send them: CSV of any usual encoding, or the first sheet of an XLSX.

Every cell at fault is named by row and column; nothing is guessed and nothing skipped in silence.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import openpyxl

from reunite.kernel.cells import cell_text
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.places import Point

MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 200_000
_MAX_UNPACKED_BYTES: Final = 500_000_000  # of an XLSX, which is a zip


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one cell; ``error`` has its code and details."""

    row: int  # as a spreadsheet counts, the header being 1
    column: str
    got: str
    error: ReuniteError


def iter_rows(
    data: bytes, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> "Iterator[Row]":
    """Every row that is not empty, its cells by our names of the columns.

    ``columns`` : our name of a column, and what people call it, in small letters.
    CSV in UTF-8, UTF-16 or GB 18030 (GBK), parted by commas, semicolons or tabs.

    Raises InvalidInputError ``register_too_large``, ``import_encoding``, ``register_unreadable``
    or ``import_columns`` where the file as a whole cannot be read.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInputError("register_too_large", megabytes=MAX_BYTES // 1_000_000)
    table = _iter_xlsx(data) if data.startswith(b"PK\x03\x04") else _iter_csv(data)
    names = _names(next(table, []), columns, required)
    rows = 0
    for number, cells in enumerate(table, start=2):
        if not any(cells):
            continue
        rows += 1
        if rows > MAX_ROWS:
            raise InvalidInputError("register_too_large", rows=MAX_ROWS, megabytes="")
        yield Row(number, dict(zip(names, cells, strict=False)))


def _names(
    header: list[str], columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> list[str]:
    """Our name of every column, or the file's own."""
    by_alias = {alias: name for name, aliases in columns.items() for alias in aliases}
    told = [" ".join(cell.lower().replace("_", " ").split()) for cell in header]
    names = [by_alias.get(one, one) for one in told]
    missing = [name for name in required if name not in names]
    if missing:
        known = ", ".join(aliases[0] for aliases in columns.values())
        raise InvalidInputError("import_columns", missing=", ".join(missing), known=known)
    return names


def _iter_csv(data: bytes) -> Iterator[list[str]]:
    text = decode(data)
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        # Not splitlines: a note in quotes may run over several lines.
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [cell_text(cell.strip()) for cell in row]
    except csv.Error as error:
        raise InvalidInputError("register_unreadable", problem=str(error)) from error


def decode(data: bytes) -> str:
    """The text of a file whose encoding nobody told.  Raises ``import_encoding``."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in data[:2000]:
        # UTF-16 without its mark: the high bytes of commas, digits and Latin letters are zero.
        even, odd = data[:2000:2].count(0), data[1:2000:2].count(0)
        candidates = ("utf-16-le",) if odd > even else ("utf-16-be",)
    else:
        # Excel in China writes GBK unless told otherwise; UTF-8 comes first, as it is strict.
        candidates = ("utf-8-sig", "gb18030")
    for encoding in candidates:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError("import_encoding")


def _iter_xlsx(data: bytes) -> Iterator[list[str]]:
    """The first sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked_bytes = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile as error:
        raise InvalidInputError("register_unreadable", problem=str(error)) from error
    if unpacked_bytes > _MAX_UNPACKED_BYTES:
        raise InvalidInputError("register_too_large", megabytes=_MAX_UNPACKED_BYTES // 1_000_000)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_cell_text(value) for value in row]
    except Exception as error:
        # A damaged workbook breaks openpyxl in as many ways as it can be damaged.
        raise InvalidInputError("register_unreadable", problem=type(error).__name__) from error


def _cell_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else cell_text(str(value).strip())


class Row:
    """Cells of a row by name, and what is wrong with them."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self.number, self.cells = number, cells
        self.faults: list[RowFault] = []

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def fault(self, column: str, error: ReuniteError) -> None:
        self.faults.append(RowFault(self.number, column, self.text(column)[:60], error))

    def chosen(self, column: str, choices: Mapping[str, object]) -> object:
        told = self.text(column).lower()
        if told not in choices:
            self.fault(column, InvalidInputError("choice_unknown", field=column))
            return choices[""]
        return choices[told]

    def number_of(self, column: str, least: float, most: float) -> float | None:
        told = self.text(column)
        if not told:
            return None
        try:
            value = float(told)
        except ValueError:
            self.fault(column, InvalidInputError("number_expected", field=column))
            return None
        if not least <= value <= most:
            error = InvalidInputError("number_out_of_range", field=column, least=least, most=most)
            self.fault(column, error)
            return None
        return value

    def day(self, column: str) -> date | None:
        told = self.text(column)
        if not told:
            return None
        for pattern in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"):
            try:
                return datetime.strptime(told, pattern).date()  # noqa: DTZ007  (a day has no zone)
            except ValueError:
                continue
        self.fault(column, InvalidInputError("date_invalid", field=column))
        return None

    def point(self) -> Point | None:
        """Of the columns latitude and longitude: both or none."""
        latitude = self.number_of("latitude", -90, 90)
        longitude = self.number_of("longitude", -180, 180)
        if latitude is None and longitude is None:
            return None
        if latitude is None or longitude is None:
            self.fault("latitude", InvalidInputError("coordinates_invalid", field="latitude"))
            return None
        return Point(latitude, longitude)
