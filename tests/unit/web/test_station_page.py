"""The page where a clerk brings the station's sheet."""

import re
from io import BytesIO

import docx

from reunite.app.stations import add_station, set_station_clerk
from reunite.testing.faces import paint_person
from tests.unit.web.conftest import Site

SHEET = "编号,姓名,性别,体貌特征\nJ1,王秀真,女,缺门牙\nJ1,李某,男,跛\nJ3,,不清楚,痣\n"


def upload(text: str) -> dict[str, tuple[str, bytes, str]]:
    return {"sheet": ("登记表.csv", text.encode("gbk"), "text/csv")}


def test_a_clerk_tries_a_sheet_and_brings_it(site: Site) -> None:
    clerk = site.reader(site.world.officer)
    assert "works for no station" in clerk.get("/en/station").text
    made = add_station(site.world.services, site.world.admin, "万州救助站", "重庆市万州区", 60)
    set_station_clerk(site.world.services, site.world.admin, site.world.officer.account_id, made.id)
    assert "60 beds" in clerk.get("/en/station").text
    tried = clerk.post("/en/station", {"action": "try"}, files=upload(SHEET))
    assert tried.status_code == 200
    assert "Nothing has been written." in tried.text
    assert "The same number stands further up" in tried.text
    assert "Could not be read:" in tried.text
    assert "0 people are looked after" in tried.text
    brought = clerk.post("/zh/station", {"action": "import"}, files=upload(SHEET))
    assert "正在照护 2 人" in brought.text
    reference = re.search(r"/zh/review/cases/(\w{10})", brought.text)
    assert reference is not None
    assert "王秀真" in clerk.get(f"/zh/review/cases/{reference[1]}").text
    again = clerk.post("/en/station", {"action": "import"}, files=upload(SHEET))
    assert re.search(r"unchanged</strong>\s*2", again.text)


def test_what_is_no_sheet_is_said_beside_the_field(site: Site) -> None:
    made = add_station(site.world.services, site.world.admin, "万州救助站")
    set_station_clerk(site.world.services, site.world.admin, site.world.officer.account_id, made.id)
    clerk = site.reader(site.world.officer)
    refused = clerk.post("/en/station", {"action": "import"}, files=upload("hello\n"))
    assert refused.status_code == 422
    assert "No row with column names was found" in refused.text
    assert "Please choose a file" in clerk.post("/en/station", {"action": "import"}).text


def test_a_document_about_one_person_is_read_with_its_photo(site: Site) -> None:
    made = add_station(site.world.services, site.world.admin, "万州救助站")
    set_station_clerk(site.world.services, site.world.admin, site.world.officer.account_id, made.id)
    clerk = site.reader(site.world.officer)
    document = docx.Document()
    document.add_paragraph("编号：W-3  姓名：王秀真  性别：女")
    document.add_paragraph("体貌特征：缺门牙")
    document.add_picture(BytesIO(paint_person(5)))
    written = BytesIO()
    document.save(written)
    files = {"sheet": ("卷宗.docx", written.getvalue(), "application/octet-stream")}
    brought = clerk.post("/en/station", {"action": "import"}, files=files)
    reference = re.search(r"/en/review/cases/(\w{10})", brought.text)
    assert reference is not None
    case = clerk.get(f"/en/review/cases/{reference[1]}").text
    assert "王秀真" in case
    assert "good to search with" in case
    again = clerk.post("/en/station", {"action": "import"}, files=files)
    assert re.search(r"unchanged</strong>\s*1", again.text)
    broken = {"sheet": ("卷宗.pdf", b"%PDF-1.7 nothing", "application/pdf")}
    refused = clerk.post("/en/station", {"action": "try"}, files=broken)
    assert "neither Word (.docx) nor PDF" in refused.text
