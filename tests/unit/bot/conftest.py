"""The bot's tests: only where its packages are, which are optional to run Reunite."""

from importlib.util import find_spec

import pytest

from tests.unit.app.world import World

MISSING = [name for name in ("nonebot", "nonebug") if find_spec(name) is None]
# NoneBot's own test kit wants older packages than Ray does, so that no lock holds both: install
# it by hand beside the others to try the plug-in; the conversation is tested everywhere.
PLUG_IN_ONLY = ["nonebug"]
collect_ignore_glob = (
    ["test_*.py" if MISSING != PLUG_IN_ONLY else "test_plugin.py"] if MISSING else []
)


def pytest_report_header() -> str:
    return f"bot: not all tested, without {' and '.join(MISSING)}" if MISSING else "bot: tested"


@pytest.fixture
def world() -> World:
    return World()
