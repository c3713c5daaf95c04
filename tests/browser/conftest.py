"""A real Chromium, where Debian's is installed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# What axe-core calls moderate or worse: each is something that keeps somebody out.
SERIOUS = {"moderate", "serious", "critical"}

# A worker on a busy machine takes longer than the five seconds that Playwright waits.
expect.set_options(timeout=30_000)


@pytest.fixture
def browser(chromium_path: str) -> Iterator[Browser]:
    """Chromium without a window.

    For one test: while Playwright is open, its event loop runs in this thread, and a test
    that starts one of its own would fail.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(OPTIONS))
        yield chromium
        chromium.close()


def open_context(
    browser: Browser, width_px: int, *, javascript: bool = True, language: str = "zh"
) -> BrowserContext:
    """A visitor of one's own: nobody else's cookies."""
    return browser.new_context(
        viewport={"width": width_px, "height": 800},
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="Asia/Shanghai",
        java_script_enabled=javascript,
        reduced_motion="reduce",
    )


def check_page(page: Page, name: str, *, whole: bool = True) -> None:
    """Take a picture of the page, and fail where it shuts people out or runs over the edge."""
    SCREENSHOTS.mkdir(exist_ok=True)
    if not os.environ.get("REUNITE_NO_SCREENSHOTS"):
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)
    too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert too_wide <= 0, f"{name} is {too_wide} px too wide"
    violations = [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']][:3]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
    ]
    assert not violations, f"{name}: {violations}"
