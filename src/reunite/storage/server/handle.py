"""A PostgreSQL of our own, from the first start to the last stop.

Who stops it.  The process that starts a server owns it and stops it; other processes of
the same data directory attach to it.  Ownership is a lock on ``owner.lock``, so it ends
with the process however that dies.  After ``kill -9`` of the owner the server goes on
running with everything it acknowledged, and the next process to come takes it over.
"""

import atexit
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Literal, NoReturn, Self
from urllib.parse import quote

import psycopg
import structlog

from reunite.storage.server import cluster as files
from reunite.storage.server.account import account_for, run_as
from reunite.storage.server.binaries import Binaries, binaries_for
from reunite.storage.server.errors import DatabaseInUseError, DatabaseNotStartedError
from reunite.storage.server.postmaster import (
    Postmaster,
    ProcessWatch,
    find_postmaster,
    processes_in,
    remove_stale_files,
)

_log = structlog.get_logger(__name__)

# Crash recovery replays at most max_wal_size, minutes even on a slow disk; stopping it only
# makes the next start begin again, so the limit is there for a server that hangs.
START_TIMEOUT_SECONDS = 1800.0
# A clean stop writes out shared_buffers.
STOP_TIMEOUT_SECONDS = 120.0
_PROGRESS_EVERY_SECONDS = 5.0
_POLL_SECONDS = 0.02
# Children of a killed server notice within moments that it is gone.
_CHILDREN_SECONDS = 30.0
# An owner that makes its first cluster has no server yet, for some seconds.
_OWNER_SECONDS = 60.0
_PORT = 5432
DATABASE = "reunite"

Durability = Literal["full", "fast"]


