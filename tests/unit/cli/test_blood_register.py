"""``reunite blood import`` and ``export``: whole or not at all, reported row by row."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reunite.accounts.account import Role
from reunite.app.bootstrap import Config
from reunite.app.services import Services
from reunite.cli import blood_register
from reunite.cli.main import app
from tests.unit.app.test_import_donors import FILE
from tests.unit.app.world import World

CENTRE = "杭州血液中心"
NOTE = "A recruitment suggestion for a blood centre, never transfusion advice."


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()

    @contextmanager
    def opened() -> Iterator[tuple[Config, Services]]:
        yield Config(Path("/nowhere")), world.services

    monkeypatch.setattr(blood_register, "opened", opened)
    return world


@pytest.fixture
def officer(world: World) -> str:
    """The address of somebody who acts for a verified centre."""
    with world.database.transaction() as transaction:
        email = transaction.accounts.get(world.actor(Role.OFFICER).account_id).email
    assert run("centre", "add", CENTRE, "--verified").exit_code == 0
    assert run("centre", "member", email, CENTRE).exit_code == 0
    return email


def run(*arguments: str) -> Result:
    told = ["blood", *arguments]
    return CliRunner().invoke(app, told, env={"LC_ALL": "en", "COLUMNS": "200"})


def test_in_and_out(world: World, officer: str, tmp_path: Path) -> None:
    file, back = tmp_path / "donors.csv", tmp_path / "back.xlsx"
    file.write_text(FILE, encoding="gbk")
    tried = run("import", str(file), "--as", officer, "--agreed", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert NOTE in tried.output
    assert "Nothing was written: a dry run." in tried.output
    brought = json.loads(run("import", str(file), "--as", officer, "--agreed", "--json").stdout)
    assert (brought["written"], brought["counts"]["new"]) == (True, 2)
    assert brought["note"] == NOTE
    assert run("export", str(back), "--as", officer).exit_code == 0
    again = json.loads(run("import", str(back), "--as", officer, "--json").stdout)
    assert again["counts"]["unchanged"] == 2
    assert officer in run("centre", "list").output
    with world.database.transaction() as transaction:
        assert transaction.donors.count() == 2


def test_a_row_at_fault_keeps_the_others_out(world: World, officer: str, tmp_path: Path) -> None:
    file, report = tmp_path / "donors.csv", tmp_path / "report.csv"
    file.write_text(FILE + "D3,=2+2,,,,,,,\n", encoding="gbk")
    stands = run("import", str(file), "--as", officer, "--report", str(report))
    assert stands.exit_code == 1
    assert "4, type, “=2+2”" in stands.output
    with report.open(encoding="utf-8-sig") as text:
        [_, _, bad] = csv.DictReader(text)
    assert (bad["row"], bad["outcome"], bad["got"]) == ("4", "refused", "'=2+2")
    with world.database.transaction() as transaction:
        assert transaction.donors.count() == 0
    assert run("import", str(file), "--as", officer, "--skip-faulty").exit_code == 0
    with world.database.transaction() as transaction:
        assert transaction.donors.count() == 2


def test_mistakes_are_sentences(officer: str, tmp_path: Path) -> None:
    missing = run("import", str(tmp_path / "nothing.csv"), "--as", officer)
    assert (missing.exit_code, "There is no file" in missing.output) == (1, True)
    wrong = run("export", str(tmp_path / "donors.pdf"), "--as", officer)
    assert (wrong.exit_code, ".csv or .xlsx" in wrong.output) == (1, True)
    nobody = run("centre", "verify", "Nowhere")
    assert (nobody.exit_code, "no blood centre of this name" in nobody.output) == (1, True)
    assert run("centre", "verify", CENTRE, "--suspend").exit_code == 0
    refused = run("export", str(tmp_path / "donors.csv"), "--as", officer)
    assert (refused.exit_code, "not been verified" in refused.output) == (1, True)
