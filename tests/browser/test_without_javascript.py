"""Reunite without JavaScript: an old telephone, a broken line, a strict browser."""

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import open_context
from tests.browser.test_story import NAME, Visitor, photo
from tests.photos import pairs, special
from tests.servers import Server

pytestmark = pytest.mark.browser


def test_report_publish_and_find(server: Server, browser: Browser) -> None:
    server.start()
    accounts = {
        name: server.add_account(name, role)
        for name, role in (
            ("family", "family"),
            ("reviewer", "reviewer"),
            ("volunteer", "volunteer"),
        )
    }

    def visitor(name: str) -> Visitor:
        context = open_context(browser, 360, javascript=False, language="en")
        one = Visitor(server, context.new_page(), "en", 360)
        one.sign_in(accounts[name])
        return one

    volunteer = visitor("volunteer")
    volunteer.go("/volunteer")
    volunteer.tick("module", "1")
    volunteer.page.fill("input[name=town]", "Hangzhou")
    volunteer.press("form:has(input[name=town]) button.button-primary")

    family = visitor("family")
    family.go("/report/missing")
    # Six people in one photo: the page asks which one is meant.
    family.page.set_input_files("input[name=photo]", photo(special("group-composite")))
    family.tick("module", "1")
    family.page.fill("input[name=name]", NAME)
    family.page.fill("input[name=town]", "Hangzhou")
    family.page.fill("input[name=contact]", "138 0000 0000")
    family.tick("consent_search")
    family.tick("consent_publish")
    family.send("/report/missing")
    assert family.page.locator("input[name=face]").count() == 6
    family.tick("face", "2")
    family.send("/face")
    reference = re.search(r"/cases/([0-9A-Z]{10})", family.page.url)
    assert reference, family.page.url
    case = reference.group(1)

    # A photo that cannot be used: said beside its field, and what was typed stays.
    family.go("/report/missing")
    family.page.set_input_files("input[name=photo]", photo(b"this is not a photo"))
    family.tick("module", "1")
    family.page.fill("input[name=name]", "<script>alert(1)</script>")
    family.page.fill("input[name=contact]", "138 0000 0000")
    family.tick("consent_search")
    family.send("/report/missing")
    assert family.page.locator(".field-error").count() >= 1
    assert family.page.input_value("input[name=name]") == "<script>alert(1)</script>"

    reviewer = visitor("reviewer")
    reviewer.go(f"/review/cases/{case}")
    reviewer.page.fill("textarea[name=note]", "checked by telephone")
    reviewer.send("/verify")
    reviewer.press("button[name=alert][value='1']")

    volunteer.page.wait_for_timeout(2000)
    volunteer.go("/inbox")
    assert NAME in volunteer.text()
    volunteer.go(f"/cases/{case}/sighting")
    volunteer.page.fill("textarea[name=text]", "Near the lake.")
    volunteer.send("/sighting")
    volunteer.go("/find")
    volunteer.page.set_input_files("input[name=photo]", photo(pairs()[1].older))
    volunteer.send("/find")
    assert "faces searched" in volunteer.text() or "face searched" in volunteer.text()
