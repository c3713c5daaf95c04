"""Sheets as stations send them, and as those who mean harm do."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex, YearRange
from reunite.partners.stations.columns import Column, guess_columns, head_of
from reunite.partners.stations.residents import (
    ReadSheet,
    RefusedRow,
    Resident,
    iter_residents,
    understand,
)
from reunite.partners.stations.sheets import read_sheet

TODAY = date(2026, 6, 1)
HEADS = [
    "序号",
    "救助编号",
    "姓名",
    "性别",
    "年龄",
    "救助时间",
    "发现地点",
    "口音",
    "体貌特征",
    "随身物品",
    "本人自述",
    "照片",
]
ROW = [
    "1",
    "JZ001",
    "王秀真",
    "女",
    "约75岁",
    "2026年3月10日",
    "重庆市万州区车站",
    "四川口音",
    "缺门牙",
    "布包",
    "说家在达州",
    "a.jpg",
]


def a_picture(colour: str) -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (40, 50), colour).save(file, "PNG")
    file.seek(0)
    return file


def a_workbook(path: Path, *rows: Sequence[object], pictures: dict[int, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in rows:
        sheet.append(cells)
    for row, colour in (pictures or {}).items():
        sheet.add_image(SheetImage(a_picture(colour)), f"L{row}")
    book.save(path)
    return path


def rows_of(path: Path, remembered: dict[str, Column] | None = None) -> list[Resident | RefusedRow]:
    return list(iter_residents(understand(read_sheet(path), remembered or {}), TODAY))


def first(path: Path) -> Resident:
    one = rows_of(path)[0]
    assert isinstance(one, Resident)
    return one


def code_of(path: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        understand(read_sheet(path), {})
    return caught.value.code


def test_a_workbook(tmp_path: Path) -> None:
    one = first(a_workbook(tmp_path / "a.xlsx", ["XX救助站受助人员登记表"], HEADS, ROW))
    assert (one.row, one.number, one.name, one.sex) == (3, "JZ001", "王秀真", Sex.FEMALE)
    assert one.birth_years == YearRange(1947, 1954)
    assert one.found_on == date(2026, 3, 10)
    assert (one.found_place, one.dialect, one.marks) == ("重庆市万州区车站", "四川口音", "缺门牙")
    assert (one.belongings, one.statement) == ("布包", "说家在达州")
    assert one.photo_names == ("a.jpg",)
    assert not one.warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_files(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(delimiter.join(row) for row in (HEADS, ROW)).encode(encoding))
    assert first(path).name == "王秀真"


def test_merged_cells_hold_in_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (HEADS, ROW, ["2", "JZ002", "无名氏", "男", "60", "", "", "", "跛"]):
        sheet.append(cells)
    sheet.merge_cells("F2:F3")
    book.save(path)
    second = rows_of(path)[1]
    assert isinstance(second, Resident)
    assert second.found_on == date(2026, 3, 10)
    assert second.found_place == ""


def test_dates_numbers_and_formulas_are_values(tmp_path: Path) -> None:
    heads = ["编号", "姓名", "年龄", "救助时间", "身高"]
    row = [7, "李某", 66, datetime(2026, 1, 2), "=1+1"]  # noqa: DTZ001
    one = first(a_workbook(tmp_path / "a.xlsx", heads, row))
    assert (one.number, one.found_on, one.height_cm) == ("7", date(2026, 1, 2), None)


def test_embedded_pictures_belong_to_their_rows(tmp_path: Path) -> None:
    path = a_workbook(
        tmp_path / "a.xlsx", HEADS, ROW, ["2", "JZ002", "李"], pictures={2: "red", 3: "blue"}
    )
    sheet = read_sheet(path)
    residents = [one for one in rows_of(path) if isinstance(one, Resident)]
    colours = [
        Image.open(BytesIO(sheet.picture(one.embedded_photos[0]))).getpixel((5, 5))
        for one in residents
    ]
    assert colours == [(255, 0, 0), (0, 0, 255)]
    with pytest.raises(InvalidInputError, match="sheet_picture"):
        sheet.picture("xl/media/none.png")


def test_what_cannot_be_read_becomes_a_warning(tmp_path: Path) -> None:
    bad = [*ROW]
    bad[3:6] = ["？？", "不好说", "去年冬天"]
    one = first(a_workbook(tmp_path / "a.xlsx", HEADS, bad))
    assert one.warnings == ("found_on", "sex", "age")
    assert (one.sex, one.birth_years, one.found_on) == (Sex.UNKNOWN, None, None)


def test_rows_that_cannot_be_records(tmp_path: Path) -> None:
    future, again, nothing = [*ROW], [*ROW], ["9", "JZ009", "", "男"]
    future[1:6:4] = ["JZ002", "2027年1月1日"]
    path = a_workbook(tmp_path / "a.xlsx", HEADS, ROW, again, future, nothing, [""], HEADS)
    refused = [(one.row, one.code) for one in rows_of(path) if isinstance(one, RefusedRow)]
    assert refused == [(3, "row_repeated"), (4, "date_in_future"), (5, "row_says_nothing")]


def test_somebody_who_can_say_nothing_is_a_record_too(tmp_path: Path) -> None:
    silent = ["1", "JZ001", "", "女", "约75岁", "2026年3月10日", "重庆"]
    one = first(a_workbook(tmp_path / "a.xlsx", HEADS, silent))
    assert (one.name, one.sex, one.found_place) == ("", Sex.FEMALE, "重庆")


def test_the_digest_follows_the_facts(tmp_path: Path) -> None:
    same = first(a_workbook(tmp_path / "a.xlsx", HEADS, ROW)).digest
    assert first(a_workbook(tmp_path / "b.xlsx", ["登记表"], HEADS, ROW)).digest == same
    changed = [*ROW]
    changed[8] = "缺门牙，左手有疤"
    assert first(a_workbook(tmp_path / "c.xlsx", HEADS, changed)).digest != same


def test_a_row_without_a_number_is_known_by_what_it_says(tmp_path: Path) -> None:
    heads, row = ["姓名", "性别", "特征"], ["王秀真", "女", "缺门牙"]
    one = first(a_workbook(tmp_path / "a.xlsx", heads, row))
    assert one.number.startswith("~")
    assert first(a_workbook(tmp_path / "b.xlsx", ["标题"], heads, row)).number == one.number


@pytest.mark.parametrize(
    ("heads", "columns"),
    [
        (["Name", "Sex", "Date found", "Place found"],
         [Column.NAME, Column.SEX, Column.FOUND_ON, Column.FOUND_PLACE]),
        (["受助人姓名*", "出生年月", "入站时间", "户籍地址", "备注"],
         [Column.NAME, Column.BIRTH, Column.FOUND_ON, Column.HOME, Column.NOTE]),
        (["编号", "照片编号", "曾用名", "姓 名"],
         [Column.NUMBER, Column.PHOTO, Column.OTHER_NAMES, Column.NAME]),
    ],
)  # fmt: skip
def test_heads_are_guessed(heads: list[str], columns: list[Column]) -> None:
    guessed = guess_columns([head_of(head) for head in heads], {})
    assert [guessed[i] for i in range(len(heads))] == columns


def test_what_a_partner_chose_is_remembered(tmp_path: Path) -> None:
    path = a_workbook(tmp_path / "a.xlsx", ["X1", "X2", "性别"], ["王秀真", "缺门牙", "女"])
    assert code_of(path) == "sheet_header"
    mapping = {"x1": Column.NAME, "x2": Column.MARKS, "性别": Column.IGNORED}
    one = rows_of(path, mapping)[0]
    assert isinstance(one, Resident)
    assert (one.name, one.marks, one.sex) == ("王秀真", "缺门牙", Sex.UNKNOWN)
    read = understand(read_sheet(path), mapping)
    assert isinstance(read, ReadSheet)
    assert len(read) == 1


def rezip(path: Path, **changes: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts.update(
        {name.replace("__", "/").replace("_dot_", "."): data for name, data in changes.items()}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<x xmlns:s="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing">&b;</x>"""


