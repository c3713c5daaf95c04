"""Young faces among 20,000 real strangers and a million of fitted geometry, with and without facts.

python -m evals.faces.fusion --data LAG --aged UTKFACE --strangers LFW UTKFACE

On development people, each seen through an adapter fitted on the others.  Facts are drawn, for
the data sets have none: sex known on both sides, birth years within three years with 5 % errors,
one region of 31 that 80 % stay in.  The million is drawn from the normal distribution with mean
and covariance of the real strangers' templates.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.faces.__main__ import RESULTS, cache_folder
from evals.faces.layouts import Split, is_sealed
from evals.faces.methods import Fitting, Rows, adapter
from evals.faces.protocol import People, folds_of
from evals.faces.reading import Reader, Source, joined, nameless, people_of
from evals.faces.strangers import without_people
from reunite.faces.adapters import shipped_adapter, unit
from reunite.faces.calibration import find_calibration
from reunite.faces.engine import FaceEngine
from reunite.faces.fitting import AgedRows
from reunite.faces.labelled import LabelledPhoto, read_folder
from reunite.faces.registry import DLIB_RESNET, SFACE, load_registry

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

MODELS = (SFACE, DLIB_RESNET)
RANKS = (1, 10, 50, 100, 1000)
CHUNK = 100_000
BIRTH_YEARS, TOLERANCE, BIRTH_ERRORS = 60, 3, 0.05
REGIONS, STAYING = 31, 0.8
SEX_ERRORS = 0.005  # weighed with, though none are drawn: no record is quite sure


@dataclass(frozen=True)
class Facts:
    """Drawn facts, each of shape (n,)."""

    sex: Int64
    birth: Int64
    region: Int64


def drawn_facts(count: int, rng: np.random.Generator) -> Facts:
    return Facts(
        rng.integers(0, 2, count),
        rng.integers(0, BIRTH_YEARS, count),
        rng.integers(0, REGIONS, count),
    )


def told_again(facts: Facts, rng: np.random.Generator) -> Facts:
    """What the other record says of the same people."""
    count = len(facts.sex)
    near = facts.birth + rng.integers(-TOLERANCE, TOLERANCE + 1, count)
    wrong = rng.random(count) < BIRTH_ERRORS
    moved = rng.random(count) >= STAYING
    return Facts(
        facts.sex,
        np.where(wrong, rng.integers(0, BIRTH_YEARS, count), near),
        np.where(moved, rng.integers(0, REGIONS, count), facts.region),
    )


def bits_of(probe: Facts, gallery: Facts) -> Float32:
    """Log likelihood ratios of facts, base 2, shape (n_probes, n_gallery)."""
    same_sex = probe.sex[:, None] == gallery.sex[None, :]
    near = np.abs(probe.birth[:, None] - gallery.birth[None, :]) <= TOLERANCE
    same_region = probe.region[:, None] == gallery.region[None, :]
    span = 2 * TOLERANCE + 1
    stays = STAYING + (1 - STAYING) / REGIONS
    bits: Float32 = (
        np.log2(np.where(same_sex, (1 - SEX_ERRORS) / 0.5, SEX_ERRORS / 0.5))
        + np.log2(np.where(near, (1 - BIRTH_ERRORS) * BIRTH_YEARS / span, BIRTH_ERRORS))
        + np.log2(np.where(same_region, stays * REGIONS, (1 - stays) * REGIONS / (REGIONS - 1)))
    ).astype(np.float32)
    return bits


def face_bits(similarity: Float32) -> Float32:
    """By the shipped calibration, ages unknown."""
    calibration = find_calibration(SFACE.sha256, shipped_adapter().digest)
    if calibration is None:
        raise ValueError("the shipped adapter has no calibration")
    grid = np.linspace(-1, 1, 2001)
    bits = np.array([calibration.weigh(float(value), None, None).bits for value in grid])
    found: Float32 = np.interp(similarity, grid, bits).astype(np.float32)
    return found


class Ranks:
    """How many strangers and other people come before each probe's mate."""

    def __init__(self, mates: Float32) -> None:
        self.mates = mates
        self.before = np.zeros(len(mates), dtype=np.int64)

    def add(self, scores: Float32) -> None:
        self.before += (scores >= self.mates[:, None]).sum(axis=1)

    def shares(self) -> dict[str, float]:
        return {f"rank{k}": round(float((self.before < k).mean()), 4) for k in RANKS}


