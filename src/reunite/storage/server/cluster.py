"""The files of one server: where they lie, how they are made, how it is configured.

A data directory holds ``cluster`` (PostgreSQL's own files), ``log`` and, where the path
is short enough, ``socket``.  All of it belongs to the account that runs the server.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from reunite.storage.server.account import (
    Account,
    can_reach,
    is_private,
    nameless_prefix,
    run_as,
)
from reunite.storage.server.binaries import Binaries, shared_root
from reunite.storage.server.errors import (
    DatabaseDirectoryNotWritableError,
    DatabaseDiskFullError,
    DatabaseError,
    DatabaseNotStartedError,
    DatabaseVersionMismatchError,
)

_log = structlog.get_logger(__name__)

SUPERUSER = "reunite"
DISK_FULL_TEXT = "No space left on device"

# A new cluster takes 40 MB, and the journal 80 MB before it is first recycled.
FREE_BYTES_FOR_NEW = 200 * 1024**2
JOURNAL_FILE_BYTES = 16 * 1024**2
# Recovery writes a checkpoint and at least one more journal file.
FREE_BYTES_TO_START = 48 * 1024**2

# The kernel takes 107 bytes; the longest name PostgreSQL makes there is ".s.PGSQL.5432.lock".
_SOCKET_PATH_BYTES = 107 - len("/.s.PGSQL.5432.lock")

_POINTER = "moved-to"
_OURS = ("cluster", "cluster.new-", "log", "socket", "owner.lock", _POINTER)

_SETTINGS_COMMON = {
    # Reached through the socket alone: no port is opened, not even on loopback.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "jit": "off",
    "random_page_cost": "1.1",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "min_wal_size": "80MB",
    # Seven files, one a weekday, each emptied when its day comes round again.
    "logging_collector": "on",
    "log_filename": "'postgresql-%a.log'",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "'%m [%p] %b '",
    # Nothing personal is written down: no statement, no parameter, and no error of a
    # statement, whose text and detail quote the row ("Key (email)=(...) already exists").
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_autovacuum_min_duration": "-1",
}
_SETTINGS = {
    "full": {
        "max_connections": "60",
        "shared_buffers": "256MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    },
    # For tests: fast, and worth nothing after a power cut.
    "fast": {
        "max_connections": "100",
        "shared_buffers": "128MB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # Copies of the template database are made inside the kernel.
        "file_copy_method": "clone",
    },
}
_INCLUDE = """
# Rewritten at each start by Reunite. Lines of your own below this one win over it.
include 'reunite.conf'
"""


@dataclass(frozen=True, slots=True)
class Home:
    """A data directory, as the account of its server sees it."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def lock(self) -> Path:
        return self.path / "owner.lock"


def resolve(data_directory: Path) -> Path:
    """Where the files of ``data_directory`` really are: itself, or the place it points to."""
    path = data_directory.expanduser().resolve()
    with contextlib.suppress(OSError):
        return Path((path / _POINTER).read_text().strip())
    return path


def make_home(data_directory: Path, account: Account) -> Home:
    """Make the data directory, or move it where the account of the server can reach it.

    Raises DatabaseDirectoryNotWritableError.
    """
    path = resolve(data_directory)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        foreign = [entry.name for entry in path.iterdir() if not entry.name.startswith(_OURS)]
        if foreign:
            # Its mode and owner are about to change: not for somebody else's files.
            raise _not_writable(path, not_empty=sorted(foreign)[:5])
        if not account.is_us and not (path / "cluster").exists():
            if not can_reach(account, path.parent):
                path = _move(path)
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    except OSError as error:
        raise unusable(path, error) from error
    owner = path.lstat().st_uid
    if owner != account.uid:
        raise _not_writable(path)
    if not is_private(path, account):
        path.chmod(0o700)
    if not os.access(path, os.W_OK | os.X_OK):
        raise _not_writable(path)
    return Home(path, account)


def _move(path: Path) -> Path:
    # Named at random and not after the path: a new clone at the place of a deleted one
    # must not find the old one's people in its database.
    moved = shared_root() / f"data-{secrets.token_hex(8)}"
    moved.mkdir(mode=0o700)
    pointer = path / _POINTER
    pointer.write_text(f"{moved}\n")
    _log.warning("database_directory_moved", asked=str(path), used=str(moved))
    return moved


