"""``python -m evals.linkage --json``: linkage by facts against Splink on the same pairs.

Our threshold is chosen on one set of generated records and F1 is reported on another one.  The
baseline, whose weights come out on another scale at each training, is given the threshold that is
best on the reported set itself.  ``--growth`` adds how candidate pairs grow with records.
"""

import argparse
import json
import logging
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.linkage import baseline, growth
from evals.linkage.generator import Truth, generate
from evals.linkage.measures import (
    at,
    best_threshold,
    bootstrap_f1,
    curve,
    interval,
    recall_at,
)
from evals.linkage.reading import read
from reunite.kernel.people import Side
from reunite.partners.linkage.blocking import BlockingReport, KeyTable, candidate_pairs, keys_of
from reunite.partners.linkage.comparison import weigh
from reunite.partners.linkage.frequencies import Frequencies

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
CURVE_POINTS = 101


@dataclass(frozen=True, slots=True)
class Scored:
    """One generated world, compared."""

    truth: Truth
    pairs: Int64
    is_mate: Bools
    has_mate: Bools
    ours: Float64
    theirs: Float64 | None
    report: BlockingReport
    seconds: float  # ours: reading, blocking, weighing


def compare(records: int, seed: int, *, with_baseline: bool) -> Scored:
    """Generate, block, weigh, and let the baseline weigh the same pairs."""
    truth = generate(records, seed)
    started = perf_counter()
    missing = [read(record) for record in truth.missing]
    found = [read(record) for record in truth.found]
    frequencies = Frequencies.learned([*missing, *found])
    report = BlockingReport()
    pairs = candidate_pairs(
        KeyTable.of(keys_of(one, Side.MISSING) for one in missing),
        KeyTable.of(keys_of(one, Side.FOUND) for one in found),
        report,
    )
    ours = np.array([weigh(missing[a], found[b], frequencies).bits for a, b in pairs.tolist()])
    seconds = perf_counter() - started
    is_mate = np.array([(a, b) in truth.pairs for a, b in pairs.tolist()])
    has_mate = np.zeros(records, dtype=np.bool_)
    has_mate[[a for a, _ in truth.pairs]] = True
    theirs = baseline.score_pairs(truth.missing, truth.found, pairs) if with_baseline else None
    return Scored(truth, pairs, is_mate, has_mate, ours, theirs, report, seconds)


def _measured(prefix: str, threshold: float, scores: Float64, test: Scored) -> dict[str, Any]:
    mates = len(test.truth.pairs)
    point = at(threshold, scores, test.is_mate, mates)
    _, precision, recall = curve(scores, test.is_mate, mates)
    # Evenly over recall, not over pairs: nearly all pairs are strangers.
    steps = np.unique(np.searchsorted(recall, np.linspace(recall[0], recall[-1], CURVE_POINTS)))
    owners = test.pairs[:, 0]
    draws = bootstrap_f1(threshold, scores, test.is_mate, owners, test.has_mate)
    return {
        f"{prefix}f1": round(point.f1, 4),
        f"{prefix}f1_ci95": interval(draws),
        f"{prefix}precision": round(point.precision, 4),
        f"{prefix}recall": round(point.recall, 4),
        f"{prefix}threshold": round(threshold, 3),
        f"{prefix}recall_at_10": round(recall_at(10, scores, test.is_mate, owners, mates), 4),
        f"{prefix}curve": [
            [round(float(recall[i]), 4), round(float(precision[i]), 4)] for i in steps
        ],
        f"{prefix}_draws": draws,
    }


def evaluate(records: int, seed: int, tune_seed: int) -> dict[str, Any]:
    """F1, its interval and the curves of both."""
    tune = compare(records, tune_seed, with_baseline=False)
    test = compare(records, seed, with_baseline=True)
    assert test.theirs is not None
    ours = best_threshold(tune.ours, tune.is_mate, len(tune.truth.pairs))
    theirs = best_threshold(test.theirs, test.is_mate, len(test.truth.pairs))
    result = _measured("", ours, test.ours, test)
    result |= _measured("baseline_", theirs, test.theirs, test)
    gain = result.pop("_draws") - result.pop("baseline__draws")
    return {
        "f1": result["f1"],
        "baseline_f1": result["baseline_f1"],
        "pairs_compared": len(test.pairs),
        "f1_gain_ci95": interval(gain),
        "pair_completeness": round(float(test.is_mate.sum() / len(test.truth.pairs)), 4),
        "records_per_side": records,
        "mates": len(test.truth.pairs),
        "seed": seed,
        "threshold_chosen_on_seed": tune_seed,
        "seconds": round(test.seconds, 1),
        "baseline": "splink",
        "commit": _commit(),
        **{key: value for key, value in result.items() if key not in {"f1", "baseline_f1"}},
    }


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.linkage", description=__doc__)
    parser.add_argument("--records", type=int, default=6000, help="a side")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--tune-seed", type=int, default=12)
    parser.add_argument("--growth", type=int, nargs="*", help="numbers of records a side")
    parser.add_argument("--growth-only", action="store_true")
    parser.add_argument("--json", action="store_true", help="nothing but JSON")
    parser.add_argument("--out", type=Path, help="also write the JSON there")
    asked = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    result: dict[str, Any] = {}
    if not asked.growth_only:
        result = evaluate(asked.records, asked.seed, asked.tune_seed)
    if asked.growth:
        result["growth"] = growth.measure(asked.growth)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")
    if asked.json:
        print(text)
    else:
        for key, value in result.items():
            if not key.endswith("curve"):
                print(f"{key:28} {value}")


if __name__ == "__main__":
    main()
