"""Files of donors as centres send them: any encoding, every fault named by row and column."""

import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood import spreadsheet
from reunite.blood.deferral import Donation, DonationKind
from reunite.blood.phenotype import Abo, HType, RhD
from reunite.blood.register import read_register
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex
from reunite.kernel.places import Point

CHINESE = (
    "编号,血型,出生日期,性别,体重,上次献血日期,献血类型,纬度,经度,已确认,备注\n"
    "D1,孟买型 Rh阳性,1990年5月1日,女,55,2026/1/2,单采血小板,30.3,120.2,是,常来\n"
    "D2,O型 Rh阴性,,,,,,,,,\n"
)


def xlsx(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_encodings(encoding: str) -> None:
    file = read_register(CHINESE.encode(encoding))
    assert file.faults == ()
    first, second = file.entries
    assert (first.reference, first.row, first.confirmed) == ("D1", 2, True)
    assert first.phenotype.h is HType.BOMBAY
    assert first.facts.born_on == date(1990, 5, 1)
    assert first.facts.sex is Sex.FEMALE
    assert first.facts.weight_kg == 55
    assert first.facts.donations == (Donation(DonationKind.PLATELETS, date(2026, 1, 2)),)
    assert first.point == Point(30.3, 120.2)
    assert first.other == {"备注": "常来"}
    assert (second.phenotype.abo, second.phenotype.d) == (Abo.O, RhD.NEGATIVE)
    assert second.point is None
    assert not second.confirmed


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(delimiter: str) -> None:
    text = f"Donor ID{delimiter}Blood_Type\n7{delimiter}A₂B+\n\n8{delimiter}rr\n"
    file = read_register(text.encode())
    assert [entry.reference for entry in file.entries] == ["7", "8"]
    assert file.rows == 2


def test_a_workbook() -> None:
    born = datetime(1990, 5, 1, tzinfo=UTC).replace(tzinfo=None)
    data = xlsx([["id", "type", "born on", "weight"], [12, "O Rh-", born, 61.5], [None] * 4])
    (entry,) = read_register(data).entries
    assert entry.reference == "12"
    assert entry.facts.born_on == date(1990, 5, 1)
    assert entry.facts.weight_kg == 61.5


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (",O+,,", "id", "required"),
        ("1,,,", "type", "required"),
        ("1,O Bomby,,", "type", "blood_notation_misspelt"),
        ("1,AB anti-A,,", "type", "blood_antibody_contradicts"),
        ("1,O A,,", "type", "blood_type_impossible"),
        ("1,O+,31.02.1990,", "born_on", "date_invalid"),
        ("1,O+,1990-02-31,", "born_on", "date_invalid"),
        ("1,O+,,heavy", "weight_kg", "number_expected"),
        ("1,O+,,nan", "weight_kg", "number_out_of_range"),
        ("1,O+,,9", "weight_kg", "number_out_of_range"),
        ("1,O+,,,sometimes", "confirmed", "choice_unknown"),
        ("1,O+,,,,30", "latitude", "coordinates_invalid"),
        ("1,O+,,,,95,120", "latitude", "number_out_of_range"),
    ],
)
def test_faults(row: str, column: str, code: str) -> None:
    header = "id,type,born_on,weight,confirmed,lat,lon\n"
    file = read_register((header + row + "\n2,O+\n").encode())
    assert [entry.reference for entry in file.entries] == ["2"]
    assert code in {fault.error.code for fault in file.faults if fault.column == column}
    assert {fault.row for fault in file.faults} == {2}
    assert file.faulty_rows == 1


def test_a_donor_twice() -> None:
    file = read_register(b"id,type\n1,O+\n1,A+\n")
    (fault,) = file.faults
    assert (fault.row, fault.error.code, fault.error.details["first_row"]) == (3, "donor_twice", 2)


def test_ten_thousand_bad_rows() -> None:
    text = "id,type\n" + "".join(f"{n},nonsense\n" for n in range(10_000))
    file = read_register(text.encode())
    assert file.entries == ()
    assert file.faulty_rows == file.rows == 10_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import_columns"),
        (b"name,type\n", "import_columns"),
        (b"id,type\n1,\xff\xff\xff\n", "import_encoding"),
        ("id,type\n1,O+\n".encode("utf-16")[:-1], "import_encoding"),
        (b"PK\x03\x04 no workbook", "register_unreadable"),
        (b"id,type\n" + b'"' + b"x" * 200_000 + b'",O+\n', "register_unreadable"),
        (xlsx([["name"]]), "import_columns"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_register(data)
    assert caught.value.code == code


def test_files_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 2)
    with pytest.raises(InvalidInputError) as rows:
        read_register(b"id,type\n1,O+\n2,O+\n3,O+\n")
    monkeypatch.setattr(spreadsheet, "_MAX_UNPACKED_BYTES", 10)
    with pytest.raises(InvalidInputError) as unpacked:
        read_register(xlsx([["id", "type"]]))
    monkeypatch.setattr(spreadsheet, "MAX_BYTES", 2)
    with pytest.raises(InvalidInputError) as packed:
        read_register(b"id,type\n")
    for caught in (rows, unpacked, packed):
        assert caught.value.code == "register_too_large"


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_with_a_code(noise: bytes) -> None:
    try:
        file = read_register(b"id,type\n" + noise)
    except InvalidInputError:
        return
    assert len({entry.row for entry in file.entries}) + file.faulty_rows == file.rows
