"""Rows and pictures of a spreadsheet, read so that it can do no harm.

XLSX by calamine, which reads values and runs nothing: a formula is what Excel last made of it.
Refused: macros, archives that unpack to far more than they are, more rows than agreed.
Merged cells hold their value in every row that they cover.
"""

import csv
import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from charset_normalizer import from_bytes
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from python_calamine import CalamineError, CalamineWorkbook

from reunite.kernel.errors import InvalidInputError

MAX_FILE_BYTES = 2_000_000_000
MAX_UNPACKED_BYTES = 8_000_000_000
MAX_RATIO = 200  # unpacked to packed, of parts above MIN_BOMB_BYTES
MIN_BOMB_BYTES = 50_000_000
MAX_ROWS = 1_048_576  # of Excel itself
MAX_COLUMNS = 200
MAX_PICTURE_BYTES = 30_000_000
MAX_CSV_BYTES = 500_000_000
MAX_DRAWING_BYTES = 200_000_000
ARCHIVE, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_MAIN = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"

Cell = object  # str, int, float, bool, datetime.date or datetime.datetime


@dataclass(slots=True)
class Sheet:
    """The rows of the fullest sheet of a file; ``pictures`` says which rows have one embedded."""

    rows: Sequence[Sequence[Cell]]
    path: Path
    # Row, counted from 0: parts of the file.
    pictures: dict[int, tuple[str, ...]] = field(default_factory=dict)
    encoding: str = ""  # of a text file
    _archive: zipfile.ZipFile | None = field(default=None, repr=False, compare=False)

    def close(self) -> None:
        """Let go of the file; pictures cannot be read any more."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def picture(self, part: str) -> bytes:
        """The bytes of an embedded picture.  Raises InvalidInputError ``sheet_picture``."""
        try:
            # Opened once: the list of contents of a file with ten thousand pictures is long.
            if self._archive is None:
                self._archive = zipfile.ZipFile(self.path)
            if self._archive.getinfo(part).file_size > MAX_PICTURE_BYTES:
                raise InvalidInputError("sheet_picture", part=part)
            return self._archive.read(part)
        except (KeyError, zipfile.BadZipFile) as error:
            raise InvalidInputError("sheet_picture", part=part) from error


def read_sheet(path: Path) -> Sheet:
    """The table of a file, whatever it is called: what it is shows in its first bytes.

    Raises InvalidInputError ``sheet_missing``, ``sheet_too_large``, ``sheet_macro``,
    ``sheet_unreadable``, ``sheet_empty`` or ``sheet_encoding``.
    """
    if not path.is_file():
        raise InvalidInputError("sheet_missing", path=path.name)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InvalidInputError("sheet_too_large", most_bytes=MAX_FILE_BYTES)
    with path.open("rb") as file:
        start = file.read(4)
    if start == ARCHIVE:
        sheet = _read_workbook(path)
    elif start == OLD_EXCEL:
        # Macros of old files cannot be told apart without running through the whole of them.
        raise InvalidInputError("sheet_old_format")
    else:
        sheet = _read_text(path)
    if not any(any(cell not in ("", None) for cell in row) for row in sheet.rows):
        raise InvalidInputError("sheet_empty")
    return sheet


def _read_workbook(path: Path) -> Sheet:
    _check_archive(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        names = [
            meta.name for meta in workbook.sheets_metadata if "visible" in str(meta.visible).lower()
        ]
        sheets = [
            (name, workbook.get_sheet_by_name(name)) for name in names or workbook.sheet_names
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise InvalidInputError("sheet_unreadable") from error
    if not sheets:
        raise InvalidInputError("sheet_empty")
    name, chosen = max(sheets, key=lambda one: one[1].height)
    if chosen.height > MAX_ROWS or chosen.width > MAX_COLUMNS:
        raise InvalidInputError("sheet_too_large", most_rows=MAX_ROWS, most_columns=MAX_COLUMNS)
    rows: list[list[Cell]] = [list(row) for row in chosen.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in chosen.merged_cell_ranges or []:
        _unmerge(rows, (top, left), (bottom, right))
    pictures = _pictures(path, workbook.sheet_names.index(name))
    return Sheet(rows, path, pictures)


def _unmerge(rows: list[list[Cell]], first: tuple[int, int], last: tuple[int, int]) -> None:
    """The value in each row of the range's first column: a title across stays one cell."""
    if first[0] >= len(rows) or first[1] >= len(rows[first[0]]):
        return
    value = rows[first[0]][first[1]]
    for row in rows[first[0] : min(last[0] + 1, len(rows))]:
        row[first[1]] = value


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidInputError("sheet_unreadable") from error
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise InvalidInputError("sheet_macro")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or any(
        part.file_size > MIN_BOMB_BYTES and part.file_size > MAX_RATIO * max(1, part.compress_size)
        for part in parts
    ):
        raise InvalidInputError("sheet_too_large", most_bytes=MAX_UNPACKED_BYTES)


