"""A real Firefox without a window, driven through WebDriver BiDi, which it speaks by itself."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.servers import free_port

HOW_TO_GET_FIREFOX = "no Firefox on this machine; Debian: apt install firefox-esr"
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0

# What Firefox needs to use a push service of the test, and to leave the internet alone.
PREFERENCES = {
    "alerts.useSystemBackend": False,  # there is no desktop: without it showNotification throws
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": True,
    "dom.push.testing.allowInsecureServerURL": True,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "permissions.default.desktop-notification": 1,  # nobody is there to press "allow"
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}


def find_firefox() -> str | None:
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


@dataclass
class Firefox:
    """One tab.  Every call waits for its answer."""

    loop: asyncio.AbstractEventLoop
    socket: aiohttp.ClientWebSocketResponse
    context: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of WebDriver BiDi; fails the test where Firefox refuses it."""
        return asyncio.run_coroutine_threadsafe(self._call(method, parameters), self.loop).result(
            ANSWER_SECONDS + 5
        )

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_SECONDS):
            async for message in self.socket:
                said = json.loads(message.data)
                if said.get("id") == number:
                    if said["type"] == "error":
                        raise AssertionError(f"{method}: {said}")
                    result: dict[str, Any] = said["result"]
                    return result
        raise AssertionError(f"{method}: the connection ended")

    def open_tab(self) -> None:
        self.call("session.new", capabilities={})
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def go(self, url: str) -> None:
        self.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        """The value of an expression in the page, which may be a promise; as JSON."""
        answer = self.call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((said) => JSON.stringify(said))",
            target={"context": self.context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def click(self, selector: str) -> None:
        """Press something, as a person does: the page may ask for permissions then."""
        self.run(
            f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})"
        )
        box = self.run(
            f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
        )
        at = {"x": round(box["x"] + box["width"] / 2), "y": round(box["y"] + box["height"] / 2)}
        pointer = [
            {"type": "pointerMove", **at},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.call(
            "input.performActions",
            context=self.context,
            actions=[{"type": "pointer", "id": "finger", "actions": pointer}],
        )

    def wait_for(self, expression: str, seconds: float = 30.0) -> Any:
        """The first true value of an expression; survives pages that go away meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                value = self.run(expression)
            except AssertionError:
                value = None
            if value:
                return value
            time.sleep(0.2)
        return pytest.fail(f"never true: {expression}")

    def size(self, width_px: int, height_px: int) -> None:
        self.call(
            "browsingContext.setViewport",
            context=self.context,
            viewport={"width": width_px, "height": height_px},
        )

    def picture(self, path: Path) -> None:
        answer = self.call(
            "browsingContext.captureScreenshot", context=self.context, origin="document"
        )
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def firefox_running(profile: Path, push_address: str, language: str) -> Iterator[Firefox]:
    """Firefox with a fresh profile while the block runs; skips the test without one."""
    program = find_firefox() or pytest.skip(HOW_TO_GET_FIREFOX)
    languages = "zh-CN, zh" if language == "zh" else "en-GB, en"
    wanted = {
        **PREFERENCES,
        "dom.push.serverURL": push_address,
        "intl.accept_languages": languages,
    }
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in wanted.items()]
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text("\n".join(lines))
    port = free_port()
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    with (profile / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--remote-debugging-port", str(port), "about:blank"],
            stdout=log,
            stderr=log,
            env={**os.environ, "MOZ_CRASHREPORTER_DISABLE": "1"},
            start_new_session=True,
        )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(awaitable: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(awaitable, loop).result(START_SECONDS + 5)

    session = wait(_session())
    try:
        driver = Firefox(loop, wait(_connect(session, f"ws://127.0.0.1:{port}/session")))
        driver.open_tab()
        yield driver
        wait(driver.socket.close())
    finally:
        wait(session.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        # With it the processes of its tabs.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def _connect(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return await session.ws_connect(url, max_msg_size=0)
        except (aiohttp.ClientError, OSError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
