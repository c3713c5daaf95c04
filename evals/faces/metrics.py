"""Accuracy of face comparison, in the terms of ISO/IEC 19795-1 and of NIST's FRTE.

Scores are similarities: higher is more alike.  ``genuine`` are scores of two photos of one
person, ``impostor`` scores of two people.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

RANKS = (1, 10, 50, 100)
FALSE_POSITIVE_RATES = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Trial:
    """Probes held against a gallery.

    scores : float array of shape (n_probes, n_gallery)
    probe_ids, gallery_ids : whose photo each row and each column is; -1 in the gallery for
        somebody whom no probe shows (a distractor)
    """

    scores: Float32
    probe_ids: Int64
    gallery_ids: Int64

    @property
    def same(self) -> Bool:
        """Where probe and gallery photo show one person, shape as ``scores``."""
        same: Bool = self.probe_ids[:, None] == self.gallery_ids[None, :]
        return same


def best_per_person(trial: Trial) -> tuple[Float32, Int64]:
    """The best score of each person in the gallery; each distractor is a person.

    Returns scores of shape (n_probes, n_people) and the id of each column.
    """
    named = trial.gallery_ids >= 0
    order = np.argsort(trial.gallery_ids[named], kind="stable")
    ids, starts = np.unique(trial.gallery_ids[named][order], return_index=True)
    scores = trial.scores[:, named][:, order]
    best = np.maximum.reduceat(scores, starts, axis=1) if len(ids) else scores
    strangers = trial.scores[:, ~named]
    all_ids = np.concatenate([ids, np.full(strangers.shape[1], -1, dtype=np.int64)])
    return np.concatenate([best, strangers], axis=1), all_ids


def mate_ranks(trial: Trial) -> tuple[Int64, Float64]:
    """Rank of each probe's own person among all people, from 1, and the mate's score.

    Ties count against us.  A probe without a mate in the gallery has rank 0 and score NaN.
    """
    scores, ids = best_per_person(trial)
    ranks = np.zeros(len(scores), dtype=np.int64)
    mates = np.full(len(scores), np.nan)
    column = {int(person): i for i, person in enumerate(ids) if person >= 0}
    for row, person in enumerate(trial.probe_ids):
        at = column.get(int(person))
        if at is not None:
            mates[row] = scores[row, at]
            ranks[row] = int((scores[row] >= scores[row, at]).sum())
    return ranks, mates


def within_rank(ranks: Int64, rank: int) -> float:
    """Share of probes with a mate whose mate is among the first ``rank``."""
    mated = ranks[ranks > 0]
    return float((mated <= rank).mean()) if len(mated) else float("nan")


def threshold_at(impostor: Float32, rate: float) -> float:
    """The lowest threshold that at most the share ``rate`` of impostors exceeds."""
    allowed = int(np.floor(rate * len(impostor)))
    if allowed >= len(impostor):
        return float("-inf")
    return float(np.partition(impostor, len(impostor) - 1 - allowed)[len(impostor) - 1 - allowed])


def true_positive_rate(genuine: Float32, impostor: Float32, rate: float) -> float:
    """Share of genuine scores above the threshold for false positive rate ``rate``."""
    return float((genuine > threshold_at(impostor, rate)).mean()) if len(genuine) else float("nan")


def open_set_fnir(trial: Trial, rate: float = 1e-2) -> float:
    """False negative identification rate at false positive identification rate ``rate``.

    Identification mode of NIST IR 8271: a search succeeds when the mate is found above a
    threshold that only the share ``rate`` of searches for absent people exceeds.  The same
    probes are searched twice, with and without their own person in the gallery.
    """
    scores, ids = best_per_person(trial)
    without = np.where(ids[None, :] == trial.probe_ids[:, None], -np.inf, scores).max(axis=1)
    _, mates = mate_ranks(trial)
    has_mate = ~np.isnan(mates)
    threshold = threshold_at(without.astype(np.float32), rate)
    return float((mates[has_mate] <= threshold).mean()) if has_mate.any() else float("nan")


def investigation_fnir(ranks: Int64, rank: int) -> float:
    """Miss rate of a reviewer who looks at the first ``rank`` candidates, without threshold.

    Investigation mode of NIST IR 8271.
    """
    return 1.0 - within_rank(ranks, rank)


def pair_accuracy(scores: Float32, same: Bool, folds: Int64) -> tuple[float, float]:
    """Mean and standard deviation of accuracy over folds, as LFW defines it.

    The threshold for each fold is the one that is best on all others.
    """
    accuracies = []
    for fold in np.unique(folds):
        inside = folds == fold
        threshold = _best_threshold(scores[~inside], same[~inside])
        accuracies.append(float(((scores[inside] > threshold) == same[inside]).mean()))
    return float(np.mean(accuracies)), float(np.std(accuracies))


def _best_threshold(scores: Float32, same: Bool) -> float:
    order = np.argsort(scores, kind="stable")
    # Right below position k: impostors before it are rejected, genuine ones from it accepted.
    right = np.concatenate([[0], np.cumsum(~same[order])]) + np.concatenate(
        [np.cumsum(same[order][::-1])[::-1], [0]]
    )
    at = int(np.argmax(right))
    ordered = scores[order].astype(np.float64)
    low = ordered[at - 1] if at else ordered[0] - 1.0
    high = ordered[at] if at < len(ordered) else ordered[-1] + 1.0
    return float((low + high) / 2)


def identity_folds(ids: Int64, folds: int, seed: int) -> Int64:
    """The fold of each photo, such that no person is in two of them."""
    people = np.unique(ids)
    shuffled = np.random.default_rng(seed).permutation(people)
    fold_of = {int(person): i % folds for i, person in enumerate(shuffled)}
    return np.array([fold_of[int(person)] for person in ids], dtype=np.int64)


class Weighted:
    """Figures of a trial under any weighting of people; weights of one give the plain figures.

    The order of the scores is worked out once, so that a bootstrap over identities costs a
    pass over them for each draw.  People are drawn, not photos: photos of one person are
    alike.  The gallery stays as it is: a draw changes who is searched for.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        people = np.unique(trial.probe_ids)
        self.people = len(people)
        self._probe = np.searchsorted(people, trial.probe_ids)
        self.ranks, self.mates = mate_ranks(trial)
        same = trial.same
        column_of = np.searchsorted(people, trial.gallery_ids).clip(max=len(people) - 1)
        known = people[column_of] == trial.gallery_ids
        self._column = np.where(known, column_of, len(people))  # strangers have weight one
        rows, columns = np.nonzero(same)
        self._genuine, self._genuine_of = trial.scores[rows, columns], self._probe[rows]
        # Only the most alike impostors matter for the false positive rates asked for.
        scores = np.where(same, -np.inf, trial.scores).ravel()
        impostors = scores.size - int(same.sum())
        kept = min(impostors, max(1, int(impostors * 10 * max(FALSE_POSITIVE_RATES))))
        top = np.argpartition(-scores, kept - 1)[:kept]
        top = top[np.argsort(-scores[top], kind="stable")]
        self._impostor = scores[top]
        self._impostor_rows, self._impostor_columns = np.divmod(top, trial.scores.shape[1])
        probes_of = np.bincount(self._probe, minlength=self.people).astype(np.float64)
        columns_of = np.bincount(self._column, minlength=self.people + 1).astype(np.float64)
        self._probes_of, self._columns_of = probes_of, columns_of
        self._shared = probes_of * columns_of[:-1]

    def rank_share(self, rank: int, weights: Float64) -> float:
        """Share of probes with a mate whose mate is among the first ``rank``."""
        mated = self.ranks > 0
        of_probe = weights[self._probe][mated]
        return float((of_probe * (self.ranks[mated] <= rank)).sum() / max(of_probe.sum(), 1e-12))

    def true_positive_rates(self, weights: Float64) -> list[float]:
        """At each of ``FALSE_POSITIVE_RATES``."""
        columns = np.append(weights, 1.0)
        pair = weights[self._probe][self._impostor_rows]
        pair = pair * columns[self._column[self._impostor_columns]]
        total = (weights @ self._probes_of) * (columns @ self._columns_of)
        total -= (weights**2) @ self._shared
        above = np.cumsum(pair) / max(total, 1e-12)
        genuine_weights = weights[self._genuine_of] ** 2
        rates = []
        for rate in FALSE_POSITIVE_RATES:
            at = int(np.searchsorted(above, rate, side="right"))
            threshold = self._impostor[min(at, len(self._impostor) - 1)]
            accepted = genuine_weights * (self._genuine > threshold)
            rates.append(float(accepted.sum() / max(genuine_weights.sum(), 1e-12)))
        return rates

    def figures(self, weights: Float64 | None = None) -> dict[str, float]:
        """``rank<k>`` and ``tpr_at_fpr_1e<n>``."""
        weights = np.ones(self.people) if weights is None else weights
        figures = {f"rank{rank}": self.rank_share(rank, weights) for rank in RANKS}
        rates = self.true_positive_rates(weights)
        names = [f"tpr_at_fpr_1e{-round(np.log10(rate))}" for rate in FALSE_POSITIVE_RATES]
        return figures | dict(zip(names, rates, strict=True))


