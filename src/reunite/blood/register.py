"""A file of donors, as blood centres keep them.

Every row is either a donor or faults.  Whoever imports takes all rows or, told so, those
without a fault; nothing is half-imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reunite.blood.deferral import Donation, DonationKind, DonorFacts
from reunite.blood.donors import MAX_CONTACT, MAX_REFERENCE
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.spreadsheet import Row, RowFault, iter_rows
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex
from reunite.kernel.places import Point

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
    "town": ("town", "city", "place", "城市", "所在地", "所在城市", "地区", "市县"),
    "contact": ("contact", "phone", "telephone", "mobile", "联系方式", "联系电话", "电话", "手机"),
    "agreed": ("agreed", "agrees to be asked", "consent", "同意", "同意联系", "知情同意"),
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
_ANSWERS: Final = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One donor of a file; ``other`` holds the columns that are not known here."""

    row: int  # as a spreadsheet counts, the header being 1
    reference: str
    phenotype: Phenotype
    facts: DonorFacts
    point: Point | None
    confirmed: bool
    town: str = ""
    contact: str = ""
    agreed: bool | None = None  # to be asked; None where the file does not say
    other: Mapping[str, str] = field(default_factory=dict)


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
    """Every row of a CSV or XLSX file.  Raises as ``spreadsheet.iter_rows`` does."""
    entries: list[RegisterEntry] = []
    faults: list[RowFault] = []
    first_row: dict[str, int] = {}
    rows = 0
    for row in iter_rows(data, COLUMNS, REQUIRED):
        rows += 1
        entry = _read_row(row, first_row)
        if entry is None:
            faults += row.faults
        else:
            entries.append(entry)
    return RegisterFile(tuple(entries), tuple(faults), rows)


def _read_row(row: Row, first_row: dict[str, int]) -> RegisterEntry | None:
    """The donor of a row, or None with ``row.faults``."""
    reference = row.text("id")
    if not reference:
        row.fault("id", InvalidInputError("required", field="id"))
    elif first_row.setdefault(reference, row.number) != row.number:
        error = InvalidInputError("donor_twice", field="id", first_row=first_row[reference])
        row.fault("id", error)
    phenotype = Phenotype()
    try:
        phenotype = parse_phenotype(row.text("type")[:_MAX_TEXT])
    except InvalidInputError as error:
        row.fault("type", error)
    facts = _facts(row)
    point = row.point()
    confirmed = row.chosen("confirmed", _ANSWERS)
    agreed: object = None
    if row.text("agreed"):
        agreed = row.chosen("agreed", _ANSWERS)
    for column, most in (("id", MAX_REFERENCE), ("contact", MAX_CONTACT), ("town", _MAX_TEXT)):
        if len(row.text(column)) > most:
            row.fault(column, InvalidInputError("text_too_long", field=column, maximum=most))
    if row.faults:
        return None
    return RegisterEntry(
        row.number,
        reference,
        phenotype,
        facts,
        point,
        confirmed=bool(confirmed),
        town=row.text("town"),
        contact=row.text("contact"),
        agreed=None if agreed is None else bool(agreed),
        other={name: text for name, text in row.cells.items() if name not in COLUMNS},
    )


def _facts(row: Row) -> DonorFacts:
    sex, kind = row.chosen("sex", _SEXES), row.chosen("last_kind", _KINDS)
    given_on = row.day("last_given_on")
    donations = () if given_on is None else (Donation(DonationKind(str(kind)), given_on),)
    return DonorFacts(
        row.day("born_on"),
        sex if isinstance(sex, Sex) else Sex.UNKNOWN,
        row.number_of("weight_kg", 20, 400),
        donations,
    )
