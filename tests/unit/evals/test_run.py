"""A whole run on a folder of a dozen invented people, with a tiny network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from evals.faces.__main__ import main
from evals.faces.baseline import LinearDiscriminant
from evals.faces.layouts import is_sealed
from tests.unit.faces.networks import registry_file

DEV_PEOPLE = 24


def draw_people(folder: Path, *, sealed: int = 4) -> None:
    """Patterns that stand for people; each "ages" by a change common to all."""
    rng = np.random.default_rng(5)
    ageing = rng.standard_normal((8, 8, 3)) * 60
    made = {True: 0, False: 0}
    for number in range(200):
        name = f"person_{number}"
        wanted = sealed if is_sealed(name) else DEV_PEOPLE
        if made[is_sealed(name)] == wanted:
            continue
        made[is_sealed(name)] += 1
        own = rng.uniform(70, 185, (8, 8, 3))
        for photo in range(4):
            young = photo < 2
            cells = own + (ageing if young else 0) + rng.standard_normal((8, 8, 3)) * 12
            picture = cv2.resize(np.clip(cells, 0, 255).astype(np.uint8), (112, 112))
            path = folder / name / ("y" if young else "") / f"{photo}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    draw_people(tmp_path / "drawn")
    models = registry_file(tmp_path / "models")
    return [
        *("--data", str(tmp_path / "drawn"), "--models", str(models), "--json"),
        *("--cache", str(tmp_path / "cache"), "--draws", "20", "--no-estimate-ages"),
    ]


def test_a_run_tells_what_was_asked_and_of_whom(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*options, "--write", "--results", str(tmp_path / "results")])
    report = json.loads(capsys.readouterr().out)
    assert report["split"] == "dev"
    assert report["identities"] == DEV_PEOPLE
    for key in ("rank1", "rank50", "tpr_at_fpr_1e3"):
        low, high = report[f"{key}_ci95"]
        assert low <= report[key] <= high
        assert 0 <= report[f"baseline_{key}"] <= 1
        assert len(report[f"baseline_{key}_ci95"]) == 2
    # Removing what ageing does to everybody finds people whom nobody was fitted on.
    assert report["methods"]["baseline"]["rank1"] > report["methods"]["raw"]["rank1"]
    written = json.loads((tmp_path / "results" / "faces-drawn-dev.json").read_text())
    assert written == report
    assert (tmp_path / "results" / "faces-drawn-dev.png").stat().st_size > 10_000


def test_the_sealed_split_has_everybody_else(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*options, "--split", "sealed"])
    report = json.loads(capsys.readouterr().out)
    assert (report["split"], report["identities"]) == ("sealed", 4)


def test_strangers_make_it_harder_and_nobody_among_them_is_searched_for(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = tmp_path / "crowd"
    rng = np.random.default_rng(6)
    for number in range(30):
        path = crowd / f"Other_{number}" / f"Other_{number}_0001.jpg"
        path.parent.mkdir(parents=True)
        cells = rng.uniform(70, 185, (8, 8, 3)).astype(np.uint8)
        cv2.imwrite(str(path), cv2.resize(cells, (112, 112)))
    main([*options, "--distractors", str(crowd), "--most-distractors", "20"])
    report = json.loads(capsys.readouterr().out)
    crowded = report["with_distractors"]
    assert crowded["strangers"] == 20
    assert crowded["methods"]["raw"]["rank1"] < report["methods"]["raw"]["rank1"]


def test_the_yardstick_ignores_what_ageing_does_to_everybody() -> None:
    rng = np.random.default_rng(1)
    own = np.repeat(rng.standard_normal((60, 16)), 4, axis=0)
    young = np.tile([True, True, False, False], 60)
    rows = own + 0.4 * rng.standard_normal(own.shape) + np.where(young, 3.0, 0.0)[:, None]
    ids = np.repeat(np.arange(60), 4)
    fitted = LinearDiscriminant(rows[:120].astype(np.float32), ids[:120], young[:120])
    templates = fitted(rows[120:].astype(np.float32), young[120:])
    scores = templates[young[120:]] @ templates[~young[120:]].T
    same = ids[120:][young[120:]][:, None] == ids[120:][~young[120:]]
    assert np.median(scores[same]) > 0.6
    assert abs(float(np.median(scores[~same]))) < 0.1