class PostgresServer:
    """The server of one data directory, ours or another process's.

    durability : "full" survives a power cut; "fast" is for tests and does not
    on_wait : called with the seconds waited so far while a start or recovery takes long
    """

    def __init__(
        self,
        data_directory: Path,
        *,
        durability: Durability = "full",
        start_timeout_seconds: float = START_TIMEOUT_SECONDS,
        stop_timeout_seconds: float = STOP_TIMEOUT_SECONDS,
        on_wait: Callable[[float], None] | None = None,
    ) -> None:
        self.data_directory = data_directory
        self._durability: Durability = durability
        self._start_timeout_seconds = start_timeout_seconds
        self._stop_timeout_seconds = stop_timeout_seconds
        self._on_wait = on_wait
        self._lock_descriptor: int | None = None
        self._postmaster: Postmaster | None = None
        self._watch: ProcessWatch | None = None
        # A forked child inherits this object and must not stop its parent's server.
        self._process_id = os.getpid()

    @property
    def owns(self) -> bool:
        """Whether closing this handle stops the server."""
        return self._lock_descriptor is not None and self._process_id == os.getpid()

    @property
    def is_running(self) -> bool:
        return self._watch is not None and not self._watch.has_ended()

    @property
    def process_id(self) -> int:
        """Number of the server's first process. Raises DatabaseNotStartedError."""
        return self._running().process_id

    @property
    def dsn(self) -> str:
        """Address of the application's database, for psycopg. Raises DatabaseNotStartedError."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Address of any database of this server. Raises DatabaseNotStartedError."""
        running = self._running()
        host = quote(str(running.socket_directory), safe="")
        return f"postgresql://{files.SUPERUSER}@/{quote(database)}?host={host}&port={running.port}"

    def start(self) -> Self:
        """Start the server, or take over one whose owner died.

        Raises DatabaseInUseError when a living process owns it, and the other errors of
        ``reunite.storage.server.errors`` for what prevents a start.
        """
        return self._open(may_attach=False)

    def attach_or_start(self) -> Self:
        """Use the running server of this data directory, or start it when there is none."""
        return self._open(may_attach=True)

    def stop(self) -> None:
        """Stop the server cleanly, whoever started it; every acknowledged row is on disk.

        Nothing happens when it is not running.
        """
        if self._process_id != os.getpid():
            return
        if self._watch is not None:
            # "Fast": open transactions are rolled back, everything else is written out.
            self._watch.send(signal.SIGINT)
            if not self._watch.wait(self._stop_timeout_seconds):
                _log.warning("database_stop_forced", after_seconds=self._stop_timeout_seconds)
                # "Immediate": nothing is lost, but the next start recovers from the journal.
                self._watch.send(signal.SIGQUIT)
                self._watch.wait(self._stop_timeout_seconds)
            self._wait_for_children()
        if self._postmaster is not None:
            # Empty now; one in /tmp would stay there for ever.
            with contextlib.suppress(OSError):
                self._postmaster.socket_directory.rmdir()
        self._release()

    def _wait_for_children(self) -> None:
        # The collector of the log outlives its master by a moment, and writes.
        cluster = files.resolve(self.data_directory) / "cluster"
        deadline = time.monotonic() + _CHILDREN_SECONDS
        while processes_in(cluster) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Stop the server if this handle owns it, and let go of it otherwise."""
        if self.owns:
            self.stop()
        elif self._process_id == os.getpid():
            self._release()

    def detach(self) -> None:
        """Let go of the server and leave it running, for the next process to take over."""
        self._release()

    def __enter__(self) -> Self:
        return self if self._watch is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _running(self) -> Postmaster:
        if self._postmaster is None:
            raise DatabaseNotStartedError(reason="not_running", directory=str(self.data_directory))
        return self._postmaster

    def _open(self, *, may_attach: bool) -> Self:
        if self.is_running:
            return self
        self._release()
        account = account_for(files.resolve(self.data_directory))
        home = files.make_home(self.data_directory, account)
        waited = _Wait(self._start_timeout_seconds, self._on_wait)
        try:
            while not self._take_lock(home):
                found = find_postmaster(home.cluster)
                if not may_attach:
                    _refuse(home, found)
                if found is not None and found.is_ready:
                    return self.hold(found)
                waited.tick(home, at_most_seconds=_OWNER_SECONDS if found is None else inf)
            self._own(home, waited)
        except BaseException:
            # Nobody would be left to stop what was started.
            self.close()
            raise
        return self

    def _own(self, home: files.Home, waited: "_Wait") -> None:
        while (found := find_postmaster(home.cluster)) is not None and not found.is_ready:
            # Left behind by a dead owner while it recovered, or while it stopped.
            waited.tick(home)
        if found is not None:
            self.hold(found)
            _log.info("database_taken_over", process_id=found.process_id)
        else:
            binaries = binaries_for(home.account)
            files.check_room(home)
            if not home.cluster.exists():
                files.create_cluster(home, binaries, self._durability)
            files.check_version(home, binaries)
            self._launch(home, binaries, waited)
        atexit.register(self.close)
        try:
            _ensure_database(self.dsn_of("postgres"), DATABASE)
        except psycopg.errors.DiskFull as error:
            raise files.disk_full(home, files.FREE_BYTES_FOR_NEW) from error
        except psycopg.OperationalError as error:
            raise DatabaseNotStartedError(
                reason="does_not_answer", directory=str(home.path), log=str(error).splitlines()
            ) from error

    def _launch(self, home: files.Home, binaries: Binaries, waited: "_Wait") -> None:
        limit_seconds = waited.seconds + _CHILDREN_SECONDS
        while left := processes_in(home.cluster):
            if waited.seconds > limit_seconds:
                raise DatabaseInUseError(directory=str(home.path), process_ids=left)
            waited.tick(home)
        files.write_settings(home, self._durability)
        sockets = files.socket_directory(home)
        remove_stale_files(home.cluster, sockets)
        mark = files.LogMark(home)
        # The shell starts it in the background and ends: the server is nobody's child, so it
        # is watched in one way only, whether this process started it or found it.
        command: list[str | Path] = [
            "/bin/sh",
            "-c",
            'log="$1"; shift; "$@" >"$log" 2>&1 </dev/null & echo $!',
            "sh",
            mark.start_file,
            binaries.postgres,
            "-D",
            home.cluster,
            "-p",
            str(_PORT),
            "-c",
            f"unix_socket_directories={_quoted(sockets)}",
        ]
        started = run_as(home.account, command)
        try:
            watch = ProcessWatch(int(started.stdout))
        except ValueError:
            raise mark.error("not_launched") from None
        self._watch = watch
        while True:
            found = find_postmaster(home.cluster)
            if found is not None and found.is_ready and found.process_id == watch.process_id:
                self._postmaster = found
                _log.info(
                    "database_started",
                    process_id=found.process_id,
                    after_seconds=round(waited.seconds, 2),
                )
                return
            if watch.has_ended():
                raise mark.error("ended_while_starting")
            try:
                waited.tick(home)
            except DatabaseNotStartedError:
                watch.send(signal.SIGQUIT)
                watch.wait(self._stop_timeout_seconds)
                raise mark.error("timeout") from None

    def hold(self, found: Postmaster) -> Self:
        """Hold on to a server that runs already, without owning it."""
        self._postmaster = found
        self._watch = ProcessWatch(found.process_id)
        return self

    def _take_lock(self, home: files.Home) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(home.lock, flags, 0o600)
        except OSError as error:
            raise files.unusable(home.path, error) from error
        try:
            if not home.account.is_us:
                os.fchown(descriptor, home.account.uid, home.account.gid)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._lock_descriptor = descriptor
        return True

    def _release(self) -> None:
        atexit.unregister(self.close)
        if self._watch is not None:
            self._watch.close()
        self._watch = self._postmaster = None
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None


class _Wait:
    """Time spent waiting for a server, told to the log and to whoever asked."""

    def __init__(self, timeout_seconds: float, on_wait: Callable[[float], None] | None) -> None:
        self._began = time.monotonic()
        self._timeout_seconds = timeout_seconds
        self._on_wait = on_wait
        self._told = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def tick(self, home: files.Home, *, at_most_seconds: float = inf) -> None:
        """Wait a moment. Raises DatabaseNotStartedError once the time is up."""
        time.sleep(_POLL_SECONDS)
        if self.seconds > min(self._timeout_seconds, at_most_seconds):
            raise DatabaseNotStartedError(
                reason="timeout", directory=str(home.path), after_seconds=round(self.seconds)
            )
        if self.seconds - self._told >= _PROGRESS_EVERY_SECONDS:
            self._told = self.seconds
            _log.info("database_waited_for", seconds=round(self.seconds))
            if self._on_wait is not None:
                self._on_wait(self.seconds)


def _refuse(home: files.Home, found: Postmaster | None) -> NoReturn:
    numbers = [found.process_id] if found else []
    raise DatabaseInUseError(directory=str(home.path), process_ids=numbers)


def _quoted(path: Path) -> str:
    # An item of a list, in which quotes keep a space.
    return f'"{path}"'


def find_running(data_directory: Path) -> PostgresServer | None:
    """A handle on the running server of the data directory, or None. It never owns it."""
    found = find_postmaster(files.resolve(data_directory) / "cluster")
    if found is None or not found.is_ready:
        return None
    return PostgresServer(data_directory).hold(found)


def attach_or_start(data_directory: Path, *, durability: Durability = "full") -> PostgresServer:
    """Use the running server of the data directory, or start it; see PostgresServer."""
    return PostgresServer(data_directory, durability=durability).attach_or_start()


def _ensure_database(maintenance_dsn: str, name: str) -> None:
    with psycopg.connect(maintenance_dsn, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                connection.execute(
                    psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
                )