def test_what_means_harm_is_refused(tmp_path: Path) -> None:
    good = a_workbook(tmp_path / "good.xlsx", HEADS, ROW, pictures={2: "red"})
    macro = rezip(Path(str(good)).rename(tmp_path / "macro.xlsx"), xl__vbaProject_dot_bin=b"x")
    assert code_of(macro) == "sheet_macro"
    bomb = rezip(
        a_workbook(tmp_path / "bomb.xlsx", HEADS, ROW), xl__media__x_dot_png=bytes(60_000_000)
    )
    assert code_of(bomb) == "sheet_too_large"
    entity = rezip(
        a_workbook(tmp_path / "entity.xlsx", HEADS, ROW, pictures={2: "red"}),
        xl__drawings__drawing1_dot_xml=BOMB,
    )
    assert code_of(entity) == "sheet_unreadable"


def test_what_is_no_sheet(tmp_path: Path) -> None:
    for name, data, code in (
        ("a.xlsx", b"PK\x03\x04nonsense", "sheet_unreadable"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "sheet_old_format"),
        ("a.csv", b"", "sheet_empty"),
        ("b.csv", b"\n\n , \n", "sheet_header"),
        ("c.csv", "你好\n世界\n".encode(), "sheet_header"),
        ("d.csv", b"\x81\x00\xff\xff\xfe\x00\x81\x00\x00", "sheet_encoding"),
    ):
        (tmp_path / name).write_bytes(data)
        assert code_of(tmp_path / name) == code, name
    assert code_of(tmp_path / "none.csv") == "sheet_missing"