def _pictures(path: Path, number: int) -> dict[int, tuple[str, ...]]:
    """The parts that hold the pictures anchored in each row."""
    found: dict[int, tuple[str, ...]] = {}
    with zipfile.ZipFile(path) as archive:
        try:
            sheet = _sheet_part(archive, number)
            for drawing in _related(archive, sheet, "/drawing"):
                parts = _related_by_id(archive, drawing)
                for anchor in _parse(archive, drawing):
                    row = anchor.find(f"{_DRAWING}from/{_DRAWING}row")
                    blip = anchor.find(f".//{_MAIN}blip")
                    if row is None or blip is None or row.text is None:
                        continue
                    part = parts.get(blip.get(_EMBED) or "")
                    if part:
                        place = int(row.text)
                        found[place] = (*found.get(place, ()), part)
        except (KeyError, ValueError, ElementTree.ParseError, DefusedXmlException) as error:
            raise InvalidInputError("sheet_unreadable") from error
    return found


def _parse(archive: zipfile.ZipFile, part: str) -> Element:
    if archive.getinfo(part).file_size > MAX_DRAWING_BYTES:
        raise ValueError("a drawing larger than any honest one")
    root: Element = ElementTree.fromstring(archive.read(part), forbid_dtd=True)
    return root


def _relations(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """Id, kind and target of everything that a part refers to within the file."""
    folder, name = posixpath.split(part)
    listed = f"{folder}/_rels/{name}.rels"
    if listed not in archive.namelist():
        return
    for one in _parse(archive, listed):
        if one.get("TargetMode") == "External":
            continue
        target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", "")))
        yield one.get("Id", ""), one.get("Type", ""), target.lstrip("/")


def _related(archive: zipfile.ZipFile, part: str, kind: str) -> list[str]:
    return [target for _, of_kind, target in _relations(archive, part) if of_kind.endswith(kind)]


def _related_by_id(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    return {name: target for name, _, target in _relations(archive, part)}


def _sheet_part(archive: zipfile.ZipFile, number: int) -> str:
    """The part of the sheet in this place of the workbook."""
    book = _parse(archive, "xl/workbook.xml")
    sheets = [element for element in book.iter() if element.tag.endswith("}sheet")]
    key = next(value for name, value in sheets[number].attrib.items() if name.endswith("}id"))
    return _related_by_id(archive, "xl/workbook.xml")[key]


def _read_text(path: Path) -> Sheet:
    if path.stat().st_size > MAX_CSV_BYTES:
        raise InvalidInputError("sheet_too_large", most_bytes=MAX_CSV_BYTES)
    text, encoding = decode(path.read_bytes())
    first = text[:4096].split("\n", 1)[0]
    delimiter = max(",\t;|，", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows: list[list[Cell]] = [list(row[:MAX_COLUMNS]) for row in reader]
    except csv.Error as error:
        raise InvalidInputError("sheet_unreadable") from error
    if len(rows) > MAX_ROWS:
        raise InvalidInputError("sheet_too_large", most_rows=MAX_ROWS)
    return Sheet(rows, path, encoding=encoding)


def decode(data: bytes) -> tuple[str, str]:
    """A text and its encoding.  Raises InvalidInputError ``sheet_encoding``.

    Strict ones first: UTF-8 and UTF-16 by their marks, then GB 18030, which Excel writes in China;
    the rest is guessed from how often characters occur.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(data, "utf-16")
    if b"\x00" in data[:200]:
        return _decoded(
            data, "utf-16-le" if data[1:2] == b"\x00" or data[:1] != b"\x00" else "utf-16-be"
        )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Bytes of another encoding that GB 18030 accepts make characters that nobody writes.
        if encoding == "utf-8-sig" or not re.search(r"[\ue000-\uf8ff]", text):
            return text, encoding.removesuffix("-sig")
    guessed = from_bytes(data[:200_000]).best()
    if guessed is None:
        raise InvalidInputError("sheet_encoding")
    return _decoded(data, guessed.encoding)


def _decoded(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        return data.decode(encoding).lstrip("\ufeff"), encoding
    except UnicodeDecodeError as error:
        raise InvalidInputError("sheet_encoding") from error
