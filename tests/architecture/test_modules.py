"""Modules stay small enough to be read in one sitting, and the lock files complete."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_MODULE_LINES = 400
# A revision of the schema is written once, by a tool, and never grows.
EXEMPT = ("storage/migrations/",)


def test_no_module_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT / "src" / "reunite")): len(path.read_text().splitlines())
        for path in (ROOT / "src" / "reunite").rglob("*.py")
    }
    long = {
        name: lines
        for name, lines in lengths.items()
        if lines > LONGEST_MODULE_LINES and not name.startswith(EXEMPT)
    }
    assert not long


def test_only_the_command_line_prints() -> None:
    printing = [
        path
        for path in (ROOT / "src" / "reunite").rglob("*.py")
        if path.parent.name != "cli" and re.search(r"^\s*print\(", path.read_text(), re.MULTILINE)
    ]
    assert not printing


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        room.parent
        for room in (ROOT / "src" / "reunite").glob("*/__init__.py")
        if not room.read_text().startswith('"""')
    ]
    assert not silent


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_hold_every_requirement_with_a_hash(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = list(project["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        asked += project["dependency-groups"]["dev"]
    text = (ROOT / lock).read_text()
    pinned = {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}
    assert {normal(re.split(r"[\s\[;=<>~!]", one)[0]) for one in asked} <= pinned
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry


def test_both_lock_files_pin_the_same_releases() -> None:
    run, full = (
        set(re.findall(r"^\S+==\S+(?: ; [^\\]+)?", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run <= full


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
