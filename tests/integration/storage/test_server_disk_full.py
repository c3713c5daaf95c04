"""A disk that fills up: a clear error, and nothing acknowledged is lost.

A small file system in memory stands in for the disk, seen by the test's process alone.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Script = Callable[..., subprocess.Popen[str]]

_FILLS_UP = """
import json, os, pathlib, sys
import psycopg
from reunite.kernel.errors import ReuniteError
from reunite.storage.server import PostgresServer, cluster

home = pathlib.Path(sys.argv[1])
found = {}
acknowledged = 0
server = PostgresServer(home).start()
with psycopg.connect(server.dsn, autocommit=True) as connection:
    connection.execute("CREATE TABLE kept (number int, filler text)")
    connection.execute("ALTER TABLE kept ALTER filler SET STORAGE EXTERNAL")
    try:
        while True:
            connection.execute("INSERT INTO kept VALUES (%s, repeat('x', 200000))", [acknowledged])
            acknowledged += 1
    except psycopg.Error as error:
        found["sqlstate"] = error.sqlstate
server.close()

def refused():
    try:
        PostgresServer(home).start()
    except ReuniteError as error:
        return [error.code, error.details.get("free_bytes")]

found["first"] = refused()
# Past our own check, PostgreSQL itself runs out of room.
room = os.statvfs(home)
with open(home.parent / "filler", "wb") as file:
    file.write(bytes(max(0, room.f_bavail * room.f_frsize)))
cluster.FREE_BYTES_TO_START = 0
found["second"] = refused()
cluster.FREE_BYTES_TO_START = 1
os.remove(home.parent / "filler")
os.remove(home.parent / "ballast")
with PostgresServer(home) as server, psycopg.connect(server.dsn) as connection:
    rows = connection.execute("SELECT number FROM kept ORDER BY number").fetchall()
found["lost"] = len(set(range(acknowledged)) - {row[0] for row in rows})
found["acknowledged"] = acknowledged
print("\\n" + json.dumps(found))
"""
_NO_ROOM_AT_ALL = """
import json, pathlib, sys
from reunite.kernel.errors import ReuniteError
from reunite.storage.server import PostgresServer, cluster

home = pathlib.Path(sys.argv[1])
found = {}
for limit in (cluster.FREE_BYTES_FOR_NEW, 0):
    cluster.FREE_BYTES_FOR_NEW = limit
    try:
        PostgresServer(home).start()
    except ReuniteError as error:
        found[str(limit)] = error.code
found["left"] = sorted(path.name for path in home.iterdir())
print("\\n" + json.dumps(found))
"""


def prefix_for(place: Path, size_megabytes: int, ballast_megabytes: int) -> list[str]:
    """Words that give a program a small disk of its own at ``place``."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        pytest.skip("only root with unshare (util-linux) can mount a small disk")
    if subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system does not allow a private mount")
    setup = (
        f"mount -t tmpfs -o size={size_megabytes}m,mode=755 tmpfs '{place}' && "
        f"head -c {ballast_megabytes}M /dev/zero > '{place}/ballast' && exec \"$@\""
    )
    return [unshare, "-m", "--", "sh", "-c", setup, "sh"]


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    found = json.loads(output.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_rows_survive_a_disk_that_fills_up(place: Path, script: Script) -> None:
    found = result(script(_FILLS_UP, *prefix_for(place, 330, 100)))
    assert found["acknowledged"] > 50
    assert found["lost"] == 0
    # 53100 is disk_full; a journal that cannot be written ends the connection instead.
    assert found["sqlstate"] in {"53100", None, "57P02"}
    assert found["first"][0] == "database_disk_full"
    assert found["second"][0] == "database_disk_full"


def test_a_full_disk_at_the_first_start(place: Path, script: Script) -> None:
    found = result(script(_NO_ROOM_AT_ALL, *prefix_for(place, 30, 10)))
    left = found.pop("left")
    assert set(found.values()) == {"database_disk_full"}
    assert not [name for name in left if name.startswith("cluster")]
