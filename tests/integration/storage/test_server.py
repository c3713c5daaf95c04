"""The life of an embedded server: start, share, crash, recover, stop."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from reunite.storage.server import (
    DatabaseInUseError,
    DatabaseNotStartedError,
    DatabaseVersionMismatchError,
    PostgresServer,
    attach_or_start,
    find_running,
    sqlalchemy_url,
)
from reunite.storage.server.account import account_for
from reunite.storage.server.postmaster import ProcessWatch, processes_in

Script = Callable[..., subprocess.Popen[str]]

# Starts the server, says so, commits a row and stays until told otherwise.
HOLD = """
import signal, sys, pathlib, psycopg
from reunite.storage.server import PostgresServer
# Whoever runs the tests in the background of a shell has Ctrl-C ignored, and so would this.
signal.signal(signal.SIGINT, signal.default_int_handler)
with PostgresServer(pathlib.Path(sys.argv[1])) as server:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('before')")
    print("\\nready", server.process_id, flush=True)
    sys.stdin.read()
"""
# Attaches or starts, says whether it owns the server, and stays until told otherwise.
JOIN = """
import sys, pathlib
from reunite.storage.server import attach_or_start
server = attach_or_start(pathlib.Path(sys.argv[1]))
print("\\nready", server.process_id, server.owns, flush=True)
sys.stdin.read()
server.close()
"""


def ready(process: subprocess.Popen[str]) -> list[str]:
    """Wait for the line that says ready; the words after it."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready"):
            return line.split()[1:]
    pytest.fail("".join(lines))


def words(server: PostgresServer) -> list[str]:
    with psycopg.connect(server.dsn) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept ORDER BY word")]


def keep(server: PostgresServer, word: str) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def kill_everything(cluster: Path) -> None:
    """What a power switch does to the processes of one server."""
    watches = [ProcessWatch(number) for number in processes_in(cluster)]
    for watch in watches:
        watch.send(signal.SIGKILL)
    for watch in watches:
        assert watch.wait(10)
        watch.close()


