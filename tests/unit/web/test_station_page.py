"""The page where a clerk brings the station's sheet."""

import re

from reunite.app.stations import add_station, set_station_clerk
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
