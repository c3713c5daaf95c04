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
    mate_ranks,
    mean_figures,
    open_set_fnir,
    threshold_at,
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
    method: Method,
    people: People,
    folds: list[tuple[Bool, Bool]],
    *,
    strangers: bool = False,
    sliced_by: npt.NDArray[np.float64] | None = None,
) -> list[Tried]:
    """Every fold's young photos against its grown ones, and against strangers if asked for.

    ``sliced_by`` are ages that only ``slices_of`` sees, in the place of those of ``people``.
    """
    ages = people.ages if sliced_by is None else sliced_by
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
                ages[probes],
                ages[gallery],
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


def slices_of(tried: list[Tried], draws: int = 200) -> dict[str, dict[str, Any]]:
    """By lapse and by the younger age, thresholds as for everybody; only where ages are known.

    Pairs count towards true positive rates.  A probe counts towards ranks, by its own age and
    by its mean lapse to the photos of its person.  Intervals are of draws of people.
    """
    pairs, probes = _sliced_pairs(tried), _sliced_probes(tried)
    report: dict[str, dict[str, Any]] = {}
    for title, bands in (("by_lapse", LAPSES), ("by_younger_age", YOUNGER_AGES)):
        report[title] = {}
        for band, (low, high) in bands.items():
            chosen = pairs.within(title, low, high)
            if len(chosen.person) < LEAST_PAIRS:
                continue
            searched = probes.within(title, low, high)
            report[title][band] = (
                {"genuine_pairs": len(chosen.person)}
                | chosen.shares(draws)
                | {"probes": len(searched.person)}
                | (searched.shares(draws) if len(searched.person) >= LEAST_PAIRS else {})
            )
    return report


@dataclass(frozen=True)
class _Sliced:
    """Successes with what they are sliced by; arrays of shape (n,)."""

    person: Int64
    by: dict[str, npt.NDArray[np.float64]]
    success: dict[str, Bool]

    def within(self, title: str, low: float, high: float) -> "_Sliced":
        inside = (self.by[title] >= low) & (self.by[title] < high)
        return _Sliced(
            self.person[inside],
            {name: values[inside] for name, values in self.by.items()},
            {name: values[inside] for name, values in self.success.items()},
        )

    def shares(self, draws: int) -> dict[str, Any]:
        """The share of each success, and its interval over draws of people."""
        people, number = np.unique(self.person, return_inverse=True)
        rng = np.random.default_rng(0)
        weights = np.stack(
            [
                np.bincount(rng.integers(0, len(people), len(people)), minlength=len(people))
                for _ in range(draws)
            ]
        )[:, number]
        shares: dict[str, Any] = {}
        for name, success in self.success.items():
            drawn = (weights * success).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
            shares[name] = round(float(success.mean()), 4)
            shares[f"{name}_ci95"] = ci95([float(one) for one in drawn])
        return shares


def _sliced_pairs(tried: list[Tried]) -> _Sliced:
    strangers = np.concatenate([one.trial.scores[~one.trial.same] for one in tried])
    limits = {
        f"tpr_at_fpr_1e{-round(np.log10(rate))}": threshold_at(strangers, rate)
        for rate in (1e-2, 1e-3)
    }
    person, lapses, younger, genuine = [], [], [], []
    for one in tried:
        rows, columns = np.nonzero(one.trial.same)
        first, second = one.probe_ages[rows], one.gallery_ages[columns]
        person.append(one.trial.probe_ids[rows])
        lapses.append(np.abs(first - second))
        younger.append(np.minimum(first, second))
        genuine.append(one.trial.scores[rows, columns])
    scores = np.concatenate(genuine)
    return _Sliced(
        np.concatenate(person),
        {"by_lapse": np.concatenate(lapses), "by_younger_age": np.concatenate(younger)},
        {name: scores > limit for name, limit in limits.items()},
    )


def _sliced_probes(tried: list[Tried]) -> _Sliced:
    person, lapses, ages, ranks = [], [], [], []
    for one in tried:
        rank, _ = mate_ranks(one.trial)
        mated = rank > 0
        same = one.trial.same[mated]
        apart = np.abs(one.probe_ages[mated][:, None] - one.gallery_ages[None, :])
        person.append(one.trial.probe_ids[mated])
        lapses.append((apart * same).sum(axis=1) / same.sum(axis=1))
        ages.append(one.probe_ages[mated])
        ranks.append(rank[mated])
    found = np.concatenate(ranks)
    return _Sliced(
        np.concatenate(person),
        {"by_lapse": np.concatenate(lapses), "by_younger_age": np.concatenate(ages)},
        {f"rank{k}": found <= k for k in (1, 50)},
    )
