"""Bombay blood: a hospital asks, two donors hear, one comes, the other is thanked."""

import pytest
from playwright.sync_api import Browser, expect

from tests.blood_register import FAMILY, HOSPITAL, fill_register
from tests.browser.conftest import open_context
from tests.browser.test_story import Visitor
from tests.servers import Server

pytestmark = pytest.mark.browser


def test_a_bombay_request_from_end_to_end(server: Server, browser: Browser) -> None:
    server.start()
    accounts = fill_register(server)

    def visitor(name: str, language: str, width_px: int) -> Visitor:
        context = open_context(browser, width_px, language=language)
        context.set_default_timeout(20_000)
        one = Visitor(server, context.new_page(), language, width_px)
        one.sign_in(accounts[name])
        return one

    donor = visitor("far", "zh", 360)
    donor.go("/inbox")  # leaves it open

    # The hospital asks.
    clerk = visitor("clerk", "en", 1280)
    clerk.go("/blood/requests/new")
    clerk.page.fill("input[name=patient]", "Bombay Rh+")
    clerk.page.fill("input[name=units]", "0")
    clerk.page.fill("input[name=patient_code]", "P-17")
    clerk.page.fill("input[name=family_code]", FAMILY.lower())
    clerk.look("blood-new-request")
    form = clerk.page.locator("form[action$='/blood/requests/new']")
    form.evaluate("form => form.noValidate = true")
    clerk.send("/blood/requests/new")
    expect(clerk.page.locator("#error-units")).to_contain_text("between 1 and 60")
    clerk.page.fill("input[name=units]", "1")
    clerk.send("/blood/requests/new")
    board = clerk.page.locator("#board")
    # Both are asked first, the sibling before all; the page tells without being asked.
    expect(board.locator("[data-count=asked] dd")).to_have_text("2")
    expect(board.locator(".ask").first).to_contain_text("Sibling")
    expect(board.locator(".ask").nth(1)).to_contain_text("29")  # km: 290 to 299
    clerk.look("blood-board-asking")
    clerk.press("a[href$='/donors']")
    expect(clerk.page.locator("main")).to_contain_text("nothing but Oh")
    clerk.look("blood-donors-for")
    clerk.page.go_back()

    # One comes.
    expect(donor.page.locator(".toast-notice")).to_contain_text("有人需要您的血")
    donor.go("/inbox")
    expect(donor.page.locator("main")).to_contain_text(HOSPITAL)
    assert "我见过这个人" not in donor.text()
    donor.look("blood-inbox")
    donor.press("main a.button-primary[href*='/blood/asks/']")
    donor.look("blood-ask")
    assert "P-17" not in donor.text()
    donor.page.fill("input[name=contact]", "138 0000 0000")
    donor.press("form:has(input[value=coming]) button")
    expect(donor.page.locator("main")).to_contain_text("等您到来")
    donor.look("blood-ask-coming")

    # The rest are thanked, and nobody else hears.
    expect(board.locator("[data-count=coming] dd")).to_have_text("1")
    expect(board).to_contain_text("Enough are coming")
    sibling = visitor("sibling", "zh", 360)
    sibling.go("/inbox")
    expect(sibling.page.locator("main")).to_contain_text("感谢您随时准备相助")
    sibling.look("blood-inbox-thanks")
    near = visitor("near", "zh", 360)
    near.go("/inbox")
    assert HOSPITAL not in near.text()

    # The desk.
    clerk.look("blood-board-filled")
    clerk.press("form[action$='/contact'] button")
    expect(clerk.page.locator("main")).to_contain_text("138 0000 0000")
    clerk.look("blood-contact")
    clerk.press(".crumb a")
    coming = ".ask[data-answer=coming]"
    clerk.press(f"{coming} form:has(input[value=arrived]) button")
    clerk.press(".ask[data-answer=arrived] form:has(input[value=given]) button")
    clerk.page.locator("#close input[value=helped]").check(force=True)
    clerk.page.locator("#close input[value=donor_asked]").check(force=True)
    clerk.press("#close button")
    clerk.look("blood-board-closed")
    donor.go("/inbox")
    expect(donor.page.locator("main")).to_contain_text("感谢您随时准备相助")

    # The outcome and its cause are counted.
    clerk.go("/statistics")
    for words in ("Blood was given", "A donor who was asked"):
        row = clerk.page.locator("tr", has_text=words)
        expect(row.locator("td").nth(2)).to_have_text("1")
