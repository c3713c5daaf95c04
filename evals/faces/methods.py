"""What is compared in a run: raw templates, the yardstick, and what the product ships."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.faces.baseline import LinearDiscriminant, unit
from evals.faces.metrics import Bool, Float32
from evals.faces.protocol import Method, People, Templates


@dataclass(frozen=True)
class Rows:
    """What the embedder says about each photo.

    embeddings : float32 of shape (n, dim), rows L2-normalised
    """

    embeddings: Float32


def make_methods(rows: Rows, people: People) -> dict[str, Method]:
    """Every method by name, the one that the run is about last."""

    def raw(_: Bool) -> Templates:
        return lambda at: unit(rows.embeddings[at]).astype(np.float32)

    def baseline(fit_on: Bool) -> Templates:
        fitted = LinearDiscriminant(
            rows.embeddings[fit_on], people.ids[fit_on], people.young[fit_on]
        )

        def templates(at: npt.NDArray[np.intp]) -> Float32:
            return fitted(rows.embeddings[at], people.young[at])

        return templates

    return {"raw": raw, "baseline": baseline}
