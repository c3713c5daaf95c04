"""Estimated ages against true ones, on the half that nothing was fitted on.

``python -m evals.age --data DIR --json``: mean absolute error by band of true age, and how
often the interval holds the true age, by band of true and of estimated age (the latter is
what a reader of the interval relies on).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.age.faces import (
    AGE_BANDS,
    capped,
    digest_digit,
    find_utkface,
    iter_chips,
    list_aged_photos,
)
from reunite.faces.age import COVERAGE, AgeEstimator
from reunite.faces.detection import YunetDetector
from reunite.faces.registry import SFACE, YUNET

RESAMPLES = 1000


def measure(data: Path, per_band: int | None) -> dict[str, Any]:
    photos = capped(list_aged_photos(find_utkface(data), fits=False), per_band)
    assert all(digest_digit(p.path.name) in "89abcdef" for p in photos)
    estimator = AgeEstimator()
    true, years, low, high = [], [], [], []
    for photo, chip in iter_chips(photos, YunetDetector(YUNET)):
        estimate = estimator.estimate(chip[None])[0]
        true.append(photo.age)
        years.append(estimate.years)
        low.append(estimate.low)
        high.append(estimate.high)
    return {
        "photos": len(photos),
        "embedder_digest": SFACE.sha256,
        "weights_digest": estimator.weights.digest,
        "nominal_coverage": COVERAGE,
        **summary(np.array(true), np.array(years), np.array(low), np.array(high)),
    }


def summary(
    true: npt.NDArray[Any], years: npt.NDArray[Any], low: npt.NDArray[Any], high: npt.NDArray[Any]
) -> dict[str, Any]:
    error = np.abs(years - true)
    # A true age is a whole number: somebody of 7 is anything up to 8.
    held = (true + 1 >= low) & (true <= high)
    by_true = band_table(true, error, held, high - low)
    by_estimate = band_table(np.floor(years).astype(int), error, held, high - low)
    return {
        "faces": len(true),
        "mae": float(error.mean()),
        "mae_ci95": interval_of_mean(error),
        "mae_balanced": float(np.mean([row["mae"] for row in by_true if row["faces"]])),
        "correlation": float(np.corrcoef(true, years)[0, 1]),
        "coverage": float(held.mean()),
        "bands": by_true,
        "bands_by_estimate": by_estimate,
    }


def band_table(
    ages: npt.NDArray[Any], error: npt.NDArray[Any], held: npt.NDArray[Any], width: npt.NDArray[Any]
) -> list[dict[str, Any]]:
    rows = []
    for first, last in AGE_BANDS:
        chosen = (ages >= first) & (ages <= last)
        row: dict[str, Any] = {"first": first, "last": last, "faces": int(chosen.sum())}
        if chosen.any():
            row |= {
                "mae": float(error[chosen].mean()),
                "mae_ci95": interval_of_mean(error[chosen]),
                "coverage": float(held[chosen].mean()),
                "interval_years": float(np.median(width[chosen])),
            }
        rows.append(row)
    return rows


def interval_of_mean(values: npt.NDArray[Any]) -> list[float]:
    """Bootstrap over faces."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(values), (RESAMPLES, len(values)))
    return [float(v) for v in np.quantile(values[draws].mean(axis=1), [0.025, 0.975])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--per-band", type=int, help="at most so many photos of each age band")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = measure(arguments.data, arguments.per_band)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['faces']} faces, MAE {result['mae']:.2f}, coverage {result['coverage']:.3f}")
    for row in result["bands"]:
        if row["faces"]:
            print(
                f"{row['first']:2d}-{row['last']:2d}  n {row['faces']:5d}  MAE {row['mae']:5.2f}"
                f"  coverage {row['coverage']:.3f}"
            )


if __name__ == "__main__":
    main()
