"""Another packaged model by configuration: one command, and everybody is found again."""

import os
from pathlib import Path

import pytest

from tests.photos import pairs
from tests.servers import Server, run_cli


def test_a_second_model_takes_over_by_configuration_and_one_command(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pairs()[:2]
    for pair in (first, second):
        (tmp_path / "newer" / pair.person).mkdir(parents=True)
        (tmp_path / "newer" / pair.person / "photo.jpg").write_bytes(pair.newer)
    older = tmp_path / "older.jpg"
    older.write_bytes(first.older)
    station = server.add_account("station", "officer")
    reviewer = server.add_account("reviewer", "reviewer")

    def reunite(*arguments: str) -> str:
        done = run_cli(server.data, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    reunite(
        "import-photos", str(tmp_path / "newer"), "--side", "found", "--module", "elder",
        "--as", station, "--verified-by", reviewer, "--publish",
        "--report", str(tmp_path / "report.csv"),
    )  # fmt: skip
    name = first.person.replace("-", " ")
    assert name in reunite("search", str(older), "--limit", "1")

    monkeypatch.setitem(os.environ, "REUNITE_EMBEDDER", "dlib-resnet")
    assert "dlib-resnet" in reunite("faces", "show")
    assert name not in reunite("search", str(older), "--limit", "1")
    assert "2 made" in reunite("faces", "re-embed")
    assert "2 already there" in reunite("faces", "re-embed")
    assert name in reunite("search", str(older), "--limit", "1")