def mean_figures(trials: list[Weighted], weights: list[Float64] | None = None) -> dict[str, float]:
    """The figures of several trials (folds), each with the weight of its people."""
    each = [
        trial.figures(None if weights is None else weights[i]) for i, trial in enumerate(trials)
    ]
    share = np.array([trial.people for trial in trials], dtype=np.float64)
    share /= share.sum()
    return {
        name: float(sum(s * one[name] for s, one in zip(share, each, strict=True)))
        for name in each[0]
    }


def bootstrap(
    methods: dict[str, list[Weighted]], *, draws: int = 500, seed: int = 0
) -> dict[str, list[dict[str, float]]]:
    """Figures of every method under the same draws of people, one dict for each draw.

    ``methods`` has, for each, the same trials (folds) in the same order.
    """
    rng = np.random.default_rng(seed)
    first = next(iter(methods.values()))
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for _ in range(draws):
        weights = [
            np.bincount(rng.integers(0, trial.people, trial.people), minlength=trial.people).astype(
                np.float64
            )
            for trial in first
        ]
        for name, trials in methods.items():
            drawn[name].append(mean_figures(trials, weights))
    return drawn


def ci95(values: list[float]) -> list[float]:
    """The middle 95 % of bootstrap draws."""
    low, high = np.nanpercentile(np.array(values, dtype=np.float64), [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]
