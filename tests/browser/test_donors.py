"""A donor registers on a phone, a centre confirms and brings a file, the donor leaves."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser.conftest import check_page, open_context
from tests.browser.test_story import Visitor
from tests.servers import Server, run_cli

pytestmark = pytest.mark.browser

CENTRE = "杭州血液中心"
SHEET = (
    "编号,血型,出生日期,性别,体重,城市,联系电话,血站确认\n"
    "HZ-1,孟买型 Rh阳性,1990-05-01,女,55,杭州,138 0000 1234,是\n"
    "HZ-2,AB型 抗-A,,,,,,\n"
)


def test_from_a_phone_to_a_centre_and_out_again(server: Server, browser: Browser) -> None:
    assert run_cli(server.data, "blood", "centre", "add", CENTRE, "--verified").returncode == 0
    donor_email, officer_email, admin_email = (
        server.add_account(name, role)
        for name, role in (("donor", "volunteer"), ("officer", "officer"), ("chief", "admin"))
    )
    joined = run_cli(server.data, "blood", "centre", "member", officer_email, CENTRE)
    assert joined.returncode == 0, joined.stderr
    server.start()

    def visitor(email: str, language: str, width_px: int) -> Visitor:
        context = open_context(browser, width_px, language=language)
        context.set_default_timeout(20_000)
        one = Visitor(server, context.new_page(), language, width_px)
        one.sign_in(email)
        return one

    donor = visitor(donor_email, "zh", 360)
    page = donor.page
    donor.go("/blood")
    check_page(page, "blood-zh-360")
    page.click("main a[href$='/blood/donor']")
    page.fill("input[name=type]", "O型 A型")
    page.fill("input[name=town]", "杭州")
    page.click("form.panel button.button-primary")
    expect(page.locator("main [role=alert]")).to_contain_text("互相矛盾")
    page.fill("input[name=type]", "O型 熊猫血")
    page.fill("input[name=born_on]", "1990-05-01")
    page.fill("input[name=last_on]", (datetime.now(UTC).date() - timedelta(days=30)).isoformat())
    check_page(page, "donor-form-zh-360")
    page.click("form.panel button.button-primary")
    expect(page.locator("[data-read]")).to_have_text("O型 Rh阴性")
    check_page(page, "donor-check-zh-360")
    page.click("button[value=save]")
    expect(page.locator("main .notice-success")).to_be_visible()
    expect(page.locator("main")).to_contain_text("绝不是输血建议")
    assert page.locator(".again a[rel=noopener]").count() >= 1
    check_page(page, "donor-zh-360")
    code = page.inner_text("code.code")
    assert re.fullmatch("[0-9A-Z]{10}", code)

    officer = visitor(officer_email, "en", 1280)
    desk = officer.page
    officer.go("/blood/centre")
    desk.fill("input[name=code]", code.lower())
    desk.fill("input[name=reference]", "HZ-9")
    desk.click("form:has(input[name=code]) button")
    desk.fill("input[name=found]", "O Rh- C- c+ E- e+ K-")
    desk.click("form:has(input[id=field-found]) button.button-primary")
    expect(desk.locator("[data-read]")).to_have_text("O RhD- C- E- c+ e+ K-")
    desk.click("button[value=save]")
    check_page(desk, "kept-donor-en-1280")
    desk.click("form[action$='/family'] button")
    officer.go("/blood/centre/import")
    sheet: FilePayload = {
        "name": "donors.csv",
        "mimeType": "text/csv",
        "buffer": SHEET.encode("gbk"),
    }
    desk.set_input_files("input[name=sheet]", sheet)
    desk.click("button[value=try]")
    expect(desk.locator("table")).to_contain_text("anti-A")
    check_page(desk, "donor-import-en-1280")
    desk.set_input_files("input[name=sheet]", sheet)
    desk.check("input[name=agreed]")
    desk.check("input[name=skip_faulty]")
    desk.click("button[value=import]")
    expect(desk.locator("main .notice-success")).to_be_visible()
    officer.go("/blood/centre")
    expect(desk.locator("tbody tr")).to_have_count(2)
    check_page(desk, "blood-centre-en-1280")

    donor.go("/blood/donor")
    expect(page.locator("main")).to_contain_text("实验室已确认")
    page.click("button[value=sleep]")
    expect(page.locator("main .notice-success")).to_contain_text("休眠")
    page.click("a[href$='/blood/donor/leave']")
    check_page(page, "donor-leave-zh-360")
    page.click("button.button-danger")
    expect(page.locator("main")).to_contain_text("相关信息已全部删除")
    officer.go("/blood/centre")
    expect(desk.locator("tbody tr")).to_have_count(1)

    # An old telephone: no JavaScript.
    plain = Visitor(server, open_context(browser, 360, javascript=False).new_page(), "zh", 360)
    plain.sign_in(donor_email)
    plain.go("/blood/donor")
    plain.page.fill("input[name=type]", "B+")
    plain.page.fill("input[name=town]", "上海")
    plain.page.click("form.panel button.button-primary")
    plain.page.click("button[value=save]")
    assert "B型 Rh阳性" in plain.page.inner_text("main")

    chief = visitor(admin_email, "zh", 360)
    chief.go("/admin/centres")
    check_page(chief.page, "centres-zh-360")
    chief.go("/blood/sources")
    check_page(chief.page, "blood-sources-zh-360")
