"""What every kind of test shares."""

import shutil

import pytest
import structlog

pytest_plugins = ("tests.database", "tests.servers", "tests.nats", "tests.storage")

# Drawn by rich, as structlog does by itself, a traceback takes half a second; tests that make
# things fail log dozens of them.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_CHROMIUM = (
    "no Chromium on this machine; Debian, Ubuntu: apt install chromium fonts-noto-cjk"
)


def find_chromium() -> str | None:
    """The browser that the tests drive, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=HOW_TO_GET_CHROMIUM))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where the browser is, for Playwright's ``executable_path``; skips without one."""
    return find_chromium() or pytest.skip(HOW_TO_GET_CHROMIUM)
