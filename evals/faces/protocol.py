"""Young faces searched for among grown ones: who is fitted on whom, and what comes out.

On ``dev`` people are divided into folds by identity; what is fitted on all other folds is
tried on each.  On ``sealed`` everything is fitted on ``dev`` and tried once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.faces.layouts import Split
from evals.faces.metrics import (
    RANKS,
    Bool,
    Float32,
    Int64,
    Trial,
    Weighted,
    bootstrap,
    ci95,
    identity_folds,
    investigation_fnir,
    mean_figures,
    open_set_fnir,
    true_positive_rate,
)

LAPSES = {"0-5": (0, 5), "5-10": (5, 10), "10-20": (10, 20), "20-30": (20, 30), "30+": (30, 999)}
YOUNGER_AGES = {"<6": (0, 6), "6-12": (6, 13), "13-17": (13, 18), "18+": (18, 999)}
LEAST_PAIRS = 30  # a slice with fewer tells nothing

# Made of the rows of the people to fit on; gives templates for any rows.
Templates = Callable[[npt.NDArray[np.intp]], Float32]
Method = Callable[[Bool], Templates]


@dataclass(frozen=True)
class People:
    """Whose photo each row is.

    ids : int64 of shape (n,); young : whether it is a photo to search with
    ages : float64 of shape (n,), NaN where unknown
    """

    ids: Int64
    young: Bool
    ages: npt.NDArray[np.float64]
    sealed: Bool


@dataclass(frozen=True)
class Tried:
    """One method on one fold."""

    trial: Trial
    probe_ages: npt.NDArray[np.float64]
    gallery_ages: npt.NDArray[np.float64]


def folds_of(people: People, split: Split, folds: int, seed: int) -> list[tuple[Bool, Bool]]:
    """Rows to fit on and rows to try on, for each fold; nobody is in both.

    Strangers (id -1) are in neither.
    """
    named = people.ids >= 0
    if split is Split.SEALED:
        return [(named & ~people.sealed, named & people.sealed)]
    usable = named & ~people.sealed
    fold_of = np.full(len(people.ids), -1, dtype=np.int64)
    fold_of[usable] = identity_folds(people.ids[usable], folds, seed)
    return [
        ((fold_of >= 0) & (fold_of != fold), fold_of == fold)
        for fold in range(folds)
        if (fold_of == fold).any()
    ]


def try_method(
    method: Method, people: People, folds: list[tuple[Bool, Bool]], *, strangers: bool = False
) -> list[Tried]:
    """Every fold's young photos against its grown ones, and against strangers if asked for."""
    tried = []
    for fit_on, try_on in folds:
        templates = method(fit_on)
        probes = np.flatnonzero(try_on & people.young)
        in_gallery = try_on & ~people.young
        if strangers:
            in_gallery |= people.ids < 0
        gallery = np.flatnonzero(in_gallery)
        scores = templates(probes) @ templates(gallery).T
        tried.append(
            Tried(
                Trial(scores, people.ids[probes], people.ids[gallery]),
                people.ages[probes],
                people.ages[gallery],
            )
        )
    return tried


def figures_of(methods: dict[str, list[Tried]], draws: int) -> dict[str, Any]:
    """Figures of each method with 95 % intervals, and of the gain over ``baseline``."""
    weighted = {name: [Weighted(one.trial) for one in tried] for name, tried in methods.items()}
    drawn = bootstrap(weighted, draws=draws)
    report: dict[str, Any] = {}
    for name, trials in weighted.items():
        figures = mean_figures(trials)
        report[name] = {key: round(value, 4) for key, value in figures.items()} | {
            f"{key}_ci95": ci95([draw[key] for draw in drawn[name]]) for key in figures
        }
        report[name] |= _identification(trials)
        if name != "baseline" and "baseline" in weighted:
            report[name] |= {
                f"gain_{key}_ci95": ci95(
                    [
                        mine[key] - theirs[key]
                        for mine, theirs in zip(drawn[name], drawn["baseline"], strict=True)
                    ]
                )
                for key in figures
            }
    return report


def _identification(trials: list[Weighted]) -> dict[str, Any]:
    open_set = [open_set_fnir(trial.trial) for trial in trials]
    ranks = np.concatenate([trial.ranks for trial in trials])
    return {
        "open_set_fnir_at_fpir_1e2": round(float(np.nanmean(open_set)), 4),
        "investigation_fnir": {str(k): round(investigation_fnir(ranks, k), 4) for k in RANKS},
    }


def slices_of(tried: list[Tried]) -> dict[str, dict[str, Any]]:
    """By lapse and by the younger age, thresholds as for everybody; only where ages are known."""
    genuine, lapses, younger, impostor = [], [], [], []
    for one in tried:
        same = one.trial.same
        rows, columns = np.nonzero(same)
        genuine.append(one.trial.scores[rows, columns])
        first, second = one.probe_ages[rows], one.gallery_ages[columns]
        lapses.append(np.abs(first - second))
        younger.append(np.minimum(first, second))
        impostor.append(one.trial.scores[~same])
    scores, strangers = np.concatenate(genuine), np.concatenate(impostor)
    report: dict[str, dict[str, Any]] = {}
    for title, values, bands in (
        ("by_lapse", np.concatenate(lapses), LAPSES),
        ("by_younger_age", np.concatenate(younger), YOUNGER_AGES),
    ):
        report[title] = {
            band: {
                "genuine_pairs": int(inside.sum()),
                "tpr_at_fpr_1e2": round(true_positive_rate(scores[inside], strangers, 1e-2), 4),
                "tpr_at_fpr_1e3": round(true_positive_rate(scores[inside], strangers, 1e-3), 4),
            }
            for band, (low, high) in bands.items()
            if (inside := (values >= low) & (values < high)).sum() >= LEAST_PAIRS
        }
    return report
