"""Under which account of the system PostgreSQL runs.

An ordinary user runs it as themselves.  Root cannot: PostgreSQL refuses, because a
hole in it would be a hole in the machine.  So root lends it an unprivileged account
that already exists, and nothing is ever added to the system's list of accounts.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reunite.storage.server.errors import DatabaseAccountError

ACCOUNT_VARIABLE = "REUNITE_POSTGRES_USER"
_FALLBACK_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the operating system, which need not have a name."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def has_name(self) -> bool:
        """Whether the system lists it; a container may run under a number nobody listed."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return False
        return True


def account_for(home: Path) -> Account:
    """The account to run the server of ``home`` under.

    Raises DatabaseAccountError when root finds no unprivileged account to lend.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    # What an ordinary user began, root continues as that user: handing the files to
    # another account would lock the user out of their own data.
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        owner = (home / "cluster").lstat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    chosen = os.environ.get(ACCOUNT_VARIABLE)
    for name in (chosen,) if chosen else _FALLBACK_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise DatabaseAccountError(variable=ACCOUNT_VARIABLE, tried=chosen or list(_FALLBACK_ACCOUNTS))


def clean_environment() -> dict[str, str]:
    """Variables for PostgreSQL's programs, without the caller's PGDATA, PGPORT and the like."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def run_as(
    account: Account,
    command: Sequence[str | Path],
    *,
    text: str = "",
    extra_environment: Mapping[str, str] | None = None,
    timeout_seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one program under the account with ``text`` as its input, and wait for it.

    A session of its own keeps Ctrl-C on the terminal from reaching it.  The umask makes
    everything it creates private.
    """
    others = not account.is_us
    return subprocess.run(
        [str(part) for part in command],
        input=text,
        text=True,
        capture_output=True,
        check=False,
        cwd="/",  # ours may be out of the account's reach
        env={**clean_environment(), **(extra_environment or {})},
        user=account.uid if others else None,
        group=account.gid if others else None,
        extra_groups=[] if others else None,
        start_new_session=True,
        umask=0o077,
        timeout=timeout_seconds,
    )


def can_reach(account: Account, directory: Path) -> bool:
    """Whether the account may pass through every folder down to ``directory``."""
    if account.is_us:
        return os.access(directory, os.X_OK)
    try:
        return run_as(account, ["test", "-x", directory]).returncode == 0
    except OSError:
        return False


def nameless_prefix(account: Account) -> list[str]:
    """Words to put before ``initdb`` so that it runs under an account without a name.

    initdb looks its account up and gives up when the system does not list it.  A user
    namespace shows it a listed account and leaves the files with the real one.
    Raises DatabaseAccountError where the system has no such namespaces.
    """
    if account.has_name:
        return []
    unshare = shutil.which("unshare")
    if unshare is not None:
        for name in reversed(_FALLBACK_ACCOUNTS):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            prefix = [
                unshare,
                f"--map-user={entry.pw_uid}",
                f"--map-group={entry.pw_gid}",
                "--",
            ]
            if run_as(account, [*prefix, "true"]).returncode == 0:
                return prefix
    raise DatabaseAccountError(uid=account.uid)


def is_private(path: Path, account: Account) -> bool:
    """Whether ``path`` is a real folder of the account's that nobody else may enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == account.uid
        and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )
