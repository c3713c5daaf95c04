"""A file of donors, as blood centres keep them: CSV or XLSX, read row by row.

Every row is either a donor or a list of faults; nothing is guessed and nothing is skipped in
silence.  Whoever imports takes all rows or, told so, those without a fault.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import openpyxl

from reunite.blood.deferral import Donation, DonationKind, DonorFacts
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.people import Sex
from reunite.kernel.places import Point

MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 200_000
_MAX_UNPACKED_BYTES: Final = 500_000_000  # of an XLSX, which is a zip
_MAX_TEXT: Final = 500  # characters of a cell; more is no blood type

# Column: names that people give it, in small letters.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "donor", "donor id", "donor number", "编号", "献血者编号", "献血码"),
    "type": ("type", "blood type", "blood group", "phenotype", "血型", "表型"),
    "born_on": ("born", "born on", "birth date", "date of birth", "出生日期", "生日"),
    "sex": ("sex", "gender", "性别"),
    "weight_kg": ("weight", "weight kg", "体重", "体重(kg)", "体重kg"),
    "last_given_on": ("last donation", "last given on", "上次献血日期", "末次献血日期"),
    "last_kind": ("last kind", "last donation kind", "上次献血类型", "献血类型"),
    "latitude": ("latitude", "lat", "纬度"),
    "longitude": ("longitude", "lon", "lng", "经度"),
    "confirmed": ("confirmed", "typed by centre", "已确认", "血站确认"),
}
REQUIRED: Final = ("id", "type")
_SEXES: Final = {
    **dict.fromkeys(("f", "female", "女"), Sex.FEMALE),
    **dict.fromkeys(("m", "male", "男"), Sex.MALE),
    "": Sex.UNKNOWN,
}
_KINDS: Final = {
    **dict.fromkeys(("", "whole blood", "whole_blood", "全血"), DonationKind.WHOLE_BLOOD),
    **dict.fromkeys(("platelets", "血小板", "单采血小板"), DonationKind.PLATELETS),
    **dict.fromkeys(("plasma", "血浆", "单采血浆"), DonationKind.PLASMA),
    **dict.fromkeys(("double red", "double_red", "双份红细胞"), DonationKind.DOUBLE_RED),
}
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "是", "已确认"})
_NO: Final = frozenset({"", "no", "n", "false", "0", "否", "未确认"})


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One donor of a file; ``other`` holds the columns that are not known here."""

    row: int  # as a spreadsheet counts, the header being 1
    reference: str
    phenotype: Phenotype
    facts: DonorFacts
    point: Point | None
    confirmed: bool
    other: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one cell; ``error`` has its code and details."""

    row: int
    column: str
    got: str
    error: ReuniteError


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A file read whole."""

    entries: tuple[RegisterEntry, ...]
    faults: tuple[RowFault, ...]
    rows: int

    @property
    def faulty_rows(self) -> int:
        """How many rows cannot be used."""
        return len({fault.row for fault in self.faults})


def read_register(data: bytes) -> RegisterFile:
    """Every row of a CSV or XLSX file.

    CSV in UTF-8, UTF-16 or GB 18030 (GBK), parted by commas, semicolons or tabs.

    Raises InvalidInputError ``register_too_large``, ``import_encoding``, ``register_unreadable``
    or ``import_columns`` where the file as a whole cannot be read.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInputError("register_too_large", megabytes=MAX_BYTES // 1_000_000)
    table = _iter_xlsx(data) if data.startswith(b"PK\x03\x04") else _iter_csv(data)
    header = next(table, [])
    names = _columns(header)
    entries: list[RegisterEntry] = []
    faults: list[RowFault] = []
    first_row: dict[str, int] = {}
    rows = 0
    for number, cells in enumerate(table, start=2):
        if not any(cells):
            continue
        rows += 1
        if rows > MAX_ROWS:
            raise InvalidInputError("register_too_large", rows=MAX_ROWS, megabytes="")
        found = _read_row(number, dict(zip(names, cells, strict=False)), first_row)
        if isinstance(found, RegisterEntry):
            entries.append(found)
        else:
            faults += found
    return RegisterFile(tuple(entries), tuple(faults), rows)


def _columns(header: list[str]) -> list[str]:
    """Our name of every column, or the file's own."""
    by_alias = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    told = [" ".join(cell.lower().replace("_", " ").split()) for cell in header]
    names = [by_alias.get(one, by_alias.get(one.replace(" ", "_"), one)) for one in told]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        known = ", ".join(aliases[0] for aliases in COLUMNS.values())
        raise InvalidInputError("import_columns", missing=", ".join(missing), known=known)
    return names


def _iter_csv(data: bytes) -> Iterator[list[str]]:
    text = decode(data)
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        # Not splitlines: a note in quotes may run over several lines.
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [cell.strip() for cell in row]
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
    return "" if value is None else str(value).strip()


class _Row:
    """Cells of a row by name, and what is wrong with them."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self.number, self._cells = number, cells
        self.faults: list[RowFault] = []

    def text(self, column: str) -> str:
        return self._cells.get(column, "")

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


def _read_row(
    number: int, cells: Mapping[str, str], first_row: dict[str, int]
) -> RegisterEntry | list[RowFault]:
    row = _Row(number, cells)
    reference = row.text("id")
    if not reference:
        row.fault("id", InvalidInputError("required", field="id"))
    elif first_row.setdefault(reference, number) != number:
        error = InvalidInputError("donor_twice", field="id", first_row=first_row[reference])
        row.fault("id", error)
    phenotype = Phenotype()
    try:
        phenotype = parse_phenotype(row.text("type")[:_MAX_TEXT])
    except InvalidInputError as error:
        row.fault("type", error)
    facts = _facts(row)
    point = _point(row)
    confirmed = row.chosen("confirmed", {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)})
    if row.faults:
        return row.faults
    other = {name: text for name, text in cells.items() if name not in COLUMNS}
    return RegisterEntry(number, reference, phenotype, facts, point, bool(confirmed), other)


def _facts(row: _Row) -> DonorFacts:
    sex, kind = row.chosen("sex", _SEXES), row.chosen("last_kind", _KINDS)
    given_on = row.day("last_given_on")
    donations = () if given_on is None else (Donation(DonationKind(str(kind)), given_on),)
    return DonorFacts(
        row.day("born_on"),
        sex if isinstance(sex, Sex) else Sex.UNKNOWN,
        row.number_of("weight_kg", 20, 400),
        donations,
    )


def _point(row: _Row) -> Point | None:
    latitude = row.number_of("latitude", -90, 90)
    longitude = row.number_of("longitude", -180, 180)
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        row.fault("latitude", InvalidInputError("coordinates_invalid", field="latitude"))
        return None
    return Point(latitude, longitude)
