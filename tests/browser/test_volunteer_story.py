"""A volunteer on a telephone: opts in, is told, sends a sighting with a photo, is thanked.

Real HTTP, PostgreSQL, models and Chromium, 360 px wide, in both languages; the network goes
away in the middle.  The pictures of every page are in ``tests/screenshots``.
"""

import json
import re
import time

import pytest
from playwright.sync_api import Browser, Geolocation, Page, expect

from reunite.ports import ChannelName
from tests.browser.conftest import check_page, open_context
from tests.photos import pairs
from tests.servers import PASSWORD, Server

pytestmark = pytest.mark.browser

HANGZHOU: Geolocation = {"latitude": 30.2741, "longitude": 120.1551}
NAME = "周明远"
KEPT = {"zh": "已保存在这台设备上", "en": "kept on this device"}
WAYS = 4  # inboxes, and the three channels that need no server of the operator's
FORBIDDEN = json.dumps({"url": "https://10.0.0.1/hook", "secret": "whsec_MTIzNDU2Nzg5MDEyMzQ1Ng=="})
THANKS = {"zh": "谢谢", "en": "thank you"}


def sign_in(server: Server, page: Page, language: str, email: str) -> None:
    page.goto(f"{server.address}/{language}/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("form:has(input[name=email]) button.button-primary")


def open_and_publish(server: Server, email: str) -> str:
    """A case that a reviewer has checked and told the neighbourhood of; its reference."""
    family = server.client(server.add_account("family", "family"))
    report = {
        "module": "elder",
        "side": "missing",
        "person": {"name": NAME, "birth_years": {"first": 1950, "last": 1950}},
        "circumstances": {
            "seen_at": "2026-01-05T01:30:00Z",
            "place": HANGZHOU,
            "place_label": "杭州市",
        },
        "consent_search": True,
        "consent_publish": True,
        "contact": "138 0000 0000",
    }
    opened = family.post("/cases", json=report)
    assert opened.status_code == 201, opened.text
    reference = str(opened.json()["reference"])
    photo = {"photo": ("photo.jpg", pairs()[0].older, "image/jpeg")}
    added = family.post(f"/cases/{reference}/photos", files=photo)
    assert added.status_code == 201, added.text
    reviewer = server.client(email)
    checked = reviewer.post(f"/cases/{reference}/verification", json={"note": "警方 110-7"})
    assert checked.status_code < 300, checked.text
    told = reviewer.post(
        f"/cases/{reference}/publication", json={"alert_radius_km": 5, "reason": "a trial"}
    )
    assert told.status_code < 300, told.text
    return reference


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_volunteer_on_a_telephone(server: Server, browser: Browser, language: str) -> None:
    server.start()
    volunteer = server.add_account("volunteer", "volunteer")
    reviewer = server.add_account("reviewer", "reviewer")
    admin = server.add_account("admin", "admin")
    context = open_context(browser, 360, language=language)
    context.set_default_timeout(20_000)
    context.grant_permissions(["geolocation"], origin=server.address)
    context.set_geolocation(HANGZHOU)
    page = context.new_page()

    def look(name: str) -> None:
        check_page(page, f"volunteer-{name}-{language}-360")

    # An organisation's webhook that nobody may be sent to: what goes there is given up.
    server.add_address(volunteer, ChannelName.WEBHOOK, FORBIDDEN)

    # Opts in with the position of the telephone.
    sign_in(server, page, language, volunteer)
    page.goto(f"{server.address}/{language}/volunteer")
    look("1-opt-in")
    page.click("#settings [data-locate]")
    expect(page.locator("#settings input[name=latitude]")).not_to_have_value("")
    with page.expect_navigation():
        page.click("#settings button.button-primary")
    look("2-opted-in")

    # Is told at once.
    page.goto(f"{server.address}/{language}/")
    reference = open_and_publish(server, reviewer)
    toast = page.locator(".toast-notice")
    expect(toast).to_contain_text(NAME, timeout=15_000)
    look("3-told")
    page.goto(f"{server.address}/{language}/inbox")
    look("4-inbox")

    # The reviewers watch the alert; the figures move without a press.
    desk = open_context(browser, 360, language=language)
    desk.set_default_timeout(20_000)
    watch = desk.new_page()
    sign_in(server, watch, language, reviewer)
    watch.goto(f"{server.address}/{language}/review/cases/{reference}")
    with watch.expect_navigation():
        watch.locator("a[href*='/review/alerts/']").first.click()
    told = watch.locator("#alert-progress section")
    expect(told).to_have_count(WAYS)
    expect(watch.locator("#alert-progress .figure")).to_contain_text("0")
    check_page(watch, f"volunteer-4b-alert-{language}-360")

    # First tap.  The place is there already, and the map beside it.
    with page.expect_navigation():
        page.click(f"a[href$='/cases/{reference}/sighting']")
    expect(page.locator("input[name=latitude]")).to_have_value(re.compile("30.27"))
    page.click("[data-map-open]")
    expect(page.locator(".map-label").first).to_be_visible()
    page.locator("[data-map-canvas]").click(position={"x": 180, "y": 150})
    page.set_input_files(
        "#field-photo",
        {"name": "seen.jpg", "mimeType": "image/jpeg", "buffer": pairs()[0].newer},
    )
    page.fill("textarea[name=text]", "在武林广场公交站见过他。")
    look("5-sighting")

    # Second tap, in a tunnel: nothing is lost, and nothing is sent twice.
    context.set_offline(True)
    page.click("form[data-sighting] button.button-primary")
    expect(page.locator("[data-sighting-status]")).to_contain_text(KEPT[language])
    look("6-kept")
    context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".toast a")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('online'))")
    with page.expect_navigation():
        page.locator(".toast a").first.click()
    look("7-thanks")

    # The page of the alert has heard of it by itself.
    expect(watch.locator("#alert-progress .figure")).to_contain_text("1")

    # The reviewers have it once, with the photo compared.
    staff = server.client(reviewer)
    waiting = staff.get("/sightings").json()["items"]
    assert len(waiting) == 1
    assert waiting[0]["has_photo"]
    assert waiting[0]["similarity"] > 0.3
    review = desk.new_page()
    review.goto(f"{server.address}/{language}/review/sightings")
    check_page(review, f"volunteer-8-triage-{language}-360")
    review.locator("details:has(textarea[name=reply]) summary").click()
    review.fill("textarea[name=reply]", "谢谢！是哪一路车？")
    with review.expect_navigation():
        review.click("form:has(textarea[name=reply]) button")
    with review.expect_navigation():
        review.click("button[name=status][value=passed_on]")
    review.goto(f"{server.address}/{language}/review/cases/{reference}/sightings")
    review.click("[data-map-open]")
    expect(review.locator(".map-sighting").first).to_be_visible()
    check_page(review, f"volunteer-9-map-{language}-360")
    page.goto(f"{server.address}/{language}/my/sightings")
    expect(page.get_by_text("谢谢！是哪一路车？")).to_be_visible()
    look("10-answered")

    # The search ends: the volunteer is thanked.
    ended = staff.post(
        f"/cases/{reference}/resolution", json={"outcome": "reunited", "cause": "volunteer_tip"}
    )
    assert ended.status_code < 300, ended.text
    until = time.monotonic() + 15
    while time.monotonic() < until:
        page.goto(f"{server.address}/{language}/inbox")
        if page.locator(".inbox-resolved").count():
            break
    assert THANKS[language] in page.locator(".inbox-resolved").first.inner_text().lower()
    assert NAME not in page.locator("main").inner_text()
    look("11-thanked")

    # What was given up waits for somebody to look at it.
    office = open_context(browser, 360, language=language)
    letters = office.new_page()
    sign_in(server, letters, language, admin)
    letters.goto(f"{server.address}/{language}/admin/dead-letters")
    expect(letters.locator("code", has_text="address_forbidden").first).to_be_visible()
    check_page(letters, f"volunteer-12-given-up-{language}-360")
    before = letters.locator("li.account").count()
    with letters.expect_navigation():
        letters.locator("button[value=drop]").first.click()
    expect(letters.locator("li.account")).to_have_count(before - 1)
