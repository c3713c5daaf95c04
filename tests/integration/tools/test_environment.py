"""Making .venv: on a fresh machine, after an interruption, after a move."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that needs no package, at an awkward path."""
    path = tmp_path / "a clone, of 重聚"
    (path / "src" / "reunite" / "cli").mkdir(parents=True)
    (path / "src" / "reunite" / "__init__.py").touch()
    (path / "src" / "reunite" / "cli" / "__init__.py").touch()
    (path / "src" / "reunite" / "cli" / "main.py").write_text(
        "import sys\ndef app(): print('ran', sys.argv)\n"
    )
    shutil.copytree(ROOT / "tools", path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", path)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (path / name).write_text("# nothing\n")
    return path


def make(clone: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(clone.parent), "PYTHON": sys.executable}
    return subprocess.run(
        ["make", "--no-print-directory", target],
        cwd=clone,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_make_alone_prints_help() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make run" in done.stdout
    assert "make test" in done.stdout


def test_is_made_once_and_again_when_it_must_be(clone: Path) -> None:
    first = make(clone, "environment-run")
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stderr
    command = [str(clone / ".venv" / "bin" / "reunite"), "x", "y z"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert ran.stdout == "ran ['reunite', 'x', 'y z']\n"

    again = make(clone, "environment-run")
    assert (again.returncode, again.stderr) == (0, "")

    # An installation was cut short.
    (clone / ".venv" / ".installing").touch()
    mended = make(clone, "environment-run")
    assert mended.returncode == 0, mended.stderr
    assert "Making .venv" in mended.stderr

    # The lock file changed.
    (clone / "requirements.lock").write_text("# something else\n")
    changed = make(clone, "environment-run")
    assert changed.returncode == 0, changed.stderr
    assert "Installing" in changed.stderr
    assert "Making .venv" not in changed.stderr

    # The clone moved: scripts in .venv name the old place.
    moved = clone.rename(clone.with_name("moved"))
    done = make(moved, "environment-run")
    assert done.returncode == 0, done.stderr
    assert "Making .venv" in done.stderr


def test_a_package_that_cannot_be_had_is_an_error_with_its_log(clone: Path) -> None:
    digest = "0" * 64
    (clone / "requirements.lock").write_text(f"no-such-package==1 --hash=sha256:{digest}\n")
    done = make(clone, "environment-run", PIP_NO_INDEX="1")
    assert done.returncode != 0
    assert "no-such-package" in done.stderr
    assert "install.log" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("version", ["3.9", "3.14"])
def test_an_unsupported_python_is_named(clone: Path, version: str) -> None:
    programs = clone.parent / "programs"
    programs.mkdir()
    for name in ("sh", "make", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    fake = programs / "python3"
    fake.write_text(f"#!/bin/sh\necho {version}\n")
    fake.chmod(0o755)
    done = make(clone, "environment-run", PATH=str(programs), PYTHON="")
    assert done.returncode != 0
    assert f"found: python3 ({version})" in done.stderr
    assert "apt install python3" in done.stderr
