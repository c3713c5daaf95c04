"""The main story, as people live it: one lost person, from report to reunion.

Real HTTP, PostgreSQL, models and Chromium.  In Chinese on a telephone and in English on a
wide screen; the pictures of every page are in ``tests/screenshots``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import check_page, open_context
from tests.photos import pairs
from tests.servers import PASSWORD, Server

pytestmark = pytest.mark.browser

NAME = "周明远"


@dataclass
class Visitor:
    """Somebody at a screen."""

    server: Server
    page: Page
    language: str
    width_px: int

    def go(self, path: str) -> None:
        answer = self.page.goto(f"{self.server.address}/{self.language}{path}")
        assert answer is not None
        assert answer.status in {200, 410}, (path, answer.status)

    def sign_in(self, email: str) -> None:
        self.go("/sign-in")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.press("form:has(input[name=email]) button.button-primary")

    def press(self, selector: str) -> None:
        with self.page.expect_navigation(timeout=60_000):
            self.page.locator(selector).first.click()

    def tick(self, name: str, value: str | None = None) -> None:
        narrower = f"[value='{value}']" if value else ""
        self.page.locator(f"input[name={name}]{narrower}").first.check(force=True)

    def send(self, action: str) -> None:
        self.press(f"form[action*='{action}'] button.button-primary")

    def look(self, name: str) -> None:
        check_page(self.page, f"{name}-{self.language}-{self.width_px}")

    def text(self) -> str:
        return self.page.locator("main").inner_text()


def photo(data: bytes) -> FilePayload:
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}


@pytest.fixture(params=[("zh", 360), ("en", 1280)], ids=["zh-360", "en-1280"])
def screen(request: pytest.FixtureRequest) -> tuple[str, int]:
    return request.param  # type: ignore[no-any-return]


def test_the_main_story(
    server: Server, browser: Browser, screen: tuple[str, int], tmp_path: Path
) -> None:
    language, width_px = screen
    server.start()
    accounts = {
        name: server.add_account(name, role)
        for name, role in (
            ("family", "family"),
            ("volunteer", "volunteer"),
            ("first", "reviewer"),
            ("second", "reviewer"),
            ("station", "officer"),
        )
    }
    pair = pairs()[0]

    def visitor(name: str | None) -> Visitor:
        context = open_context(browser, width_px, language=language)
        context.set_default_timeout(20_000)
        one = Visitor(server, context.new_page(), language, width_px)
        if name is not None:
            one.sign_in(accounts[name])
        return one

    # A volunteer opts in, and leaves a page open.
    volunteer = visitor("volunteer")
    volunteer.go("/volunteer")
    volunteer.tick("module", "2")
    volunteer.page.fill("input[name=town]", "杭州" if language == "zh" else "Hangzhou")
    volunteer.look("volunteer")
    volunteer.press("form:has(input[name=town]) button.button-primary")
    volunteer.look("volunteer-joined")
    volunteer.go("/")

    # A relative opens a case with an old photo.
    family = visitor("family")
    family.go("/")
    family.look("home")
    family.go("/report/missing")
    family.look("report")
    family.page.set_input_files("input[name=photo]", photo(pair.older))
    family.page.fill("input[name=captured_year]", "2012")
    family.tick("module", "2")
    family.page.fill("input[name=name]", NAME)
    family.page.fill("input[name=birth_year]", "1960")
    family.page.fill("input[name=seen_at]", "2026-01-05T09:30")
    family.page.fill("input[name=town]", "杭州" if language == "zh" else "Hangzhou")
    family.page.fill("textarea[name=story]", "出门散步后没有回家。")
    family.page.fill("input[name=contact]", "138 0000 0000")
    family.tick("consent_search")
    family.tick("consent_publish")
    family.send("/report/missing")
    family.look("reported")
    reference = re.search(r"/cases/([0-9A-Z]{10})", family.page.url)
    assert reference, family.page.url
    case = reference.group(1)
    picture = family.page.locator(".case-photos img").first.get_attribute("src")

    # Nobody else sees it yet.
    stranger = visitor(None)
    answer = stranger.page.goto(f"{server.address}/{language}/cases/{case}")
    assert answer is not None
    assert answer.status == 404

    # A reviewer verifies and publishes; the volunteer hears at once.
    first = visitor("first")
    first.go("/review")
    first.look("review")
    first.go(f"/review/cases/{case}")
    first.page.fill("textarea[name=note]", "已致电派出所，报警回执 2026-001")
    first.send("/verify")
    first.look("review-case")
    assert "1" in first.page.locator("button[name=alert][value='1']").inner_text()
    first.press("button[name=alert][value='1']")
    expect(volunteer.page.get_by_text(NAME).first).to_be_visible(timeout=15_000)
    volunteer.look("toast")
    volunteer.go("/inbox")
    volunteer.look("inbox")

    # The public side.
    stranger.go(f"/cases/{case}")
    stranger.look("case")
    assert NAME in stranger.text()
    assert "138" not in stranger.text()
    stranger.go(f"/cases/{case}/poster")
    stranger.look("poster")

    # The volunteer sends a sighting.
    volunteer.go(f"/cases/{case}/sighting")
    volunteer.page.fill("textarea[name=text]", "在武林广场公交站见过他。")
    volunteer.page.fill("input[name=town]", "杭州" if language == "zh" else "Hangzhou")
    volunteer.look("sighting")
    volunteer.send("/sighting")
    volunteer.look("sighting-sent")
    first.go("/review/sightings")
    first.look("sightings")
    assert "武林广场" in first.text()
    first.press("button[name=status][value=passed_on]")

    # Somebody searches with a newer photo: the right person comes first.
    volunteer.go("/find")
    volunteer.look("find")
    volunteer.page.set_input_files("input[name=photo]", photo(pair.newer))
    volunteer.page.fill("input[name=captured_year]", "2022")
    volunteer.send("/find")
    volunteer.look("results")
    assert NAME in volunteer.page.locator(".candidate").first.inner_text()

    # A second photo of the same person, and somebody who is not the person.
    volunteer.page.locator("a[href$='/photos']").click()
    volunteer.look("add-photo")
    volunteer.page.set_input_files("input[name=photo]", photo(pair.older))
    volunteer.send("/photos")
    volunteer.look("results-several")
    expect(volunteer.page.locator(".probe-photos li")).to_have_count(2)
    assert NAME in volunteer.page.locator(".candidate").first.inner_text()
    others = volunteer.page.locator(".candidate").count()
    volunteer.page.locator(".candidate").last.locator(".aside-form button").click()
    expect(volunteer.page.locator(".set-aside summary")).to_be_visible()
    assert volunteer.page.locator(".candidate").count() == others - 1
    volunteer.look("results-set-aside")

    # A station takes in a person and uploads the newer photo: a lead, for reviewers only.
    station = visitor("station")
    station.go("/report/found")
    station.page.set_input_files("input[name=photo]", photo(pair.newer))
    station.page.fill("input[name=captured_year]", "2022")
    station.tick("module", "2")
    station.page.fill("input[name=age_from]", "60")
    station.page.fill("input[name=age_to]", "70")
    station.page.fill("input[name=contact]", "0571 0000 0000")
    station.tick("consent_search")
    station.send("/report/found")
    found = re.search(r"/cases/([0-9A-Z]{10})", station.page.url)
    assert found, station.page.url
    second = visitor("second")
    second.go(f"/review/cases/{found.group(1)}")
    second.page.fill("textarea[name=note]", "站内登记，已核对")
    second.send("/verify")

    # Two reviewers confirm; one of them twice does not count.
    first.go("/review/leads")
    first.look("leads")
    first.press("a[href*='/review/leads/']")
    lead = first.page.url
    first.look("lead")
    first.press("button[name=verdict][value=accept]")
    first.page.goto(lead)
    assert first.page.locator("button[name=verdict][value=accept]").is_disabled()
    second.page.goto(lead)
    second.press("button[name=verdict][value=accept]")
    second.page.goto(lead)
    second.look("lead-confirmed")

    # Still open: a face changes no case.  Then a reviewer closes it, with its cause.
    stranger.go(f"/cases/{case}")
    assert NAME in stranger.text()
    second.press("a[href*='outcome=reunited']")
    second.look("close")
    second.send("/resolve")

    # The photo and the name leave the public side; the volunteer is thanked.
    answer = stranger.page.goto(f"{server.address}/{language}/cases/{case}")
    assert answer is not None
    assert answer.status == 410
    stranger.look("case-over")
    assert NAME not in stranger.text()
    gone = stranger.page.request.get(f"{server.address}{picture}")
    assert gone.status == 404
    expect(volunteer.page.locator("[data-unread]").first).to_contain_text("1", timeout=15_000)
    volunteer.go("/inbox")
    volunteer.look("inbox-thanks")
    assert NAME not in volunteer.text()
    volunteer.go("/find")
    volunteer.page.set_input_files("input[name=photo]", photo(pair.newer))
    volunteer.send("/find")
    assert NAME not in volunteer.text()
    stranger.go("/statistics")
    stranger.look("statistics")
