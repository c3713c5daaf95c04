"""The command line as a whole: help, mistakes, reports, checks."""

import csv
import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reunite.app.bootstrap import Config
from reunite.app.import_photos import ImportProgress, ImportReport
from reunite.cli import context, importing, users
from reunite.cli.doctor import State, check_disk, check_models, check_python
from reunite.cli.importing import write_report
from reunite.cli.main import app
from reunite.kernel.languages import Language

COMMANDS = [
    [],
    ["run"],
    ["serve"],
    ["worker"],
    ["import-photos"],
    ["search"],
    ["demo"],
    ["doctor"],
    ["db"],
    ["user"],
    ["user", "add"],
    ["gallery"],
    ["alert"],
    ["alert", "simulate"],
    ["blood"],
    ["blood", "match"],
    ["blood", "import"],
    ["blood", "export"],
    ["blood", "centre", "add"],
    ["partners"],
    ["partners", "key", "add"],
    ["partners", "repository", "add"],
    ["partners", "webhook", "add"],
    ["partners", "export"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.startswith("reunite ")


def test_an_error_is_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["search", str(tmp_path / "nothing.jpg")])
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_publishing_an_import_needs_somebody_who_answers_for_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["import-photos", str(tmp_path), "--side", "found", "--module", "child", "--publish"],
    )
    assert result.exit_code == 2
    assert "--verified-by" in result.output


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "opened", interrupted)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == context.INTERRUPTED
    assert result.output == ""


def test_a_signal_to_end_unwinds_like_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), context.stopping_on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_passwords() -> None:
    assert len(users.read_password(from_stdin=False, generate=True)) >= 12
    first, second = (users.read_password(from_stdin=False, generate=True) for _ in range(2))
    assert first != second


def test_the_report_of_an_import_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "terminal_language", lambda: Language.EN)
    outcomes = [
        ("a.jpg", "imported", "7K3M9QX2TB"),
        ("b.jpg", "refused", "photo_no_face (photo)"),
        ("=cmd.jpg", "refused", "file_unreadable: Permission denied"),
    ]
    path = tmp_path / "report.csv"
    write_report(ImportReport(ImportProgress(3, 3, 1, 0, 2, 0, 1.0), outcomes), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["photo"] for row in rows] == ["a.jpg", "b.jpg", "'=cmd.jpg"]
    assert rows[0]["message"] == ""
    assert "face" in rows[1]["message"]


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 1), State.BAD), ((3, 11, 0), State.GOOD), ((3, 14, 0), State.DOUBTFUL)],
)
def test_the_doctor_looks_at_python(version: tuple[int, ...], state: State) -> None:
    finding = check_python(version)
    assert finding.state is state
    assert bool(finding.remedy) is (state is not State.GOOD)


@pytest.mark.parametrize(
    ("free_bytes", "state"),
    [(10**8, State.BAD), (10**9, State.DOUBTFUL), (10**11, State.GOOD)],
)
def test_the_doctor_looks_at_the_disk(tmp_path: Path, free_bytes: int, state: State) -> None:
    assert check_disk(tmp_path / "not" / "there", free_bytes).state is state


def test_the_doctor_looks_at_the_models(tmp_path: Path) -> None:
    good = list(check_models(Config(tmp_path)))
    assert {finding.state for finding in good} == {State.GOOD}
    models = tmp_path / "models.toml"
    models.write_text("default_embedder = 3")
    (bad,) = check_models(Config(tmp_path, models_file=models))
    assert bad.state is State.BAD
    assert bad.remedy
