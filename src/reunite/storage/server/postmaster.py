"""Is a PostgreSQL running on these files, and how to tell it to stop.

PostgreSQL leaves ``postmaster.pid`` in its cluster.  After a crash the file stays, and
the number in it may since belong to an unrelated process, so it is never believed
alone: the process must also be a ``postgres`` that works in this very folder.
"""

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.05
_SOCKET_LINE = 4
_PORT_LINE = 3
_STATUS_LINE = 7


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a running server says about itself."""

    process_id: int
    socket_directory: Path
    port: int
    is_ready: bool


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The live server of the cluster, or None when there is none (a stale file included)."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        process_id = int(lines[0])
    except (OSError, IndexError, ValueError):
        return None
    if len(lines) <= _SOCKET_LINE:
        # The first moments of a start: no socket yet.
        socket_directory, port = Path(), 0
    else:
        socket_directory, port = Path(lines[_SOCKET_LINE].strip()), int(lines[_PORT_LINE])
    if not (works_in(process_id, cluster) or _answers(socket_directory, port)):
        return None
    status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""
    return Postmaster(process_id, socket_directory, port, is_ready=status == "ready")


def works_in(process_id: int, cluster: Path) -> bool:
    """Whether that process is a PostgreSQL of this cluster."""
    process = Path("/proc") / str(process_id)
    if not Path("/proc/self/cwd").exists():
        # No /proc (macOS): all that can be asked is whether the number is taken.
        return is_alive(process_id)
    try:
        # Every process of a server changes into its cluster. A zombie has no cwd.
        name = (process / "comm").read_text().strip()
        return name == "postgres" and (process / "cwd").samefile(cluster)
    except OSError:
        return False


def processes_in(cluster: Path) -> list[int]:
    """Every process of PostgreSQL still at work in the cluster, its master or not."""
    with contextlib.suppress(OSError):
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return sorted(number for number in numbers if works_in(number, cluster))
    return []


def remove_stale_files(cluster: Path, socket_directory: Path) -> None:
    """Drop what a dead server left where PostgreSQL would take it for a living one.

    It asks only whether the number in a file is taken.  That may be by an unrelated
    process, or by the dead server itself: in a container nobody may collect the dead.
    Call it only while no process works in the cluster and none can be started in it.
    """
    path = cluster / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError):
        try:
            taken = is_alive(int(path.read_text().splitlines()[0]))
        except (IndexError, ValueError):
            # Cut short by a crash or a full disk: PostgreSQL refuses to start on it.
            taken = True
        # Otherwise the file stays: PostgreSQL finds in it whether shared memory is still held.
        if taken:
            path.unlink()
            _log.info("database_stale_file_removed", path=str(path))
    for left_over in socket_directory.glob(".s.PGSQL.*"):
        left_over.unlink(missing_ok=True)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class ProcessWatch:
    """Hold on one process that survives the reuse of its number."""

    def __init__(self, process_id: int) -> None:
        self.process_id = process_id
        self._descriptor: int | None = None
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._descriptor = os.pidfd_open(process_id)
            self._gone = self._descriptor is None and not is_alive(process_id)
        else:
            self._gone = not is_alive(process_id)

    def has_ended(self) -> bool:
        return self.wait(0)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for its end; True once it has ended."""
        if self._gone:
            return True
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            self._gone = bool(poll.poll(max(0, round(timeout_seconds * 1000))))
            return self._gone
        deadline = time.monotonic() + timeout_seconds
        while is_alive(self.process_id):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        self._gone = True
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended already."""
        if self.has_ended():
            return
        with contextlib.suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            else:
                os.kill(self.process_id, number)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._gone = True


def _answers(socket_directory: Path, port: int) -> bool:
    """Whether something listens there: a server in another container has no number here."""
    if not port:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        probe.connect(str(socket_directory / f".s.PGSQL.{port}"))
        return True
    return False
