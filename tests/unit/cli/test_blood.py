"""``reunite blood match``: a list, its reasons, and nothing half-read."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reunite.cli.main import app

DONORS = """id,type,lat,lon,last donation,confirmed
near,Oh RhD+,30.3,120.2,,yes
far,孟买型 Rh阳性,33.0,120.2,,yes
tired,Oh RhD+,30.3,120.2,2026-03-01,yes
plain,O+,30.3,120.2,,yes
"""
NOTE = "A recruitment suggestion for a blood centre, never transfusion advice."


@pytest.fixture
def donors(tmp_path: Path) -> Path:
    path = tmp_path / "donors.csv"
    path.write_text(DONORS, encoding="gbk")
    return path


def run(donors: Path, *options: str, language: str = "en") -> Result:
    told = ["blood", "match", "--donors", str(donors), "--on", "2026-03-15", *options]
    return CliRunner().invoke(app, told, env={"LC_ALL": language, "COLUMNS": "200"})


def test_a_bombay_patient(donors: Path) -> None:
    result = run(donors, "--patient", "Oh Rh+", "--at", "30.27,120.15", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["note"] == NOTE
    assert [one["donor"] for one in told["donors"]] == ["near", "far"]
    assert told["donors"][1]["distance_km"] == pytest.approx(304, abs=1)
    assert told["counts"]["deferred"] == 1
    assert told["counts"]["excluded"] == 1
    reasons = told["donors"][0]["reasons"]
    assert "Donor and patient are both Bombay (Oh)." in [reason["text"] for reason in reasons]
    assert all(reason["sources"] for reason in reasons)


@pytest.mark.parametrize(
    ("language", "note"),
    [("en", NOTE), ("zh_CN.UTF-8", "这是给血液中心的招募建议，绝不是输血建议。")],
)
def test_the_note_is_on_every_output(donors: Path, language: str, note: str) -> None:
    result = run(donors, "--patient", "O Rh+", "--limit", "2", language=language)
    assert result.exit_code == 0, result.output
    assert result.output.count(note) == 2
    assert "plain" in result.output


def test_whom_typing_would_be_worth_it_for(donors: Path) -> None:
    asked = ("--patient", "O+ anti-K", "--json")
    assert json.loads(run(donors, *asked).stdout)["donors"] == []
    told = json.loads(run(donors, *asked, "--typing").stdout)
    assert told["donors"][0]["grade"] == "needs_typing"
    assert told["donors"][0]["distance_km"] is None


def test_faulty_rows_stop_everything(donors: Path, tmp_path: Path) -> None:
    donors.write_text(DONORS + "=1,Bomby,,,,\n,,,,,\nx,O A,,,,\n", encoding="utf-16")
    report = tmp_path / "report.csv"
    result = run(donors, "--patient", "Oh Rh+", "--report", str(report))
    assert result.exit_code == 1
    assert "2 of 6 rows cannot be used" in result.output
    assert "Did you mean Bombay?" in result.output
    assert "near" not in result.output
    lines = report.read_text("utf-8-sig").splitlines()
    assert lines[0] == "row,column,got,code,problem"
    assert len(lines) == 3
    going_on = run(donors, "--patient", "Oh Rh+", "--skip-faulty", "--json")
    assert len(json.loads(going_on.stdout)["donors"]) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--patient", "AB anti-A"), "their own red cells carry this"),
        (("--patient", "Bomby"), "Did you mean Bombay?"),
        (("--patient", "O+", "--policy", "mars"), "Please choose one of the answers offered."),
        (("--patient", "O+", "--rules", "mars"), "deferral rules mars cannot be read"),
        (("--patient", "O+", "--on", "soon"), "This is not a date."),
        (("--patient", "O+", "--at", "here"), "These are not coordinates."),
        (("--patient", "O+", "--report", "/nowhere/report.csv"), "cannot be written"),
    ],
)
def test_mistakes_are_sentences(donors: Path, options: tuple[str, ...], said: str) -> None:
    result = run(donors, *options)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_stock_comes_before_donors(donors: Path, tmp_path: Path) -> None:
    stock = tmp_path / "stock.csv"
    stock.write_text(
        "unit,type,expires on,centre\nU1,Oh RhD+,2026-03-20,Hangzhou\nU2,O+,2026-03-20,\n"
    )
    asked = ("--patient", "Oh Rh+", "--stock", str(stock))
    told = json.loads(run(donors, *asked, "--json").stdout)
    assert [unit["unit"] for unit in told["stock"]] == ["U1"]
    shown = run(donors, *asked).output
    assert shown.index("U1") < shown.index("near")
    stock.write_text("unit,type,expires on\nU1,Bomby,2026-03-20\n")
    assert "1 of 1 rows cannot be used" in run(donors, *asked).output
    assert json.loads(run(donors, *asked, "--skip-faulty", "--json").stdout)["stock"] == []
    stock.unlink()
    assert run(donors, *asked).exit_code == 1


def test_no_such_file(tmp_path: Path) -> None:
    assert run(tmp_path / "none.csv", "--patient", "O+").exit_code == 1


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("id,type\n" + "".join(f"{n},?\n" for n in range(300)))
    result = run(path, "--patient", "O+")
    assert "+280" in result.output