def cluster_state(place: Path, server_bin: Path) -> str:
    done = subprocess.run(
        [server_bin / "pg_controldata", place / "db" / "cluster"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return lines["Database cluster state"].strip()


def test_rows_outlive_the_server(place: Path) -> None:
    with PostgresServer(place / "db") as server:
        assert server.owns
        assert server.is_running
        keep(server, "one")
    assert find_running(place / "db") is None
    with PostgresServer(place / "db") as again:
        assert words(again) == ["one"]


def test_is_private_durable_and_speaks_utf8(place: Path) -> None:
    wanted = {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "jit": "off",
        "max_connections": "60",
        "shared_buffers": "256MB",
        "TimeZone": "UTC",
        "log_statement": "none",
    }
    with PostgresServer(place / "db") as server, psycopg.connect(server.dsn) as connection:
        found = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in wanted
        }
        assert found == {name: (value,) for name, value in wanted.items()}
        assert connection.execute("SELECT lower('ÀÉ北京')").fetchone() == ("àé北京",)
        for name in ("", "cluster", "socket", "log"):
            assert (place / "db" / name).stat().st_mode & 0o077 == 0


def test_the_address_serves_psycopg_and_sqlalchemy(place: Path) -> None:
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - nothing else here needs it

    with PostgresServer(place / "db", durability="fast") as server:
        engine = create_engine(sqlalchemy_url(server.dsn))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_database()")) == "reunite"
        engine.dispose()


def test_an_operators_own_settings_win(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast"):
        pass
    with (place / "db" / "cluster" / "postgresql.conf").open("a") as file:
        file.write("work_mem = 3MB\n")
    with PostgresServer(place / "db") as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("3MB",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_nothing_personal_is_logged(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast") as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE person (name text PRIMARY KEY)")
            connection.execute("INSERT INTO person VALUES ('Zhang San')")
            for statement in (
                "INSERT INTO person VALUES ('Zhang San')",
                "SELECT 'Zhang San'::integer",
                "SELECT 'Zhang San' FROM nowhere",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)
            with pytest.raises(psycopg.Error):
                connection.execute("INSERT INTO person VALUES (%s)", ["Zhang San"])
        log = "".join(path.read_text() for path in (place / "db" / "log").iterdir())
    assert "ready to accept connections" in log
    assert "Zhang" not in log


def test_no_acknowledged_row_is_lost_by_kill_9(place: Path) -> None:
    acknowledged: list[int] = []

    def write(dsn: str) -> None:
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                while True:
                    number = len(acknowledged)
                    connection.execute("INSERT INTO numbers VALUES (%s)", [number])
                    acknowledged.append(number)
        except psycopg.OperationalError:
            return

    for _ in range(3):
        server = PostgresServer(place / "db").start()
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS numbers (number bigint)")
            stored = {row[0] for row in connection.execute("SELECT number FROM numbers")}
        assert set(acknowledged) <= stored
        before = len(acknowledged)
        writer = threading.Thread(target=write, args=[server.dsn])
        writer.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < before + 40:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill_everything(place / "db" / "cluster")
        writer.join(timeout=20)
        assert not writer.is_alive()
        assert not server.is_running
        server.close()
    with PostgresServer(place / "db") as server, psycopg.connect(server.dsn) as connection:
        stored = {row[0] for row in connection.execute("SELECT number FROM numbers")}
        assert set(acknowledged) <= stored


def test_the_server_of_a_killed_owner_is_taken_over(place: Path, script: Script) -> None:
    owner = script(HOLD)
    (number,) = ready(owner)
    owner.kill()
    owner.wait()
    server = PostgresServer(place / "db").start()
    assert server.process_id == int(number)
    assert server.owns
    assert words(server) == ["before"]
    server.stop()
    assert processes_in(place / "db" / "cluster") == []


def test_killed_in_the_middle_of_the_first_start(place: Path, script: Script) -> None:
    for delay_seconds in (0.3, 0.6, 0.9):
        process = script(HOLD)
        time.sleep(delay_seconds)
        process.kill()
        process.wait()
    with attach_or_start(place / "db") as server:
        keep(server, "works")
        assert "works" in words(server)
    assert not list((place / "db").glob("cluster.new-*"))


def test_in_use_says_so_and_names_the_process(place: Path, script: Script) -> None:
    owner = script(HOLD)
    (number,) = ready(owner)
    with pytest.raises(DatabaseInUseError) as caught:
        PostgresServer(place / "db").start()
    assert caught.value.code == "database_in_use"
    assert caught.value.details["process_ids"] == [int(number)]
    with attach_or_start(place / "db") as guest:
        assert not guest.owns
        assert words(guest) == ["before"]
    assert owner.poll() is None
    assert find_running(place / "db") is not None
    owner.communicate("")
    assert owner.returncode == 0
    assert find_running(place / "db") is None


def test_of_many_that_start_together_one_owns(place: Path, script: Script) -> None:
    processes = [script(JOIN) for _ in range(3)]
    answers = [ready(process) for process in processes]
    assert len({number for number, _ in answers}) == 1
    assert sorted(owns for _, owns in answers) == ["False", "False", "True"]
    # Guests leave first, so that none of them finds its server gone.
    for process, (_, owns) in sorted(
        zip(processes, answers, strict=True), key=lambda pair: pair[1][1]
    ):
        process.communicate("")
        assert process.returncode == 0, owns
    assert find_running(place / "db") is None


def test_interrupting_the_terminal_stops_it_cleanly(place: Path, script: Script) -> None:
    from reunite.storage.server.binaries import binaries_for  # noqa: PLC0415

    process = script(HOLD)
    ready(process)
    # Ctrl-C goes to the whole foreground group.
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=20)
    assert processes_in(place / "db" / "cluster") == []
    programs = binaries_for(account_for(place / "db"))
    assert cluster_state(place, programs.bin_directory) == "shut down"


def test_a_fork_does_not_stop_its_parents_server(place: Path, script: Script) -> None:
    process = script(
        HOLD.replace(
            "    print(",
            "    import os\n    if os.fork() == 0: raise SystemExit\n    os.wait()\n    print(",
        )
    )
    ready(process)
    assert find_running(place / "db") is not None


@pytest.mark.parametrize("content", ["dead", "reused", "empty", "garbage"])
def test_a_stale_pid_file_is_no_obstacle(place: Path, content: str) -> None:
    with PostgresServer(place / "db") as server:
        keep(server, "kept")
        lines = (place / "db/cluster/postmaster.pid").read_text().splitlines()
        kill_everything(place / "db" / "cluster")
    account = account_for(place / "db")
    other = subprocess.Popen(
        ["sleep", "60"],
        user=None if account.is_us else account.uid,
        extra_groups=None if account.is_us else [],
    )
    try:
        path = place / "db/cluster/postmaster.pid"
        if content == "reused":
            path.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        elif content == "empty":
            path.write_text("")
        elif content == "garbage":
            path.write_text("\0\0\0\n")
        with PostgresServer(place / "db") as server:
            assert words(server) == ["kept"]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_that_died_is_started_again_by_its_handle(place: Path) -> None:
    with PostgresServer(place / "db") as server:
        keep(server, "kept")
        kill_everything(place / "db" / "cluster")
        assert not server.is_running
        server.start()
        assert words(server) == ["kept"]


def test_a_failed_start_lets_the_next_one_try(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast"):
        pass
    version = place / "db/cluster/PG_VERSION"
    version.write_text("15\n")
    failed = PostgresServer(place / "db")
    with pytest.raises(DatabaseVersionMismatchError):
        failed.start()
    version.write_text("18\n")
    with PostgresServer(place / "db") as server:
        assert server.is_running


def test_another_major_version_is_refused(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast"):
        pass
    (place / "db/cluster/PG_VERSION").write_text("15\n")
    with pytest.raises(DatabaseVersionMismatchError) as caught:
        PostgresServer(place / "db").start()
    assert caught.value.code == "database_version_mismatch"
    assert (caught.value.details["found"], caught.value.details["needed"]) == ("15", "18")


def test_a_failed_start_shows_the_log(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast"):
        pass
    settings = place / "db/cluster/postgresql.conf"
    settings.write_text(settings.read_text() + "shared_bufers = 1\n")
    with pytest.raises(DatabaseNotStartedError) as caught:
        PostgresServer(place / "db").start()
    assert caught.value.code == "database_not_started"
    assert "shared_bufers" in str(caught.value.details["log"])
    assert processes_in(place / "db" / "cluster") == []


def test_a_start_that_takes_too_long_is_given_up(place: Path) -> None:
    with PostgresServer(place / "db", durability="fast"):
        pass
    with pytest.raises(DatabaseNotStartedError) as caught:
        PostgresServer(place / "db", start_timeout_seconds=0).start()
    assert caught.value.details["reason"] == "timeout"
    assert processes_in(place / "db" / "cluster") == []


def test_a_long_path_still_gets_a_socket(place: Path) -> None:
    directory = place / ("deep-" * 20) / ("deeper-" * 10) / "with 'quotes' and spaces, 北京" / "db"
    with PostgresServer(directory, durability="fast") as server:
        keep(server, "deep")
        found = find_running(directory)
        assert found is not None
        assert words(found) == ["deep"]
        found.close()
        assert server.is_running


def test_quotes_and_spaces_in_a_short_path(place: Path) -> None:
    with PostgresServer(place / 'it\'s, "db"', durability="fast") as server:
        keep(server, "quoted")
        assert words(server) == ["quoted"]
