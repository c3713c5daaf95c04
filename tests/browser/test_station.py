"""A station's new record and a family in another province find each other within seconds."""

import time

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser.conftest import open_context
from tests.browser.test_story import Visitor
from tests.servers import Server, run_cli

pytestmark = pytest.mark.browser

NAME = "王秀珍"
WITHIN_SECONDS = 5.0
SHEET = (
    "救助编号,姓名,性别,年龄,救助时间,发现地点,口音,体貌特征,籍贯\n"
    "WZ0231,王秀真,女,约78岁,2026年3月10日,重庆市万州区汽车站,四川口音,缺门牙，左手背烫伤疤,四川达州\n"
    "WZ0232,无名氏,男,六十多岁,农历二〇二六年正月初十,重庆市万州区,,跛行,\n"
)
STATION = "万州区救助管理站"


def sheet() -> FilePayload:
    return {"name": "登记表.csv", "mimeType": "text/csv", "buffer": SHEET.encode("gbk")}


def test_a_record_from_another_province_reaches_the_family(
    server: Server, browser: Browser
) -> None:
    assert (
        run_cli(server.data, "stations", "add", STATION, "--place", "重庆市万州区").returncode == 0
    )
    accounts = {
        name: server.add_account(name, role)
        for name, role in (
            ("family", "family"),
            ("first", "reviewer"),
            ("second", "reviewer"),
            ("station", "officer"),
        )
    }
    assert run_cli(server.data, "stations", "clerk", accounts["station"], STATION).returncode == 0
    server.start()

    def visitor(name: str, language: str, width_px: int) -> Visitor:
        context = open_context(browser, width_px, language=language)
        context.set_default_timeout(20_000)
        one = Visitor(server, context.new_page(), language, width_px)
        one.sign_in(accounts[name])
        return one

    family = visitor("family", "zh", 360)
    family.go("/report/missing")
    family.tick("module", "2")
    family.page.fill("input[name=name]", NAME)
    family.tick("sex", "1")
    family.page.fill("input[name=birth_year]", "1948")
    family.page.fill("input[name=seen_at]", "2026-03-01T09:30")
    family.page.fill("input[name=town]", "达州")
    family.page.fill("textarea[name=marks]", "缺门牙，左手背有烫伤疤")
    family.page.fill("input[name=dialect]", "四川话")
    family.page.fill("input[name=contact]", "138 0000 0000")
    family.tick("consent_search")
    family.send("/report/missing")

    clerk = visitor("station", "zh", 1280)
    clerk.go("/station")
    clerk.look("station")
    clerk.page.set_input_files("input[name=sheet]", sheet())
    clerk.press("button[value=try]")
    expect(clerk.page.locator("main")).to_contain_text("没有写入任何内容")
    clerk.look("station-trial")
    first = visitor("first", "en", 1280)
    first.go("/review/leads")
    assert "王秀珍" not in first.text()
    clerk.page.set_input_files("input[name=sheet]", sheet())
    clerk.press("button[value=import]")
    saved = time.monotonic()
    while NAME not in first.text():
        assert time.monotonic() - saved < WITHIN_SECONDS
        first.go("/review/leads")
    clerk.look("station-imported")

    first.look("leads-by-facts")
    first.press("a.lead-link")
    for words in ("sounds the same, written otherwise", "a mark in common", "the same dialect"):
        expect(first.page.locator("main")).to_contain_text(words)
    first.look("lead-by-facts")
    first.press("button[value=accept]")
    second = visitor("second", "zh", 360)
    second.go("/review/leads")
    second.press("a.lead-link")
    expect(second.page.locator("main")).to_contain_text("读音相同，写法不同")
    second.look("lead-by-facts")
    second.press("button[value=accept]")

    # The family hears that there is hope; where the person is, nobody writes to them.
    for _ in range(40):
        family.go("/inbox")
        if "可能有吻合的记录" in family.text():
            break
        family.page.wait_for_timeout(250)
    expect(family.page.locator("main")).to_contain_text("可能有吻合的记录")
    assert "万州" not in family.text()
    family.look("inbox-lead")
