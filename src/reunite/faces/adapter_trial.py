"""Whether a new adapter would find people better than what is in use, before it is installed.

People are divided into folds; for each, an adapter is fitted on all others and tried on it.
What is in use was perhaps fitted on some of them, so the comparison favours it: what wins
all the same is better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reunite.faces.adapters import Adapter
from reunite.faces.fitting import AgedRows, FitOptions, LabelledRows, fit_adapter
from reunite.faces.registry import FaceModel

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

FOLDS: Final = 5
DRAWS: Final = 500
FALSE_POSITIVE_RATE: Final = 1e-2  # small folders have too few strangers for less
# A gain of rank-1 that 19 in 20 draws of people show.
CONFIDENT_QUANTILE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Trial:
    """How often the right person came first, and how many mates passed the threshold."""

    rank1: float
    true_positive_rate: float


@dataclass(frozen=True, slots=True)
class TrialReport:
    """Both sides on people whom the candidate was not fitted on.

    ``rank1_gain_at_least`` is the gain that 95 % of bootstrap draws of people exceed.
    """

    people: int
    photos: int
    current: Trial
    candidate: Trial
    rank1_gain_at_least: float

    @property
    def is_better(self) -> bool:
        """Whether to install: surely better at rank one, and not worse at the threshold."""
        return (
            self.rank1_gain_at_least > 0
            and self.candidate.true_positive_rate >= self.current.true_positive_rate
        )


def cross_validate(
    models: Sequence[FaceModel],
    people: LabelledRows,
    aged: AgedRows,
    current: Adapter | None,
    *,
    options: FitOptions | None = None,
    refit_current: bool = False,
    seed: int = 0,
) -> TrialReport:
    """Try the fitted adapter against the current one; None is the first model's own output.

    ``current`` must be for these models or the first of them.  ``refit_current`` is for one that
    was fitted on these very people and knows them: then its models are fitted anew on the others.
    Raises AdapterError ``adapter_data_too_small``.
    """
    fold_of = fold_of_people(people.ids, seed)
    fitted_templates = cross_fitted(models, people, aged, options=options, seed=seed)
    if refit_current and current is not None:
        count = len(current.parts)
        current_templates = cross_fitted(
            models[:count],
            LabelledRows(people.embeddings[:count], people.ids, people.young),
            AgedRows(aged.embeddings[:count], aged.ages),
            seed=seed,
        )
    else:
        current_templates = templates_of(current)(people)
    found: dict[str, list[tuple[int, bool]]] = {"current": [], "candidate": []}
    rates: dict[str, list[float]] = {"current": [], "candidate": []}
    for fold in range(FOLDS):
        inside = fold_of == fold
        tried = people.at(inside)
        for name, templates in (("current", current_templates), ("candidate", fitted_templates)):
            found[name] += _first(templates[inside], tried)
            rates[name].append(_true_positive_rate(templates[inside], tried))
    hits = {name: np.array(pairs, dtype=np.int64) for name, pairs in found.items()}
    return TrialReport(
        people=len(np.unique(people.ids)),
        photos=len(people.ids),
        current=Trial(float(hits["current"][:, 1].mean()), float(np.nanmean(rates["current"]))),
        candidate=Trial(
            float(hits["candidate"][:, 1].mean()), float(np.nanmean(rates["candidate"]))
        ),
        rank1_gain_at_least=_gain_at_least(hits["current"], hits["candidate"], seed),
    )


def cross_fitted(
    models: Sequence[FaceModel],
    people: LabelledRows,
    aged: AgedRows,
    *,
    options: FitOptions | None = None,
    seed: int = 0,
) -> Float32:
    """The template of each photo by an adapter that never saw its person, shape (n, dim)."""
    fold_of = fold_of_people(people.ids, seed)
    templates: Float32 | None = None
    for fold in range(FOLDS):
        inside = fold_of == fold
        fitted = fit_adapter(
            models, people.at(~inside), aged, name="trial", training_data="a fold", options=options
        )
        if templates is None:
            templates = np.zeros((len(people.ids), fitted.dim), dtype=np.float32)
        templates[inside] = templates_of(fitted)(people.at(inside))
    assert templates is not None  # noqa: S101 - there are folds
    return templates


def fold_of_people(ids: Int64, seed: int) -> Int64:
    """The fold of each photo; all photos of a person are in one."""
    everybody, number = np.unique(ids, return_inverse=True)
    fold: Int64 = (np.random.default_rng(seed).permutation(len(everybody)) % FOLDS)[number]
    return fold


def templates_of(adapter: Adapter | None) -> Callable[[LabelledRows], Float32]:
    """How templates are made: by the adapter, or the first model's output as it is."""
    if adapter is None:
        return lambda rows: rows.embeddings[0]
    return lambda rows: adapter.templates(rows.embeddings[: len(adapter.parts)])


def _first(templates: Float32, people: LabelledRows) -> list[tuple[int, bool]]:
    """For each young photo with a grown mate: whose it is, and whether the mate came first."""
    probes, gallery = np.flatnonzero(people.young), np.flatnonzero(~people.young)
    if not len(probes) or not len(gallery):
        return []
    nearest = people.ids[gallery[(templates[probes] @ templates[gallery].T).argmax(axis=1)]]
    mated = np.isin(people.ids[probes], people.ids[gallery])
    own = people.ids[probes]
    return [
        (int(person), bool(person == other))
        for person, other in zip(own[mated], nearest[mated], strict=True)
    ]


def _true_positive_rate(templates: Float32, people: LabelledRows) -> float:
    probes, gallery = np.flatnonzero(people.young), np.flatnonzero(~people.young)
    scores = templates[probes] @ templates[gallery].T
    same = people.ids[probes][:, None] == people.ids[gallery][None, :]
    if not same.any() or same.all():
        return float("nan")
    threshold = np.quantile(scores[~same], 1 - FALSE_POSITIVE_RATE)
    return float((scores[same] > threshold).mean())


def _gain_at_least(current: Int64, candidate: Int64, seed: int) -> float:
    """Of rank one, by drawing people with replacement."""
    rng = np.random.default_rng(seed)
    people, number = np.unique(current[:, 0], return_inverse=True)
    difference = candidate[:, 1] - current[:, 1]
    gains = []
    for _ in range(DRAWS):
        weight = np.bincount(rng.integers(0, len(people), len(people)), minlength=len(people))
        gains.append(float(np.average(difference, weights=weight[number] + 1e-12)))
    return float(np.quantile(gains, CONFIDENT_QUANTILE))
