"""The card of somebody who may wander: registered, printed, scanned, and the family told.

The card is printed to paper as Chromium prints it, and read from there with OpenCV.
"""

import cv2
import numpy as np
import pypdfium2
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import open_context
from tests.browser.test_story import Visitor, photo
from tests.photos import pairs
from tests.servers import Server

pytestmark = pytest.mark.browser

NAME = "王秀珍"
DOTS_PER_POINT = 200 / 72  # a cheap printer


def scanned(paper: bytes) -> str:
    """The address on a printed card."""
    document = pypdfium2.PdfDocument(paper)
    try:
        page = np.array(document[0].render(scale=DOTS_PER_POINT).to_pil().convert("L"))
    finally:
        document.close()
    read, addresses, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(page)
    assert read
    assert len(set(addresses)) == 1
    return addresses[0]


def test_a_scanned_card_leads_to_the_family(server: Server, browser: Browser) -> None:
    email = server.add_account("family", "family")
    server.start()
    context = open_context(browser, 360, language="zh")
    context.set_default_timeout(20_000)
    family = Visitor(server, context.new_page(), "zh", 360)
    family.sign_in(email)
    family.go("/my/people")
    family.page.set_input_files("input[name=photo]", photo(pairs()[0].newer))
    family.page.fill("input[name=name]", NAME)
    family.page.fill("input[name=birth_year]", "1948")
    family.page.fill("input[name=town]", "达州")
    family.page.fill("input[name=contact]", "138 0000 0000")
    family.tick("consent_search")
    family.look("people")
    family.send("/my/people")
    one = family.page.url.removeprefix(f"{server.address}/zh")

    family.go(f"{one}/card")
    assert NAME not in family.text()
    address = scanned(family.page.pdf(format="A4"))
    assert address.startswith(server.address)

    # Somebody in the street, who has never heard of Reunite.
    finder = open_context(browser, 360, language="zh").new_page()
    finder.goto(address)
    told = finder.locator("main")
    for secret in (NAME, "138 0000 0000", "达州"):
        assert secret not in finder.content()
    finder.fill("textarea[name=text]", "在汽车站长椅上，人很好，想回家")
    finder.fill("input[name=contact]", "139 1111 2222")
    with finder.expect_navigation():
        finder.locator("form[action*='/card/'] button.button-primary").click()
    expect(told).to_contain_text("已经告诉家人", timeout=2000)
    assert NAME not in finder.content()

    # The family had not noticed: the message began the episode, and they read it.
    for _ in range(40):
        family.go("/inbox")
        if NAME in family.text():
            break
        family.page.wait_for_timeout(250)
    family.go(one)
    expect(family.page.locator("main")).to_contain_text("正在求助")
    expect(family.page.locator("main")).to_contain_text("在汽车站长椅上，人很好，想回家")
    expect(family.page.locator("main")).to_contain_text("139 1111 2222")
    family.look("person-alarm")
