"""A volunteer turns on notifications, and one arrives: encrypted by the server, through a push
service, decrypted by a real browser, shown by our service worker.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Worker

from reunite.delivery.web_push import payload_of
from reunite.testing.channels import make_delivery, make_message
from tests.autopush import Autopush, autopush_running
from tests.browser.conftest import SCREENSHOTS, check_page, open_context
from tests.firefox import Firefox, firefox_running
from tests.servers import PASSWORD, Server, wait_until

# Until then Firefox's push service is not there, and who subscribes waits for ever.
PUSH_STARTS_AFTER_SECONDS = 12.0

NOTIFICATIONS = """
navigator.serviceWorker.ready
  .then((registration) => registration.getNotifications())
  .then((shown) => shown.map(({ title, body, tag, data, lang }) =>
    ({ title, body, tag, data, lang })))
"""


def test_firefox_shows_what_the_server_encrypted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    language = "zh"
    # The push service of the test is on this machine, where no message goes otherwise.
    monkeypatch.setenv("REUNITE_ALLOW_PRIVATE_RECEIVERS", "1")
    with (
        autopush_running() as autopush,
        firefox_running(tmp_path / "profile", autopush.address, language) as firefox,
    ):
        started = time.monotonic()
        server.start("--no-worker")
        email = server.add_account("lin", "volunteer")
        firefox.size(360, 740)
        site = f"{server.address}/{language}"
        sign_in(firefox, site, email)
        time.sleep(max(0.0, started + PUSH_STARTS_AFTER_SECONDS - time.monotonic()))

        firefox.go(f"{site}/volunteer/channels")
        firefox.wait_for("document.querySelector('[data-push-on]').hidden === false")
        # Nobody has been asked for anything before the button was pressed.
        assert "register" not in autopush.said
        firefox.picture(SCREENSHOTS / f"firefox-push-offered-{language}-360.png")
        firefox.click("[data-push-on]")
        firefox.wait_for("window.location.search === '?added=web_push'", 60)
        assert len(autopush.channels) == 1

        press(firefox, "form[action$='/volunteer/channels/try'] button", "?tried=1&failed=0")
        wait_until(lambda: len(firefox.run(NOTIFICATIONS)) == 1, 30)
        [shown] = firefox.run(NOTIFICATIONS)
        firefox.picture(SCREENSHOTS / f"firefox-push-shown-{language}-360.png")
        assert shown["lang"] == language
        assert "测试" in shown["body"]
        assert shown["data"]["url"] == f"{site}/volunteer/channels"
        check_push(autopush, shown["tag"])

        # A second one of the same topic takes the place of the first.
        firefox.go(f"{site}/volunteer/channels")
        press(firefox, "form[action$='/volunteer/channels/try'] button", "?tried=1&failed=0")
        wait_until(lambda: len(autopush.acknowledged) == 2, 30)
        [again] = firefox.run(NOTIFICATIONS)
        assert again["tag"] == shown["tag"]
        assert again["data"]["id"] != shown["data"]["id"]

        turn_off(firefox, autopush, site)


def sign_in(firefox: Firefox, site: str, email: str) -> None:
    firefox.go(f"{site}/sign-in")
    for name, value in (("email", email), ("password", PASSWORD)):
        firefox.run(f"void (document.querySelector('[name={name}]').value = {json.dumps(value)})")
    firefox.click("form:has([name=email]) button.button-primary")
    firefox.wait_for("!window.location.pathname.endsWith('/sign-in')")


def press(firefox: Firefox, selector: str, search: str) -> None:
    firefox.click(selector)
    firefox.wait_for(f"window.location.search === {json.dumps(search)}")


def check_push(autopush: Autopush, tag: str) -> None:
    [headers] = autopush.pushed
    assert headers["Topic"] == tag
    assert headers["Urgency"] == "high"
    assert headers["Content-Encoding"] == "aes128gcm"
    # The service in between has seen nothing but noise.
    assert b"Reunite" not in autopush.bodies[0]
    assert autopush.acknowledged == [100]


def turn_off(firefox: Firefox, autopush: Autopush, site: str) -> None:
    firefox.go(f"{site}/volunteer/channels")
    firefox.wait_for("!document.querySelector('[data-push-status]').hidden")
    press(firefox, "[data-push-row] button", "?removed=1")
    assert firefox.run("document.querySelectorAll('.channel').length") == 0
    wait_until(lambda: not autopush.channels, 10)


# Chromium has no push service without the internet: its DevTools hand the message over.


@pytest.mark.browser
def test_chromium_runs_the_service_worker(server: Server, browser: Browser) -> None:
    server.start("--no-worker")
    email = server.add_account("lin", "volunteer")
    context = open_context(browser, 360, language="en")
    context.grant_permissions(["notifications"], origin=server.address)
    page = context.new_page()
    site = f"{server.address}/en"
    page.goto(f"{site}/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("form:has(input[name=email]) button.button-primary")
    page.wait_for_url(f"{site}/**")
    page.goto(f"{site}/volunteer/channels")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    check_page(page, "channels-en-360")

    devtools = Devtools(context.new_cdp_session(page), page, server.address)
    here = f"{site}/cases/7K3M9QX2TB"
    first = make_delivery("x", message=make_message(url=here, title="Missing: Wang Lele"))
    thanks = make_delivery("x", message=make_message(url=here, title="Found", kind="resolved"))
    devtools.push(payload_of(first))
    wait_until(lambda: titles(page) == ["Missing: Wang Lele"])
    # The same message again, and then the end of the search: one notification all the time.
    devtools.push(payload_of(first))
    devtools.push(payload_of(thanks))
    wait_until(lambda: titles(page) == ["Found"])
    devtools.push(b"no JSON")
    wait_until(lambda: sorted(titles(page)) == ["Found", "Reunite"])
    show_what_is_shown(page)
    page.screenshot(path=SCREENSHOTS / "chromium-push-shown-en-360.png")

    [worker] = context.service_workers
    assert opened_by(worker, first.message.topic) == here
    assert opened_by(worker, "unreadable") == f"{server.address}/"
    elsewhere = make_delivery("x", message=make_message(url="https://evil.example/"))
    devtools.push(payload_of(elsewhere))
    wait_until(lambda: "走失儿童：王乐乐" in titles(page))
    assert opened_by(worker, elsewhere.message.topic) == f"{server.address}/"

    server.kill()
    answer = page.goto(f"{site}/cases")
    assert answer is not None
    assert answer.from_service_worker
    assert "There is no connection just now" in page.locator("main").inner_text()
    assert email not in page.content()
    assert ">lin<" not in page.content()
    check_page(page, "offline-en-360")
    context.close()


class Devtools:
    """Hands messages to the service worker, as Chromium's own page about them does."""

    def __init__(self, session: CDPSession, page: Page, origin: str) -> None:
        self._session = session
        self._page = page
        self._origin = origin
        self._registrations: list[dict[str, Any]] = []
        session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda said: self._registrations.extend(said["registrations"]),
        )
        session.send("ServiceWorker.enable")

    def push(self, payload: bytes) -> None:
        while not self._registrations:
            self._page.wait_for_timeout(50)  # events come while Playwright waits
        self._session.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self._origin,
                "registrationId": self._registrations[-1]["registrationId"],
                "data": payload.decode(),
            },
        )


def titles(page: Page) -> list[str]:
    shown: list[dict[str, str]] = page.evaluate(NOTIFICATIONS)
    return [one["title"] for one in shown]


def show_what_is_shown(page: Page) -> None:
    """Write the notifications into the page: without a desktop they are on no picture."""
    page.evaluate(
        f"""{NOTIFICATIONS.strip()}.then((shown) => {{
            const list = document.createElement("pre");
            list.style.whiteSpace = "pre-wrap";
            list.textContent = JSON.stringify(shown, null, 1);
            document.querySelector("main").prepend(list);
        }})"""
    )


def opened_by(worker: Worker, tag: str) -> str:
    """The address that a press on a notification opens; nobody is there to press one."""
    opened: str = worker.evaluate(
        """async (tag) => {
            const [notification] = await self.registration.getNotifications({ tag });
            const opened = new Promise((resolve) => {
                Object.defineProperty(self.clients, "openWindow",
                    { value: async (url) => resolve(url), configurable: true });
            });
            self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
            return opened;
        }""",
        tag,
    )
    return opened
