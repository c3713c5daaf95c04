"""Fit an adapter on people whose young and grown faces are known.

For each model: ageing is taken away by group means; discriminant directions are found
between people, against the differences within them, regularised by shrinkage and by the
directions in which faces of all people change with age (for those, ages suffice and nobody
need be known); they are weighted as the product term of the PLDA likelihood ratio (Ioffe,
"Probabilistic linear discriminant analysis", ECCV 2006).  The models' templates are joined
with fixed weights and reduced to the leading directions.  ``docs/faces.md`` tells what else
was tried and lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from reunite.faces.adapters import Adapter, AdapterError, AdapterPart, unit
from reunite.faces.registry import FaceModel

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LEAST_PEOPLE: Final = 20
LEAST_AGED: Final = 200
AGE_BAND_EDGES: Final = (2, 4, 7, 10, 13, 16, 20, 26, 36, 50, 65)
LEAST_IN_BAND: Final = 5
AGE_RIDGE: Final = 1.0  # rows have length one, so this counts in rows
SHRINKAGE: Final = 0.6
SHRINKAGE_OF_LONG: Final = 0.8
LONGEST_PLAIN_DIM: Final = 256
DIM_OF_TWO: Final = 128
DIM_OF_MORE: Final = 256
OWN_LICENCE: Final = "operator's own"


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What the search on LAG's development half settled; the first model's value, then others'.

    The last value of each counts for every further model.

    shrinkage : how far the scatter within people is pulled towards the same in all directions
    ageing : weight of the scatter between age bands, in units of that within people
    weights : share of each model in a similarity
    dim : numbers of a template
    """

    shrinkage: tuple[float, ...] = (SHRINKAGE,)
    ageing: tuple[float, ...] = (0.2, 0.0)
    weights: tuple[float, ...] = (1.0, 0.3)
    dim: int = DIM_OF_TWO

    @classmethod
    def for_models(cls, models: Sequence[FaceModel]) -> "FitOptions":
        """By the number of models and the length of what each says.

        Long embeddings of few people are mostly chance, so they are pulled together more; and
        what three models know no longer fits into 128 numbers.
        """
        return cls(
            shrinkage=tuple(
                SHRINKAGE if model.dim <= LONGEST_PLAIN_DIM else SHRINKAGE_OF_LONG
                for model in models
            ),
            dim=DIM_OF_TWO if len(models) <= 2 else DIM_OF_MORE,  # noqa: PLR2004
        )


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Faces of known people.

    embeddings : for each model float32 of shape (n, its dim), rows L2-normalised
    ids : int64 of shape (n,), whose face it is; young : whether it is a child's
    """

    embeddings: tuple[Float32, ...]
    ids: Int64
    young: Bool

    def at(self, rows: npt.NDArray[np.intp] | Bool) -> "LabelledRows":
        """Some of them."""
        return LabelledRows(
            tuple(one[rows] for one in self.embeddings), self.ids[rows], self.young[rows]
        )


@dataclass(frozen=True, eq=False)
class AgedRows:
    """Faces of known age; whose they are does not matter.

    embeddings : as in ``LabelledRows``; ages : float64 of shape (n,), years
    """

    embeddings: tuple[Float32, ...]
    ages: Float64 = field(default_factory=lambda: np.zeros(0))


def fit_adapter(
    models: Sequence[FaceModel],
    people: LabelledRows,
    aged: AgedRows,
    *,
    name: str,
    training_data: str,
    licence: str = OWN_LICENCE,
    options: FitOptions | None = None,
) -> Adapter:
    """The adapter for these models, in this order.

    Raises AdapterError ``adapter_data_too_small`` with ``people`` or ``aged`` and the least
    number in its details.
    """
    options = options or FitOptions.for_models(models)
    _require_enough(people, aged)
    slopes, intercept = _age_line(aged)
    parts, projected = [], []
    for number, model in enumerate(models):
        weight = _of(options.weights, number)
        part = _fit_part(
            people.embeddings[number],
            people,
            _ageing(aged, number),
            model_digest=model.sha256,
            weight=weight,
            shrinkage=_of(options.shrinkage, number),
            ageing_weight=_of(options.ageing, number),
            age_slope=slopes[number],
        )
        parts.append(part)
        centred = people.embeddings[number] - _centre(part, people.young)
        projected.append(np.sqrt(weight) * unit(centred @ part.projection))
    joined = np.concatenate(projected, axis=1)
    _, _, directions = np.linalg.svd(joined, full_matrices=False)
    return Adapter(
        name=name,
        parts=tuple(parts),
        joining=directions[: options.dim].T.astype(np.float32),
        age_intercept=intercept,
        training_data=training_data,
        licence=licence,
    )


def _of(values: tuple[float, ...], number: int) -> float:
    return values[min(number, len(values) - 1)]


def _require_enough(people: LabelledRows, aged: AgedRows) -> None:
    both = np.intersect1d(people.ids[people.young], people.ids[~people.young])
    if len(both) < LEAST_PEOPLE:
        raise AdapterError("adapter_data_too_small", people=len(both), least=LEAST_PEOPLE)
    if len(aged.ages) < LEAST_AGED:
        raise AdapterError("adapter_data_too_small", aged=len(aged.ages), least=LEAST_AGED)


def _fit_part(
    rows: Float32,
    people: LabelledRows,
    ageing: Float64,
    *,
    model_digest: str,
    weight: float,
    shrinkage: float,
    ageing_weight: float,
    age_slope: Float64,
) -> AdapterPart:
    young_mean = rows[people.young].mean(axis=0)
    grown_mean = rows[~people.young].mean(axis=0)
    centred = rows - np.where(people.young[:, None], young_mean, grown_mean)
    within, between = _scatter(centred.astype(np.float64), people.ids)
    scale = np.trace(within) / len(within)
    within = within / scale + ageing_weight * ageing
    flat = np.trace(within) / len(within) * np.eye(len(within))
    projection = _discriminant(between / scale, (1 - shrinkage) * within + shrinkage * flat)
    return AdapterPart(
        model_digest=model_digest,
        weight=weight,
        young_mean=young_mean.astype(np.float32),
        grown_mean=grown_mean.astype(np.float32),
        projection=projection.astype(np.float32),
        age_slope=age_slope.astype(np.float32),
    )


def _scatter(rows: Float64, ids: Int64) -> tuple[Float64, Float64]:
    """Covariance within people and of their means."""
    _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    means = np.zeros((len(counts), rows.shape[1]))
    np.add.at(means, inverse, rows)
    means /= counts[:, None]
    rest = rows - means[inverse]
    within = rest.T @ rest / max(len(rows) - len(counts), 1)
    between = np.asarray(np.cov(means.T), dtype=np.float64)
    return within, between


def _discriminant(between: Float64, within: Float64) -> Float64:
    """Directions that tell people apart, each weighted by how well."""
    scales, axes = np.linalg.eigh(within)
    whitening = axes / np.sqrt(scales)
    values, vectors = np.linalg.eigh(np.asarray(whitening.T @ between @ whitening))
    positive = np.maximum(values, 0)
    projection: Float64 = (whitening @ vectors) * np.sqrt(positive / (1 + 2 * positive))
    return projection


def _ageing(aged: AgedRows, number: int) -> Float64:
    """Scatter between mean faces of age bands, scaled to a mean variance of one."""
    rows = aged.embeddings[number].astype(np.float64)
    band = np.digitize(aged.ages, AGE_BAND_EDGES)
    means = [
        rows[band == b].mean(axis=0) for b in np.unique(band) if (band == b).sum() >= LEAST_IN_BAND
    ]
    scatter = np.cov(np.array(means).T) if len(means) > 1 else np.eye(rows.shape[1])
    scaled: Float64 = scatter / np.trace(scatter) * len(scatter)
    return scaled


def _age_line(aged: AgedRows) -> tuple[list[Float64], float]:
    """Ridge regression of log(1 + age) on all embeddings: slopes by model, and the intercept."""
    rows = np.concatenate(aged.embeddings, axis=1).astype(np.float64)
    log_ages = np.log1p(aged.ages)
    mean = rows.mean(axis=0)
    centred = rows - mean
    covariance = centred.T @ centred + AGE_RIDGE * np.eye(rows.shape[1])
    slope = np.linalg.solve(covariance, centred.T @ (log_ages - log_ages.mean()))
    edges = np.cumsum([one.shape[1] for one in aged.embeddings])[:-1]
    # The stored slopes are float32: the intercept is that of what will be used.
    used = slope.astype(np.float32).astype(np.float64)
    return list(np.split(slope, edges)), float(log_ages.mean() - mean @ used)


def _centre(part: AdapterPart, young: Bool) -> Float32:
    centre: Float32 = np.where(young[:, None], part.young_mean, part.grown_mean)
    return centre
