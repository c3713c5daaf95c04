"""From folders to rows: which photos, whose, and what the embedder makes of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.faces.features import Faces, cached_rows, read_faces
from evals.faces.layouts import LabelledPhoto, is_sealed
from evals.faces.methods import Rows
from evals.faces.metrics import Float32
from evals.faces.protocol import People
from reunite.faces.embedding import Embedder
from reunite.faces.engine import FaceEngine

GROWN = 18


@dataclass(frozen=True)
class Source:
    """Photos and the folder that they lie in."""

    folder: Path
    photos: list[LabelledPhoto]


class Reader:
    """Reads with the product's engine; nothing is read twice."""

    def __init__(self, engine: FaceEngine, cache: Path) -> None:
        self._engine, self._cache = engine, cache
        self._embedder: Embedder | None = None

    def faces(self, source: Source) -> Faces:
        return read_faces(source.photos, source.folder, self._engine, self._cache)

    def rows(self, source: Source) -> tuple[Rows, str]:
        """What the embedder says about every photo, and the digest of the data."""
        faces = self.faces(source)
        key = f"embedding-{self._engine.model.sha256[:16]}"
        return Rows(cached_rows(faces, key, self._embed, self._cache)), faces.digest

    def _embed(self, chips: Float32) -> Float32:
        if self._embedder is None:
            self._embedder = Embedder(self._engine.model, intra_op_threads=2)
        return self._embedder.embed(chips)


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
    return Rows(np.concatenate([one.embeddings for one in rows]))


def nameless(photos: list[LabelledPhoto]) -> list[LabelledPhoto]:
    """The same photos as strangers: grown up, without a name."""
    return [LabelledPhoto(photo.path, age_years=photo.age_years) for photo in photos]
