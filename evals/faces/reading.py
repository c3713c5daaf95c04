"""From folders to rows: which photos, whose, and what the embedder makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.faces.features import Chips, cached_rows, read_faces
from evals.faces.layouts import is_sealed
from evals.faces.methods import Rows
from evals.faces.metrics import Float32, Float64
from evals.faces.protocol import People
from reunite.faces.age import AgeEstimator
from reunite.faces.embedding import Embedder
from reunite.faces.engine import FaceEngine
from reunite.faces.labelled import LabelledPhoto
from reunite.faces.registry import FaceModel

GROWN = 18


@dataclass(frozen=True)
class Source:
    """Photos and the folder that they lie in."""

    folder: Path
    photos: list[LabelledPhoto]


class Reader:
    """Reads with the product's detector and models; nothing is read twice."""

    def __init__(self, engine: FaceEngine, models: tuple[FaceModel, ...], cache: Path) -> None:
        self._engine, self._models, self._cache = engine, models, cache
        self._embedders: dict[str, Embedder] = {}

    def rows(self, source: Source) -> tuple[Rows, str]:
        """What each model says about every photo, and the digest of the data."""
        faces = read_faces(source.photos, source.folder, self._engine, self._cache)
        rows = [
            cached_rows(
                faces, f"{model.name}-{model.sha256[:16]}", self._embedding(model), self._cache
            )
            for model in self._models
        ]
        return Rows(tuple(rows)), faces.digest

    def estimated_ages(self, source: Source) -> Float64:
        """How old each face looks, by the product's estimator."""
        faces = read_faces(source.photos, source.folder, self._engine, self._cache)
        estimator = AgeEstimator(threads=2)

        def years(chips: Chips) -> Float32:
            return np.array([[one.years] for one in estimator.estimate(chips)], dtype=np.float32)

        rows = cached_rows(faces, f"age-{estimator.weights.digest[:16]}", years, self._cache)
        return rows[:, 0].astype(np.float64)

    def _embedding(self, model: FaceModel) -> Callable[[Chips], Float32]:
        def embed(chips: Chips) -> Float32:
            if model.name not in self._embedders:
                self._embedders[model.name] = Embedder(model, intra_op_threads=2)
            return self._embedders[model.name].embed(chips)

        return embed


def people_of(photos: list[LabelledPhoto]) -> People:
    """Whose photos they are; photos without a name are of strangers."""
    names = sorted({photo.person for photo in photos if photo.person})
    number = {name: i for i, name in enumerate(names)}
    ages = np.array(
        [np.nan if photo.age_years is None else photo.age_years for photo in photos], dtype=float
    )
    return People(
        ids=np.array([number.get(photo.person, -1) for photo in photos], dtype=np.int64),
        young=np.array([bool(photo.young) for photo in photos], dtype=np.bool_),
        ages=ages,
        sealed=np.array([is_sealed(photo.person) for photo in photos], dtype=np.bool_),
    )


def joined(rows: list[Rows]) -> Rows:
    by_model = zip(*(one.embeddings for one in rows), strict=True)
    return Rows(tuple(np.concatenate(of_model) for of_model in by_model))


def nameless(photos: list[LabelledPhoto]) -> list[LabelledPhoto]:
    """The same photos as strangers: grown up, without a name."""
    return [LabelledPhoto(photo.path, age_years=photo.age_years) for photo in photos]
