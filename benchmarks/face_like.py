"""Templates with the geometry of faces, made in portions, the same for the same seed.

A template is a draw from a normal distribution whose spectrum falls as k^-0.7, with 32 mild
clusters that carry 6 % of the variance, normalised.  A probe is built from its mate at a
cosine drawn from N(0.52, 0.10), cut to 0.30-0.80, which is what child-to-adult pairs give;
the rest of it is drawn like any face.  Pairs under 0.45 are the hard ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reunite.gallery.port import Facts, Float32, Int64, make_facts

PORTION = 100_000
HARD_BELOW = 0.45
_CLUSTERS = 32
_CLUSTER_SHARE = 0.06
_DECAY = 0.7


@dataclass(frozen=True, slots=True)
class Portion:
    """Some templates: ids, vectors of shape (n, dim), facts."""

    template_ids: Int64
    vectors: Float32
    facts: Facts


def _normalised(rows: npt.NDArray[np.floating]) -> Float32:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32, copy=False)


class FaceLike:
    """``faces`` templates of ``dim`` numbers and ``n_probes`` probes with a mate each."""

    def __init__(self, faces: int, dim: int, n_probes: int = 1000, seed: int = 20) -> None:
        self.faces, self.dim, self._seed = faces, dim, seed
        spectrum = np.arange(1, dim + 1, dtype=np.float64) ** -_DECAY
        spectrum *= dim / spectrum.sum()
        rng = np.random.default_rng([seed, 0])
        self._scale = np.sqrt((1 - _CLUSTER_SHARE) * spectrum).astype(np.float32)
        centres = rng.standard_normal((_CLUSTERS, dim)) * np.sqrt(_CLUSTER_SHARE * spectrum)
        self._centres = centres.astype(np.float32)
        self.mate_rows: Int64 = np.sort(rng.choice(faces, n_probes, replace=False))
        self.mates = self._draw(rng, n_probes)
        others = self._draw(rng, n_probes)
        cosine = np.clip(rng.normal(0.52, 0.10, n_probes), 0.30, 0.80).astype(np.float32)
        aside = _normalised(others - (others * self.mates).sum(1)[:, None] * self.mates)
        self.cosine = cosine
        self.probes: Float32 = _normalised(
            cosine[:, None] * self.mates + np.sqrt(1 - cosine**2)[:, None] * aside
        )

    @property
    def mate_ids(self) -> Int64:
        """Template id of each probe's mate."""
        return self.mate_rows + 1

    def _draw(self, rng: np.random.Generator, n: int) -> Float32:
        rows = rng.standard_normal((n, self.dim), dtype=np.float32)
        rows *= self._scale
        rows += self._centres[rng.integers(0, _CLUSTERS, n)]
        return _normalised(rows)

    def portions(self) -> Iterator[Portion]:
        """All templates in order of id."""
        for number, start in enumerate(range(0, self.faces, PORTION)):
            n = min(PORTION, self.faces - start)
            rng = np.random.default_rng([self._seed, 1, number])
            vectors = self._draw(rng, n)
            first, last = np.searchsorted(self.mate_rows, [start, start + n])
            vectors[self.mate_rows[first:last] - start] = self.mates[first:last]
            ids = np.arange(start + 1, start + n + 1, dtype=np.int64)
            yield Portion(ids, vectors, plausible_facts(rng, ids))


class FromFile:
    """Real templates: an ``.npz`` with ``gallery``, ``probes`` and ``mates`` (row numbers)."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as held:
            self._vectors = _normalised(held["gallery"].astype(np.float32))
            self.probes = _normalised(held["probes"].astype(np.float32))
            self.mate_rows: Int64 = held["mates"].astype(np.int64)
        self.faces, self.dim = self._vectors.shape
        self.cosine = (self._vectors[self.mate_rows] * self.probes).sum(axis=1)

    @property
    def mate_ids(self) -> Int64:
        """Template id of each probe's mate."""
        return self.mate_rows + 1

    def portions(self) -> Iterator[Portion]:
        """All templates in order of id."""
        rng = np.random.default_rng(0)
        for start in range(0, self.faces, PORTION):
            vectors = self._vectors[start : start + PORTION]
            ids = np.arange(start + 1, start + len(vectors) + 1, dtype=np.int64)
            yield Portion(ids, vectors, plausible_facts(rng, ids))


def plausible_facts(rng: np.random.Generator, ids: Int64) -> Facts:
    """Facts in proportions that a national register might have."""
    n = len(ids)
    facts = make_facts(n)
    facts["subject_id"] = ids
    facts["side"] = rng.choice(np.array([1, 2], np.uint8), n, p=[0.6, 0.4])
    facts["module"] = rng.choice(np.array([1, 2, 3], np.uint8), n, p=[0.6, 0.35, 0.05])
    facts["sex"] = rng.choice(np.array([0, 1, 2], np.uint8), n, p=[0.04, 0.48, 0.48])
    years: npt.NDArray[np.int16] = rng.integers(1930, 2026, n).astype(np.int16)
    years[rng.random(n) < 0.03] = 0
    facts["birth_year"] = years
    facts["region"] = rng.integers(0, 35, n)
    newest = (date(2026, 1, 1) - date(1970, 1, 1)).days
    facts["seen_day"] = rng.integers(7000, newest, n)
    return facts
