"""The bot's tests: only where its packages are, which are optional to run Reunite."""

from importlib.util import find_spec

import pytest

from tests.unit.app.world import World

MISSING = [name for name in ("nonebot", "nonebug") if find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> str:
    return f"bot: not tested, without {' and '.join(MISSING)}" if MISSING else "bot: tested"


@pytest.fixture
def world() -> World:
    return World()
