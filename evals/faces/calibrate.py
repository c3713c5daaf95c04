"""Fit the calibration that Reunite ships, and check it on faces that it was not fitted on.

python -m evals.faces.calibrate --aged UTKFACE_B --people LAG --grown LFW --aged-fit UTKFACE_A

Strangers: random pairs of UTKFace pictures that the adapter was not fitted on, half of them to
fit, half to check.  Mates: LAG's development people, each seen through an adapter fitted on the
others, and LFW.  Ages of LAG are estimated.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.faces.__main__ import RESULTS, ROOT, cache_folder
from evals.faces.layouts import is_sealed
from evals.faces.reading import Reader, Source, people_of
from evals.faces.strangers import without_people
from reunite.faces.adapter_trial import cross_fitted, fold_of_people
from reunite.faces.adapters import Adapter, shipped_adapter
from reunite.faces.calibration import Calibration, Pooling, write_calibration
from reunite.faces.calibration_fitting import (
    Mates,
    Strangers,
    fit_calibration,
    fit_pooling,
    stranger_pairs,
)
from reunite.faces.engine import FaceEngine
from reunite.faces.fitting import AgedRows, LabelledRows
from reunite.faces.labelled import LabelledPhoto, read_folder
from reunite.faces.port import IDENTITY_ADAPTER
from reunite.faces.registry import DLIB_RESNET, SFACE, load_registry

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MODELS = (SFACE, DLIB_RESNET)
NOMINAL = 1e-3
BANDS = ("0-2", "3-5", "6-12", "13-18", "adult")


def check(calibration: Calibration, strangers: Strangers, seed: int) -> dict[str, Any]:
    """False matches at the calibrated thresholds for a nominal rate, by age band."""
    rng = np.random.default_rng(seed)
    middle = (1, 4, 9, 16, 40)
    adult = calibration.similarity_at(NOMINAL, middle[4], middle[4])
    report: dict[str, Any] = {"nominal": NOMINAL, "same_band": {}, "with_adults": {}}
    for title, partner in (("same_band", None), ("with_adults", 4)):
        for band, name in enumerate(BANDS):
            other = band if partner is None else partner
            every, _ = stranger_pairs(strangers, *sorted((band, other)), rng)
            threshold = calibration.similarity_at(NOMINAL, middle[band], middle[other])
            report[title][name] = {
                "pairs": len(every),
                "threshold": round(threshold, 4),
                "false_match_rate": round(float((every > threshold).mean()), 6),
                "at_adult_threshold": round(float((every > adult).mean()), 6),
            }
    return report


def main() -> None:
    options = _options()
    reader = Reader(
        FaceEngine.from_registry(load_registry(), intra_op_threads=2), MODELS, options.cache
    )
    aged = [p for p in read_folder(options.aged) if p.age_years is not None]
    rows, digest = reader.rows(Source(options.aged, aged))
    ages = np.array([p.age_years for p in aged], dtype=np.float64)
    sexes = np.array([p.sex == "male" for p in aged], dtype=np.int64)
    half = np.random.default_rng(0).permutation(len(aged)) % 2 == 0
    results = {}
    for name, adapter in (("sface-dlib-lag", shipped_adapter()), ("sface", None)):
        templates = adapter.templates(rows.embeddings) if adapter else rows.embeddings[0]
        mates, pooling = _mates(options, reader, adapter)
        calibration = fit_calibration(
            Strangers(templates[half], ages[half], sexes[half]),
            mates,
            model_digest=SFACE.sha256,
            adapter_digest=adapter.digest if adapter else IDENTITY_ADAPTER,
            fitted_on=f"UTKFace {int(half.sum())} faces ({digest[:16]}), LAG development, LFW",
            pooling=pooling,
        )
        held_out = Strangers(templates[~half], ages[~half], sexes[~half])
        results[name] = check(calibration, held_out, 2) | {
            "mates": {
                f"{band}-{'far' if far else 'near'}": [round(d.mean, 4), round(d.stdev, 4)]
                for (band, far), d in calibration.mates.items()
            },
            "pooling": {
                "strangers": round(pooling.strangers, 4),
                "mates": round(pooling.mates, 4),
            },
        }
        folder = ROOT / "src" / "reunite" / "faces" / "data"
        text = write_calibration(calibration)
        (folder / f"{name}.calibration.json").write_text(text, encoding="utf-8")
    text = json.dumps(results, indent=2) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "calibration.json").write_text(text, encoding="utf-8")
    print(text)


def _mates(
    options: argparse.Namespace, reader: Reader, adapter: Adapter | None
) -> tuple[Mates, Pooling]:
    """Similarities of one person across years with the younger estimated age; and of LFW.

    And what a second young photo of the same people adds.
    """
    photos = [p for p in read_folder(options.people) if not is_sealed(p.person)]
    rows, _ = reader.rows(Source(options.people, photos))
    people = people_of(photos)
    estimated = shipped_adapter().estimate_age_years(rows.embeddings)
    templates = _cross_fitted(options, reader, rows.embeddings, photos, adapter)
    young, grown = np.flatnonzero(people.young), np.flatnonzero(~people.young)
    scores = templates[young] @ templates[grown].T
    same = people.ids[young][:, None] == people.ids[grown][None, :]
    # On a child's photo an estimate above eighteen is wrong.
    younger = np.minimum(np.minimum(estimated[young][:, None], estimated[grown][None, :]), 18)
    younger = np.broadcast_to(younger, same.shape)
    mates = Mates(scores[same], younger[same], _grown_mates(options, reader, adapter))
    # The same seed as in ``cross_fitted``: templates of two folds are of two adapters.
    fold = fold_of_people(people.ids, 0) if adapter else np.zeros_like(people.ids)
    return mates, fit_pooling(templates, people.ids, people.young, fold)


def _cross_fitted(
    options: argparse.Namespace,
    reader: Reader,
    embeddings: tuple[Float32, ...],
    photos: list[LabelledPhoto],
    adapter: Adapter | None,
) -> Float32:
    """Each person through an adapter that never saw them."""
    if adapter is None:
        return embeddings[0]
    aged = [p for p in read_folder(options.aged_fit) if p.age_years is not None]
    rows, _ = reader.rows(Source(options.aged_fit, aged))
    ages = AgedRows(rows.embeddings, np.array([p.age_years for p in aged], dtype=np.float64))
    people = people_of(photos)
    return cross_fitted(MODELS, LabelledRows(embeddings, people.ids, people.young), ages)


def _grown_mates(options: argparse.Namespace, reader: Reader, adapter: Adapter | None) -> Float32:
    everybody = read_folder(options.grown)
    named = {photo.person for photo in read_folder(options.people)}
    kept, _ = without_people(everybody, named)
    place = {photo.path: row for row, photo in enumerate(everybody)}
    rows, _ = reader.rows(Source(options.grown, everybody))
    at = np.array([place[photo.path] for photo in kept])
    embeddings = rows.at(at)
    templates = adapter.templates(embeddings) if adapter else embeddings[0]
    ids = people_of(kept).ids
    scores = []
    for person in np.unique(ids):
        rows_of = np.flatnonzero(ids == person)[:5]
        if len(rows_of) > 1:
            pairs = templates[rows_of] @ templates[rows_of].T
            scores.append(pairs[np.triu_indices(len(rows_of), 1)])
    return np.concatenate(scores)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evals.faces.calibrate", description=__doc__)
    for name in ("aged", "aged-fit", "people", "grown"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    return parser.parse_args()


if __name__ == "__main__":
    main()
