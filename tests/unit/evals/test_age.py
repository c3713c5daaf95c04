"""Ages are fitted on one half and measured on the other; tables say what they claim to."""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.age.__main__ import main, summary
from evals.age.faces import capped, digest_digit, list_aged_photos
from evals.age.fit import fit
from reunite.faces.age import COVERAGE, log_of_years, read_age_weights
from reunite.kernel.people import Sex
from tests.photos import astronaut, grace_hopper

FEATURES = 12


def aged_folder(folder: Path, measured: int = 2) -> None:
    """Two women at ages that nobody claims are theirs, named as UTKFace names photos."""
    folder.mkdir(parents=True)
    made = {True: 0, False: 0}
    for number in range(100):
        age, picture = ((43, astronaut()), (78, grace_hopper()))[number % 2]
        name = f"{age}_1_0_2017{number:04d}.jpg"
        fits = digest_digit(name) in "01234567"
        if made[fits] < measured:
            made[fits] += 1
            (folder / name).write_bytes(picture)
    (folder / "61_3_20170109150557335.jpg").write_bytes(b"a name without a race, as some are")


def test_a_run_measures_the_half_that_nothing_was_fitted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aged_folder(tmp_path / "utkface")
    monkeypatch.setattr(sys, "argv", ["evals.age", "--data", str(tmp_path), "--json"])
    main()
    report = json.loads(capsys.readouterr().out)
    assert (report["photos"], report["faces"]) == (2, 2)
    assert report["nominal_coverage"] == COVERAGE
    assert sum(row["faces"] for row in report["bands"]) == 2
    assert 0 < report["mae"] < 60
    low, high = report["mae_ci95"]
    assert low <= report["mae"] <= high


def test_the_two_halves_are_apart_and_ages_are_read_from_names(tmp_path: Path) -> None:
    aged_folder(tmp_path / "faces", measured=3)
    halves = [list_aged_photos(tmp_path / "faces", fits=fits) for fits in (True, False)]
    assert [len(half) for half in halves] == [3, 3]
    assert not {p.path for p in halves[0]} & {p.path for p in halves[1]}
    for photo in halves[0] + halves[1]:
        assert (photo.sex, photo.race) == (Sex.FEMALE, 0)
        assert photo.age == int(photo.path.name[:2])
    assert len(capped(halves[0] + halves[1], 1)) == len({p.band for p in halves[0] + halves[1]})


def test_a_fit_finds_the_ages_and_its_interval_holds_them() -> None:
    rng = np.random.default_rng(3)
    direction = rng.standard_normal(FEATURES)
    ages = rng.integers(0, 90, 1200)
    logs = np.array([log_of_years(float(age)) for age in ages])
    # Along one direction the features say the age, with some noise; all others say nothing.
    features = rng.standard_normal((1200, FEATURES)) * 0.5
    told = logs + 0.15 * rng.standard_normal(1200)
    features += np.outer(told - features @ direction, direction) / (direction @ direction)
    rows = features.astype(np.float32)
    stored = BytesIO()
    np.savez(stored, **fit(rows[:800], ages[:800]))  # type: ignore[arg-type]
    estimates = read_age_weights(stored.getvalue()).estimates(rows[800:])
    true = ages[800:]
    report: dict[str, Any] = summary(
        true,
        *(np.array([getattr(one, name) for one in estimates]) for name in ("years", "low", "high")),
    )
    assert report["correlation"] > 0.9
    assert report["mae"] < 8
    assert abs(report["coverage"] - COVERAGE) < 0.06


def test_a_table_says_whose_age_an_interval_holds() -> None:
    true = np.array([1, 2, 40, 41])
    years = np.array([2.0, 2.0, 50.0, 41.0])
    report: dict[str, Any] = summary(true, years, years - 1, years + 1)
    rows = {(row["first"], row["last"]): row for row in report["bands"]}
    assert rows[0, 2]["mae"] == 0.5
    assert rows[0, 2]["coverage"] == 1.0
    assert rows[30, 44]["mae"] == 5.0
    assert rows[30, 44]["coverage"] == 0.5
    assert report["coverage"] == 0.75
    by_estimate = {row["first"]: row["faces"] for row in report["bands_by_estimate"]}
    assert (by_estimate[30], by_estimate[45]) == (1, 1)
