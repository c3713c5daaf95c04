"""Stands for the database: templates by id."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reunite.gallery.port import Enrolment, Float32, Int64


class StoredTemplates:
    """Keeps what a gallery is given, and hands it out by id."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._rows: dict[int, Float32] = {}

    def __call__(self, ids: Int64) -> Float32:
        unknown = np.full(self._dim, np.nan, dtype=np.float32)
        rows = [self._rows.get(one, unknown) for one in ids.tolist()]
        return np.array(rows, dtype=np.float32).reshape(len(ids), self._dim)

    @property
    def ids(self) -> list[int]:
        """Every id it was given."""
        return list(self._rows)

    def follow(self, gallery: Any) -> None:
        """Keep whatever is added to ``gallery`` from now on, as its caller would."""
        add = gallery.add

        def add_and_keep(enrolment: Enrolment) -> None:
            add(enrolment)
            ids: Sequence[int] = enrolment.template_ids.tolist()
            self._rows.update(zip(ids, enrolment.vectors, strict=True))

        gallery.add = add_and_keep
