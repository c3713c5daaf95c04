"""Fit the age regression on one half: ``python -m evals.age.fit --data DIR --out FILE``."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.age.faces import OLDEST, find_utkface, iter_chips, list_aged_photos
from reunite.faces.age import COVERAGE, LOG_OFFSET_YEARS, FeatureExtractor
from reunite.faces.detection import YunetDetector
from reunite.faces.registry import SFACE, YUNET

# In multiples of the mean diagonal of the kernel.
RIDGES = (0.1, 0.3, 1.0, 3.0)
# Estimated years around which the interval is measured.
BANDS = (1.5, 4, 7, 10, 14, 18, 23, 28, 34, 42, 52, 62, 75)
MIN_NEIGHBOURS = 300


def fit(features: npt.NDArray[Any], ages: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Ridge regression in its dual form, balanced over ages.

    features : (n, d); ages : (n,).  The ridge is chosen, and the interval measured, by
    leaving out each face in turn (in closed form).
    """
    counts = np.bincount(ages // 5, minlength=OLDEST // 5 + 1)
    weight = 1 / np.sqrt(counts[ages // 5])
    weight /= weight.mean()
    logs = np.log(ages + LOG_OFFSET_YEARS)
    # Both centred by the same weights: else the constant that is missing hides in whichever
    # face is left out.
    mean = np.zeros(features.shape[1])
    for start in range(0, len(features), 500):
        rows = slice(start, start + 500)
        mean += weight[rows] @ features[rows].astype(np.float64)
    mean = (mean / weight.sum()).astype(np.float32)
    centred = features.astype(np.float32) - mean
    middle = float((weight * logs).sum() / weight.sum())
    kernel = (centred @ centred.T).astype(np.float64)
    root = np.sqrt(weight)
    best: tuple[float, npt.NDArray[Any], npt.NDArray[Any]] | None = None
    for ridge in RIDGES:
        system = kernel * root[:, None] * root[None]
        system[np.diag_indices_from(system)] += ridge * np.trace(kernel) / len(kernel)
        inverse = np.linalg.inv(system)
        dual = inverse @ (root * (logs - middle))
        left_out = logs - dual / np.diag(inverse) / root
        years = np.clip(np.exp(left_out) - LOG_OFFSET_YEARS, 0, OLDEST)
        error = np.abs(years - ages)
        balanced = float((error * weight).sum() / weight.sum())
        print(f"ridge {ridge}: error {balanced:.2f} years, left out, balanced over ages")
        if best is None or balanced < best[0]:
            best = balanced, root * dual, left_out
    assert best is not None
    _, dual, left_out = best
    weights = (centred.T @ dual.astype(np.float32)).astype(np.float32)
    low, high = interval(left_out, logs)
    return {
        "weights": weights.astype(np.float16),
        "bias": np.float64(middle - float(mean @ weights)),
        "bands": np.array(BANDS),
        "low": low,
        "high": high,
        "embedder_digest": np.array(SFACE.sha256),
    }


def interval(
    predicted: npt.NDArray[Any], true: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Offsets of the two ends, around each of ``BANDS``, from errors of faces left out.

    The quantile of the (n + 1)-th is taken as in conformal prediction (Vovk et al. 2005),
    here among the nearest faces by estimate instead of in fixed groups.
    """
    tail = (1 - COVERAGE) / 2
    ends = []
    for years in BANDS:
        distance = np.abs(predicted - np.log(years + LOG_OFFSET_YEARS))
        near = np.argsort(distance)[: max(MIN_NEIGHBOURS, int((distance < 0.08).sum()))]
        errors = np.sort((true - predicted)[near])
        rank = int(np.floor(tail * (len(errors) + 1))) - 1
        ends.append((errors[max(rank, 0)], errors[-1 - max(rank, 0)]))
    low, high = np.array(ends).T
    return low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--features", type=Path, help="keep features here, and read them again")
    arguments = parser.parse_args()
    if arguments.features and arguments.features.exists():
        stored = np.load(arguments.features)
        features, ages = stored["features"], stored["ages"]
    else:
        photos = list_aged_photos(find_utkface(arguments.data), fits=True)
        extractor = FeatureExtractor()
        rows, ages = [], []
        for photo, chip in iter_chips(photos, YunetDetector(YUNET)):
            rows.append(extractor.extract(chip)[0].astype(np.float16))
            ages.append(photo.age)
        features, ages = np.stack(rows), np.array(ages)
        if arguments.features:
            np.savez(arguments.features, features=features, ages=ages)
    fitted = fit(features, ages)
    np.savez_compressed(arguments.out, allow_pickle=True, **fitted)
    print(f"{len(ages)} faces, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