def unusable(path: Path, error: OSError) -> DatabaseError:
    """What a failure of the file system under ``path`` means to a person."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DatabaseDiskFullError(directory=str(path), needed_bytes=FREE_BYTES_TO_START)
    return _not_writable(path)


def _not_writable(path: Path, **details: object) -> DatabaseDirectoryNotWritableError:
    owner: int | None = None
    with contextlib.suppress(OSError):
        owner = path.lstat().st_uid
    return DatabaseDirectoryNotWritableError(
        directory=str(path), owner=owner, uid=os.geteuid(), **details
    )


def check_version(home: Home, binaries: Binaries) -> None:
    """Raises DatabaseVersionMismatchError when another major version wrote the cluster."""
    try:
        found = (home.cluster / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise DatabaseNotStartedError(
            reason="not_a_cluster", directory=str(home.cluster)
        ) from error
    if found != str(binaries.major):
        raise DatabaseVersionMismatchError(
            directory=str(home.cluster), found=found, needed=str(binaries.major)
        )


def check_room(home: Home) -> None:
    """Raises DatabaseDiskFullError before PostgreSQL would stop half-way for want of room."""
    needed = FREE_BYTES_TO_START if home.cluster.exists() else FREE_BYTES_FOR_NEW
    free = shutil.disk_usage(home.path).free
    if free < needed:
        raise disk_full(home, needed)


def disk_full(home: Home, needed_bytes: int = FREE_BYTES_TO_START) -> DatabaseDiskFullError:
    return DatabaseDiskFullError(
        directory=str(home.path),
        free_bytes=shutil.disk_usage(home.path).free,
        needed_bytes=needed_bytes,
    )


def create_cluster(home: Home, binaries: Binaries, durability: Literal["full", "fast"]) -> None:
    """Make an empty cluster, all of it or nothing.

    Raises DatabaseDiskFullError, DatabaseAccountError, DatabaseNotStartedError.
    """
    for left_over in home.path.glob("cluster.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    # Under another name until it is whole: initdb writes PG_VERSION early, and a cluster cut
    # short by a kill would otherwise look like a finished one for ever.
    fresh = home.path / f"cluster.new-{secrets.token_hex(4)}"
    command: list[str | Path] = [
        *nameless_prefix(home.account),
        binaries.initdb,
        f"--pgdata={fresh}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        # Whoever gets into the socket's folder (mode 0700) is the account itself or root.
        "--auth=trust",
        "--data-checksums",
        "--no-instructions",
    ]
    if durability == "fast":
        command.append("--no-sync")
    done = run_as(home.account, command)
    if done.returncode == 0:
        _as_account(home, f"cat >> {_quote(fresh / 'postgresql.conf')}", text=_INCLUDE)
        fresh.rename(home.cluster)
        _log.info("database_cluster_created", directory=str(home.cluster))
        return
    shutil.rmtree(fresh, ignore_errors=True)
    if DISK_FULL_TEXT in done.stderr + done.stdout:
        raise disk_full(home, FREE_BYTES_FOR_NEW)
    raise DatabaseNotStartedError(
        reason="initdb_failed", log=(done.stdout + done.stderr).splitlines()[-20:]
    )


def write_settings(home: Home, durability: Literal["full", "fast"]) -> None:
    """Write the settings of this release, which an operator's own lines may overrule."""
    log_directory = str(home.log).replace("'", "''")
    settings = {**_SETTINGS_COMMON, **_SETTINGS[durability], "log_directory": f"'{log_directory}'"}
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    path = home.cluster / "reunite.conf"
    # Written by the account: root writing into a folder of another's could be led astray.
    _as_account(home, f"mkdir -p {_quote(home.log)} && cat > {_quote(path)}", text=lines)


def socket_directory(home: Home) -> Path:
    """A private folder for the socket, near the data unless its path is long or unusual.

    Raises DatabaseDirectoryNotWritableError.
    """
    near = home.path / "socket"
    # A comma in an address separates hosts, so a folder with one cannot be named there.
    if len(os.fsencode(near)) <= _SOCKET_PATH_BYTES and not set(',"') & set(str(near)):
        _as_account(home, f"mkdir -p {_quote(near)}")
        return near
    digest = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
    far = Path("/tmp") / f"reunite-{home.account.uid}-{digest}"  # noqa: S108 - short, and checked
    _as_account(home, f"mkdir -p {_quote(far)}")
    if is_private(far, home.account):
        return far
    # Somebody else took the name; any other will do, since the server says where it is.
    other = Path(tempfile.mkdtemp(prefix="reunite-", dir="/tmp"))  # 0700, our own
    os.chown(other, home.account.uid, home.account.gid)
    return other


def _as_account(home: Home, script: str, text: str = "") -> None:
    done = run_as(home.account, ["/bin/sh", "-c", script], text=text)
    if done.returncode != 0:
        if DISK_FULL_TEXT in done.stderr:
            raise disk_full(home)
        raise _not_writable(home.path)


def _quote(value: str | Path) -> str:
    return "'" + str(value).replace("'", "'\\''") + "'"


class LogMark:
    """Where the server's log stood before a start, to tell what the start wrote."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.start_file = home.log / "start.log"
        self._sizes = {path: _size(path) for path in home.log.glob("postgresql-*.log")}

    def lines(self, count: int = 20) -> list[str]:
        """The last lines written since, oldest first."""
        text = ""
        for path in [self.start_file, *sorted(self._home.log.glob("postgresql-*.log"))]:
            before = self._sizes.get(path, 0)
            with contextlib.suppress(OSError), path.open(errors="replace") as file:
                if path.stat().st_size >= before:
                    file.seek(before)
                text += file.read()
        return text.splitlines()[-count:]

    def error(self, reason: str) -> DatabaseDiskFullError | DatabaseNotStartedError:
        """The error that the log speaks of."""
        lines = self.lines()
        # On a disk that is full to the last byte, the log itself could not be written.
        no_room = shutil.disk_usage(self._home.path).free < JOURNAL_FILE_BYTES
        if no_room or any(DISK_FULL_TEXT in line for line in lines):
            return disk_full(self._home)
        return DatabaseNotStartedError(reason=reason, directory=str(self._home.path), log=lines)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
