"""What is compared in a run: raw templates, the yardstick, and what the product ships.

"Told" methods know for each photo whether a child or a grown-up is on it, as a record mostly
does and as the yardstick always does; the others estimate it from the face.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.faces.baseline import LinearDiscriminant, unit
from evals.faces.metrics import Bool, Float32
from evals.faces.protocol import Method, People, Templates
from reunite.faces.adapters import Adapter
from reunite.faces.fitting import AgedRows, LabelledRows, fit_adapter
from reunite.faces.registry import FaceModel

YOUNG_YEARS, GROWN_YEARS = 8.0, 40.0


@dataclass(frozen=True)
class Rows:
    """What the models say about each photo.

    embeddings : for each model float32 of shape (n, its dim), rows L2-normalised
    """

    embeddings: tuple[Float32, ...]

    def at(self, rows: npt.NDArray[np.intp] | Bool) -> tuple[Float32, ...]:
        return tuple(one[rows] for one in self.embeddings)


@dataclass(frozen=True)
class Fitting:
    """What adapters are fitted with in a run: the models, and faces of known age."""

    models: tuple[FaceModel, ...]
    aged: AgedRows


def raw(rows: Rows) -> Method:
    """The first model's embedding as it is."""

    def made(_: Bool) -> Templates:
        return lambda at: unit(rows.embeddings[0][at]).astype(np.float32)

    return made


def baseline(rows: Rows, people: People) -> Method:
    """The yardstick, which is told who is young."""

    def made(fit_on: Bool) -> Templates:
        first = rows.embeddings[0]
        fitted = LinearDiscriminant(first[fit_on], people.ids[fit_on], people.young[fit_on])
        return lambda at: fitted(first[at], people.young[at])

    return made


def adapter(
    rows: Rows, people: People, fitting: Fitting, models: int, *, told: bool = False
) -> Method:
    """The product's adapter on the first so many models; ages are estimated or told."""

    def made(fit_on: Bool) -> Templates:
        known = LabelledRows(rows.at(fit_on)[:models], people.ids[fit_on], people.young[fit_on])
        aged = AgedRows(fitting.aged.embeddings[:models], fitting.aged.ages)
        fitted = fit_adapter(
            fitting.models[:models], known, aged, name="trial", training_data="a fold"
        )
        return installed(rows, fitted, people if told else None)(fit_on)

    return made


def installed(rows: Rows, fitted: Adapter, told: People | None = None) -> Method:
    """An adapter as it is in its file; ``told`` gives it ages, as a record gives them."""

    def made(_: Bool) -> Templates:
        def templates(at: npt.NDArray[np.intp]) -> Float32:
            ages = None if told is None else _ages(told, at)
            return fitted.templates(rows.at(at)[: len(fitted.parts)], ages)

        return templates

    return made


def _ages(people: People, at: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Ages, or what stands for young and grown where a folder tells no more.

    Strangers' ages stay unknown: nothing was said about them.
    """
    stand_in = np.where(people.young[at], YOUNG_YEARS, GROWN_YEARS)
    ages = np.where(np.isnan(people.ages[at]), stand_in, people.ages[at])
    return np.where(people.ids[at] < 0, np.nan, ages)


def make_methods(
    rows: Rows, people: People, fitting: Fitting | None, shipped: Adapter | None
) -> dict[str, Method]:
    """Every method by name, the one that the run is about last."""
    methods = {"raw": raw(rows), "baseline": baseline(rows, people)}
    if fitting is not None:
        for count in range(1, len(fitting.models) + 1):
            name = "adapter " + "+".join(model.name for model in fitting.models[:count])
            methods[name] = adapter(rows, people, fitting, count)
            methods[f"{name}, told"] = adapter(rows, people, fitting, count, told=True)
    if shipped is not None:
        methods["shipped"] = installed(rows, shipped)
        methods["shipped, told"] = installed(rows, shipped, people)
    return methods
