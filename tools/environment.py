"""Make .venv from the lock files: ``environment.py run`` or ``environment.py full``.

Uses the standard library alone, since nothing else is there yet.  Does nothing when the
environment is as the lock file says, and starts it anew when an installation was cut
short: pip takes half a package for a whole one.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNDER_WAY = VENV / ".installing"
LOG = VENV / "install.log"
# The second holds everything of the first, and the tools of developers.
LOCKS = {"run": "requirements.lock", "full": "requirements-dev.lock"}

# Settings of pip that would put packages elsewhere than asked.
_UNWANTED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONPATH", "PYTHONHOME")

# The package is used from src as it stands, so it needs neither a build nor its tools.
_COMMAND = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/python" -P -c \\
    'import sys; sys.argv[0] = "reunite"; from reunite.cli.main import app; app()' "$@"
"""


class SetupError(Exception):
    """What to tell whoever typed the command."""


def main(kind: str) -> None:
    """Bring .venv to what the lock file of ``kind`` says."""
    if is_current(kind):
        return
    try:
        VENV.mkdir(exist_ok=True)
        with alone():
            # Another make may have done it while this one waited.
            if not is_current(kind):
                install(kind)
    except PermissionError as error:
        message = (
            f"{error.filename} belongs to somebody else: remove .venv, or clone to a place of yours"
        )
        raise SetupError(message) from error
    except OSError as error:
        message = f"The environment could not be made in {VENV}: {error}"
        raise SetupError(message) from error


def is_current(kind: str) -> bool:
    """Whether .venv holds at least what ``kind`` asks for."""
    kinds = ("full",) if kind == "full" else ("run", "full")
    return not (UNDER_WAY.exists() or is_other_python()) and any(
        read(VENV / f".installed-{one}") == wanted(one) for one in kinds
    )


def is_other_python() -> bool:
    """Whether a Python was named that .venv is not made with."""
    ours = ".".join(platform.python_version_tuple()[:2])
    return bool(os.environ.get("PYTHON")) and not venv_version().startswith(f"{ours}.")


def wanted(kind: str) -> str:
    """What must be the same for an environment to be taken as it is."""
    lock = hashlib.sha256((ROOT / LOCKS[kind]).read_bytes()).hexdigest()
    # Scripts in .venv carry its path; packages fit one version of Python on one machine.
    return f"{lock} {VENV} {platform.machine()} {venv_version()}"


def venv_version() -> str:
    """The version of Python in .venv, without starting it; empty when there is none."""
    for line in read(VENV / "pyvenv.cfg").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "version" and PYTHON.exists():
            return value.strip()
    return ""


def install(kind: str) -> None:
    began = time.monotonic()
    moved = any(
        (stamp := read(VENV / f".installed-{one}")) and f" {VENV} " not in stamp for one in LOCKS
    )
    if UNDER_WAY.exists() or moved or is_other_python() or not works(PYTHON):
        make_venv()
    UNDER_WAY.touch()
    for one in LOCKS:
        (VENV / f".installed-{one}").unlink(missing_ok=True)
    install_packages(ROOT / LOCKS[kind])
    link_package()
    (VENV / f".installed-{kind}").write_text(wanted(kind))
    UNDER_WAY.unlink()
    say(f"Environment ready in {time.monotonic() - began:.0f} s.\n")


def make_venv() -> None:
    say(f"Making .venv with Python {platform.python_version()} ...\n")
    for entry in VENV.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # In a marked state from the first file on.
    UNDER_WAY.touch()
    base = base_python()
    command = [base, "-m", "venv", str(VENV)]
    if can(base, "import venv, ensurepip; ensurepip.version()"):
        check(run(command), "venv")
    elif can(base, "import venv, pip; pip.__version__"):
        # Debian without python3-venv: its own pip can install into an empty environment.
        check(run([*command, "--without-pip"]), "venv")
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        message = (
            f"{base} cannot make a virtual environment.\n"
            f"Debian, Ubuntu:  apt install python3-venv   (or python{version}-venv)\n"
            "Or name another Python:  make run PYTHON=/path/to/python3.12"
        )
        raise SetupError(message)


def base_python() -> str:
    """The Python that environments are made with, also when .venv's own runs this."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (
        Path(sys.base_prefix) / "bin" / version,
        getattr(sys, "_base_executable", ""),
    ):
        if candidate and Path(candidate).exists():
            return str(candidate)
    return sys.executable


# Developers' packages that are published as source alone; of Python, so no compiler either.
PURE_PYTHON_SOURCES = "http-ece,pinyin"


def install_packages(lock: Path) -> None:
    names = [line.split("==")[0] for line in lock.read_text().splitlines() if line[:1].isalnum()]
    say(f"Installing about {len(names)} packages from {lock.name} ...\n")
    pip = [str(PYTHON), "-m", "pip"]
    if not can(str(PYTHON), "import pip"):
        pip = [base_python(), "-m", "pip", "--python", str(PYTHON)]
    command = [
        *pip,
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--require-hashes",
        # No compiler is asked for: a missing wheel is an error, not a build.
        "--only-binary=:all:",
        f"--no-binary={PURE_PYTHON_SOURCES}",
        f"--requirement={lock}",
    ]
    with LOG.open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
        )
        assert process.stdout is not None  # noqa: S101 - for the type checker
        collected = 0
        for line in process.stdout:
            log.write(line)
            if line.startswith("Collecting "):
                collected += 1
                tell_progress(f"{collected}/{len(names)} {line.split()[1].split('==')[0]}")
            elif line.startswith("Installing collected"):
                tell_progress("unpacking")
        tell_progress("")
    check(process.wait(), "pip")


def link_package() -> None:
    """Let Python find the package in src, and make its command."""
    version = ".".join(read(VENV / "pyvenv.cfg").partition("version = ")[2].split(".")[:2])
    packages = VENV / "lib" / f"python{version}" / "site-packages"
    # Relative to its own folder, so any letters may stand in the path of the clone.
    (packages / "reunite.pth").write_text("../../../../src\n")
    command = VENV / "bin" / "reunite"
    command.write_text(_COMMAND)
    command.chmod(0o755)


def works(python: Path) -> bool:
    return python.exists() and can(str(python), "import encodings")


def can(python: str, source: str) -> bool:
    return run([python, "-c", source], quiet=True) == 0


def run(command: list[str], *, quiet: bool = False) -> int:
    try:
        if quiet:
            done = subprocess.run(command, capture_output=True, check=False, env=environment())
        else:
            with LOG.open("a") as log:
                done = subprocess.run(
                    command, stdout=log, stderr=log, check=False, env=environment()
                )
    except OSError:
        return 127
    return done.returncode


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    return {**kept, "PYTHONNOUSERSITE": "1", "PIP_REQUIRE_VIRTUALENV": "0"}


def check(code: int, what: str) -> None:
    if code == 0:
        return
    lines = [line for line in read(LOG).splitlines() if not line.startswith("WARNING")]
    tail = "\n".join(f"  {line}" for line in lines[-15:])
    message = f"{what} failed:\n{tail}\nAll of it: {LOG}. Run the same command again to retry."
    raise SetupError(message)


def read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time change the environment."""
    with (VENV / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that makes the environment ...\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def tell_progress(text: str) -> None:
    if sys.stderr.isatty():
        say(f"\r\033[K{text[:70]}")


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["full"]):
        sys.exit("usage: environment.py run|full")
    try:
        main(sys.argv[1])
    except SetupError as failed:
        sys.exit(str(failed))
    except KeyboardInterrupt:
        sys.exit(130)