def run_fold(
    templates: Any, people: People, try_on: npt.NDArray[np.bool_], made: int, seed: int
) -> dict[str, list[Ranks]]:
    rng = np.random.default_rng(seed)
    gallery = np.flatnonzero(try_on & ~people.young)
    mated = np.isin(people.ids, people.ids[gallery])
    probes = np.flatnonzero(try_on & people.young & mated)
    probe_rows, gallery_rows = templates(probes), templates(gallery)
    persons, place = np.unique(people.ids[try_on], return_inverse=True)
    place_of = dict(zip(np.flatnonzero(try_on).tolist(), place.tolist(), strict=True))
    truth = drawn_facts(len(persons), rng)
    second = told_again(truth, rng)
    probe_facts = _at(truth, np.array([place_of[i] for i in probes]))
    gallery_facts = _at(second, np.array([place_of[i] for i in gallery]))
    face = face_bits(probe_rows @ gallery_rows.T)
    fused = face + bits_of(probe_facts, gallery_facts)
    own = people.ids[probes][:, None] == people.ids[gallery][None, :]
    counts = {}
    for name, scores in (("face", face), ("fused", fused)):
        best = np.where(own, scores, -np.inf).max(axis=1)
        ranks = Ranks(best)
        # A person counts once, with the best photo.
        ids = people.ids[gallery]
        for person in np.unique(ids):
            column = np.where(
                own[:, ids == person].any(axis=1), -np.inf, scores[:, ids == person].max(axis=1)
            )
            ranks.add(column[:, None].astype(np.float32))
        counts[name] = ranks
    real = templates(np.flatnonzero(people.ids < 0))
    found: dict[str, list[Ranks]] = {}
    found["people"] = [_copy(counts["face"]), _copy(counts["fused"])]
    _crowd(counts, probe_rows, probe_facts, real, rng)
    found["real"] = [_copy(counts["face"]), _copy(counts["fused"])]
    mean, spread = (
        real.mean(axis=0),
        np.linalg.cholesky(np.cov(real.T) + 1e-8 * np.eye(real.shape[1])),
    )
    for start in range(0, made, CHUNK):
        count = min(CHUNK, made - start)
        invented = unit(mean + rng.standard_normal((count, len(mean))) @ spread.T).astype(
            np.float32
        )
        _crowd(counts, probe_rows, probe_facts, invented, rng)
    found["made"] = [counts["face"], counts["fused"]]
    return found


def _crowd(
    counts: dict[str, Ranks], probes: Float32, facts: Facts, rows: Float32, rng: np.random.Generator
) -> None:
    for start in range(0, len(rows), CHUNK // 10):
        some = rows[start : start + CHUNK // 10]
        face = face_bits(probes @ some.T)
        counts["face"].add(face)
        counts["fused"].add(face + bits_of(facts, drawn_facts(len(some), rng)))


def _copy(ranks: Ranks) -> Ranks:
    copy = Ranks(ranks.mates)
    copy.before = ranks.before.copy()
    return copy


def _at(facts: Facts, rows: Int64) -> Facts:
    return Facts(facts.sex[rows], facts.birth[rows], facts.region[rows])


def main() -> None:
    options = _options()
    reader = Reader(
        FaceEngine.from_registry(load_registry(), intra_op_threads=2), MODELS, options.cache
    )
    everybody = read_folder(options.data)
    photos = [p for p in everybody if not is_sealed(p.person)]
    rows = [reader.rows(Source(options.data, photos))[0]]
    crowd: list[LabelledPhoto] = list(photos)
    for folder in options.strangers:
        whole = read_folder(folder)
        kept, _ = without_people(whole, {p.person for p in everybody})
        kept = kept[: options.most - (len(crowd) - len(photos))]
        place = {photo.path: row for row, photo in enumerate(whole)}
        of_folder, _ = reader.rows(Source(folder, whole))
        rows.append(Rows(of_folder.at(np.array([place[p.path] for p in kept]))))
        crowd += nameless(kept)
    people = people_of(crowd)
    aged = [p for p in read_folder(options.aged) if p.age_years is not None]
    aged_rows, _ = reader.rows(Source(options.aged, aged))
    ages = np.array([p.age_years for p in aged], dtype=np.float64)
    method = adapter(joined(rows), people, Fitting(MODELS, AgedRows(aged_rows.embeddings, ages)), 2)
    results: dict[str, list[Ranks]] = {}
    for fold, (fit_on, try_on) in enumerate(folds_of(people, Split.DEV, 2, 0)):
        for stage, ranks in run_fold(method(fit_on), people, try_on, options.made, fold).items():
            results.setdefault(stage, []).extend(ranks)
    strangers = len(crowd) - len(photos)
    names = {
        "people": "dev people",
        "real": f"+ {strangers} real",
        "made": f"+ {options.made} made",
    }
    report = {
        names[stage]: {
            kind: _mean([one.shares() for one in ranks[number::2]])
            for number, kind in enumerate(("face", "fused"))
        }
        for stage, ranks in results.items()
    }
    text = json.dumps(report, indent=2) + "\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fusion.json").write_text(text, encoding="utf-8")
    print(text)


def _mean(shares: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([one[key] for one in shares])), 4) for key in shares[0]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evals.faces.fusion", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--aged", type=Path, required=True)
    parser.add_argument("--strangers", type=Path, nargs="+", required=True)
    parser.add_argument("--most", type=int, default=20_000)
    parser.add_argument("--made", type=int, default=1_000_000)
    parser.add_argument("--cache", type=Path, default=cache_folder())
    return parser.parse_args()


if __name__ == "__main__":
    main()
