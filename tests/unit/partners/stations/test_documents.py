"""Documents of stations: what is read of them, and what hostile ones cost."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from io import BytesIO
from pathlib import Path

import docx
import pypdfium2
import pytest
from PIL import Image

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex, YearRange
from reunite.partners.stations import documents
from reunite.partners.stations.columns import Column
from reunite.partners.stations.forms import facts_of_form
from reunite.partners.stations.residents import (
    RefusedRow,
    Resident,
    iter_residents,
    read_source,
)
from reunite.partners.stations.sheets import Sheet

TODAY = date(2026, 6, 1)


def picture(shade: int = 90, side: int = 120) -> BytesIO:
    written = BytesIO()
    Image.new("RGB", (side, side), (shade, shade, shade)).save(written, "JPEG", quality=90)
    return BytesIO(written.getvalue())


def a_form(path: Path, number: str = "") -> Path:
    """The registration form of one person, as a table of labels and values."""
    document = docx.Document()
    document.add_paragraph("受助人员登记表")
    table = document.add_table(rows=0, cols=4)
    for cells in (
        ("姓名", "王秀珍", "性别", "女"),
        ("年龄", "约78岁", "救助时间", "2026年3月10日"),
        ("编号", number, "发现地点", "重庆市万州区车站"),
    ):
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
    wide = table.add_row().cells
    wide[0].text = "体貌特征"
    wide[1].merge(wide[3]).text = "缺门牙，左手有烧伤疤痕"
    document.add_paragraph("本人自述：找儿子，")
    document.add_paragraph("儿子在万州打工")
    document.add_picture(picture())
    document.save(str(path))
    return path


Read = Callable[[Path], tuple[Sheet, list[Resident | RefusedRow]]]


@pytest.fixture
def residents() -> Iterator[Read]:
    """What is read of a document, or a folder of them; their pictures go with the test."""
    with ExitStack() as opened:

        def read(path: Path) -> tuple[Sheet, list[Resident | RefusedRow]]:
            source = opened.enter_context(closing(read_source(path, {})))
            return source.sheet, list(iter_residents(source, TODAY))

        yield read


def test_a_form_of_one_person_is_read_with_its_photo(tmp_path: Path, residents: Read) -> None:
    sheet, [one] = residents(a_form(tmp_path / "卷宗12.docx"))
    assert isinstance(one, Resident)
    assert (one.name, one.sex, one.birth_years) == ("王秀珍", Sex.FEMALE, YearRange(1944, 1951))
    assert (one.found_on, one.found_place) == (date(2026, 3, 10), "重庆市万州区车站")
    assert one.marks == "缺门牙，左手有烧伤疤痕"
    assert one.statement == "找儿子， 儿子在万州打工"
    assert one.note == "受助人员登记表"
    assert one.number == "卷宗12"
    [part] = one.embedded_photos
    assert Image.open(BytesIO(sheet.picture(part))).size == (120, 120)


def test_the_stations_number_comes_before_the_name_of_the_file(
    tmp_path: Path, residents: Read
) -> None:
    path = a_form(tmp_path / "a.docx", "W-7")
    assert [one.number for one in residents(path)[1] if isinstance(one, Resident)] == ["W-7"]
    upload = a_form(tmp_path / "b.docx").rename(tmp_path / "upload")
    assert [one.number[0] for one in residents(upload)[1] if isinstance(one, Resident)] == ["~"]


def test_a_list_in_a_document_tells_of_a_person_a_row(tmp_path: Path, residents: Read) -> None:
    document = docx.Document()
    table = document.add_table(rows=0, cols=4)
    for cells in (
        ("序号", "姓名", "性别", "特征"),
        ("1", "王秀珍", "女", "缺门牙"),
        ("2", "李某", "男", "右腿跛"),
    ):
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
    table.rows[2].cells[3].paragraphs[0].add_run().add_picture(picture(40))
    document.save(str(tmp_path / "a.docx"))
    _, found = residents(tmp_path / "a.docx")
    told = [(one.number, one.name, len(one.embedded_photos)) for one in found]  # type: ignore[union-attr]
    assert told == [("1", "王秀珍", 0), ("2", "李某", 1)]


def a_pdf(path: Path, *, pages: int = 1, password: str = "") -> Path:
    """A PDF with a picture a page and no text."""
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        page = document.new_page(400, 600)
        image = pypdfium2.PdfImage.new(document)
        image.load_jpeg(picture())
        image.set_matrix(pypdfium2.PdfMatrix().scale(200, 200))
        page.insert_obj(image)
        page.gen_content()
    document.save(str(path))
    return path


# A page of plain text, written by hand: a font of the reader's own, in which Latin shows.
TEXT_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 95>>stream
BT /F 12 Tf 20 300 Td (Name: Zhang San  Sex: male) Tj 0 -20 Td (Height: 172  Number: K-4) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""  # noqa: E501


def test_a_pdf_is_read_for_text_and_pictures(tmp_path: Path, residents: Read) -> None:
    (tmp_path / "text.pdf").write_bytes(TEXT_PDF)
    a_pdf(tmp_path / "photo.pdf", pages=2)
    sheet, [photo, text] = residents(tmp_path)
    assert isinstance(photo, Resident)
    assert photo.number == "photo"
    assert [Image.open(BytesIO(sheet.picture(one))).size for one in photo.embedded_photos] == [
        (120, 120)
    ] * 2
    assert isinstance(text, Resident)
    assert (text.number, text.name, text.sex, text.height_cm) == (
        "K-4", "Zhang San", Sex.MALE, 172,
    )  # fmt: skip


def bomb(path: Path, part: str = "word/document.xml") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open(part, "w", force_zip64=True) as file:
            for _ in range(450):
                file.write(b"\0" * 1_000_000)


def entities(path: Path) -> None:
    a_form(path)
    lines = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    body = parts["word/document.xml"].decode().replace("王秀珍", "&j;")
    parts["word/document.xml"] = (lines + "]>" + body.split("?>", 1)[1]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_hostile_documents_cost_one_row_each(tmp_path: Path, residents: Read) -> None:
    bomb(tmp_path / "a-bomb.docx")
    (tmp_path / "b-broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "c-text.docx").write_bytes("姓名：王".encode())
    a_pdf(tmp_path / "d-long.pdf", pages=101)
    entities(tmp_path / "e-entities.docx")
    a_form(tmp_path / "f-macro.docx")
    with zipfile.ZipFile(tmp_path / "f-macro.docx", "a") as archive:
        archive.writestr("word/vbaProject.bin", b"x")
    a_form(tmp_path / "g-good.docx")
    _, found = residents(tmp_path)
    refused = {one.column[0]: one.code for one in found if isinstance(one, RefusedRow)}
    assert refused == {
        "a": "document_too_large",
        "b": "document_unreadable",
        "c": "document_unreadable",
        "d": "document_too_large",
        "e": "document_unreadable",
        "f": "sheet_macro",
    }
    assert [one.number for one in found if isinstance(one, Resident)] == ["g-good"]


@pytest.fixture
def slow_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A child that dies at documents called so, as when time or memory run out."""
    package = tmp_path / "path"
    package.mkdir()
    script = package / "dies.py"
    script.write_text(
        "import os, sys\n"
        "from reunite.partners.stations import document_child\n"
        "real = document_child.read\n"
        "def read(path, *more):\n"
        "    if 'dies' in path.name: os.kill(os.getpid(), 14)\n"
        "    return real(path, *more)\n"
        "document_child.read = read\n"
        "from pathlib import Path\n"
        "document_child.main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]])\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(documents, "CHILD", "dies")
    monkeypatch.syspath_prepend(str(package))
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


def test_a_document_that_takes_too_long_holds_up_no_other(
    slow_child: Path, residents: Read
) -> None:
    for name in ("a", "b-dies", "c", "d-dies"):
        a_form(slow_child / f"{name}.docx", name)
    _, found = residents(slow_child)
    told = {
        one.number if isinstance(one, Resident) else f"{one.column} {one.code}" for one in found
    }
    assert told == {"a", "c", "b-dies.docx document_too_large", "d-dies.docx document_too_large"}


def test_a_folder_without_documents_is_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="sheet_empty"):
        read_source(tmp_path, {})


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (["姓名：王秀珍 性别：女"], {Column.NAME: "王秀珍", Column.SEX: "女"}),
        (["姓名 王秀珍 性别 女"], {Column.NAME: "王秀珍", Column.SEX: "女"}),
        (["姓名：", "性别：女"], {Column.SEX: "女"}),
        (["健康状况 尚可 能自理"], {Column.CONDITION: "尚可 能自理"}),
        (["特征：缺门牙", "左手有疤"], {Column.MARKS: "缺门牙 左手有疤"}),
        (["姓名：甲", "姓名：乙"], {Column.NAME: "甲"}),
        (["身体健康 家住万州"], {Column.CONDITION: "家住万州"}),
        (["一位老人在车站"], {Column.NOTE: "一位老人在车站"}),
    ],
)
def test_facts_stand_behind_their_labels(lines: list[str], facts: dict[Column, str]) -> None:
    assert facts_of_form(lines, [], {}) == facts


def test_a_value_may_use_the_word_of_its_label() -> None:
    rows = [["特征", "疤痕", "健康状况", "身体健康"], ["姓名", "性别", "女"]]
    assert facts_of_form([], [rows], {}) == {
        Column.MARKS: "疤痕",
        Column.CONDITION: "身体健康",
        Column.SEX: "女",
    }


def test_labels_that_a_station_chose_come_first() -> None:
    assert facts_of_form(["代号：甲七"], [], {"代号": Column.NUMBER}) == {Column.NUMBER: "甲七"}
