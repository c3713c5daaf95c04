"""The pages on rare blood that keep nothing, in a real browser."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import check_page, open_context
from tests.servers import Server

pytestmark = pytest.mark.browser


def test_judging_types_and_telling_the_day(server: Server, browser: Browser) -> None:
    server.start()
    page = open_context(browser, 360).new_page()
    page.goto(f"{server.address}/zh/blood/compatibility")
    page.fill("input[name=patient]", "孟买型 Rh阳性")
    page.fill("input[name=donor]", "O型 Rh阳性")
    page.click("form[action$=compatibility] button")
    assert page.locator("[data-grade=excluded]").count() == 1
    assert "绝不是输血建议" in page.inner_text("main")
    assert page.locator("[data-grade] a[href^='https://']").count() >= 2
    check_page(page, "blood-compatibility-zh-360")

    wide = open_context(browser, 1280, language="en").new_page()
    wide.goto(f"{server.address}/en/blood/again")
    wide.fill("input[name=last_on]", "2020-01-01")
    wide.fill("input[name=weight_kg]", "40")
    wide.click("form[action$=again] button")
    assert "No day can be told." in wide.inner_text("main")
    assert "50" in wide.inner_text("#answer ~ ul")
    check_page(wide, "blood-again-en-1280")
