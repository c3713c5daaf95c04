"""Precision, recall and their uncertainty over people."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BOOTSTRAPS = 1000


@dataclass(frozen=True, slots=True)
class Point:
    """Where a threshold stands."""

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def curve(scores: Float64, is_mate: Bools, mates: int) -> tuple[Float64, Float64, Float64]:
    """Thresholds downwards, precision and recall at each; mates never compared are missed."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(is_mate[order])
    return scores[order], hits / np.arange(1, len(order) + 1), hits / mates


def best_threshold(scores: Float64, is_mate: Bools, mates: int) -> float:
    """The threshold of the largest F1."""
    thresholds, precision, recall = curve(scores, is_mate, mates)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[int(np.argmax(f1))])


def at(threshold: float, scores: Float64, is_mate: Bools, mates: int) -> Point:
    """Precision and recall of all pairs at or above a threshold."""
    taken = scores >= threshold
    hits = int((taken & is_mate).sum())
    return Point(threshold, hits / max(1, int(taken.sum())), hits / mates)


def bootstrap_f1(
    threshold: float, scores: Float64, is_mate: Bools, owners: Int64, has_mate: Bools
) -> Float64:
    """F1 of resampled people: float64 array of shape (BOOTSTRAPS,).

    ``owners`` is the missing record of each pair, of shape (n_pairs,); ``has_mate`` says of each
    missing record whether it has a mate at all.
    """
    people = len(has_mate)
    taken = np.bincount(owners, weights=scores >= threshold, minlength=people)
    hits = np.bincount(owners, weights=(scores >= threshold) & is_mate, minlength=people)
    chance = np.random.default_rng(0)
    results = []
    for _ in range(BOOTSTRAPS):
        drawn = np.bincount(chance.integers(0, people, people), minlength=people)
        denominator = (drawn * taken).sum() + (drawn * has_mate).sum()
        results.append(2 * (drawn * hits).sum() / max(1.0, denominator))
    return np.array(results)


def interval(values: Float64) -> list[float]:
    """The middle 95 per cent."""
    return [round(float(edge), 4) for edge in np.quantile(values, [0.025, 0.975])]


def recall_at(k: int, scores: Float64, is_mate: Bools, owners: Int64, mates: int) -> float:
    """Mates that are among the ``k`` best of their missing record: what reviewers are shown."""
    order = np.lexsort((-scores, owners))
    ranked = owners[order]
    starts = np.searchsorted(ranked, ranked)
    rank = np.arange(len(order)) - starts
    return float((is_mate[order] & (rank < k)).sum() / mates)
