"""The one way in which every engine scores its last candidates and orders them.

Matrix products round differently with the shape of the matrix, so two equal faces could
come out unequal.  Here the score of a row depends on that row and the probe alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reunite.gallery.port import NO_TEMPLATE, Float32, Hits, Int64

_ROWS_AT_ONCE = 4096


def score(rows: npt.NDArray[np.floating], probe: Float32) -> Float32:
    """Cosine of each row with the probe, summed in float64 and rounded once.

    rows : float array of shape (n, dim)
    probe : float32 array of shape (dim,)
    Returns a float32 array of shape (n,).
    """
    out = np.empty(len(rows), dtype=np.float32)
    wide = probe.astype(np.float64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE].astype(np.float64)
        out[start : start + len(part)] = (part * wide).sum(axis=1)
    return out


def best_first(similarity: Float32, template_ids: Int64, k: int) -> Int64:
    """Positions of the ``k`` most similar, best first; equal ones by template id.

    similarity, template_ids : arrays of shape (n,)
    Returns an int64 array of shape (min(k, n),).
    """
    if len(similarity) > 4 * k:
        # Whoever ties with the k-th stays, so that the id decides and not the partition.
        kth = np.partition(similarity, len(similarity) - k)[len(similarity) - k]
        kept = np.flatnonzero(similarity >= kth)
    else:
        kept = np.arange(len(similarity))
    order = np.lexsort((template_ids[kept], -similarity[kept]))
    best: Int64 = kept[order[:k]].astype(np.int64, copy=False)
    return best


@dataclass(slots=True)
class HitTable:
    """Hits in the making: empty places are filled as the port says."""

    template_ids: Int64
    similarity: Float32
    subject_ids: Int64

    @classmethod
    def empty(cls, n_probes: int, k: int) -> "HitTable":
        """A table in which nobody has been found yet."""
        return cls(
            np.full((n_probes, k), NO_TEMPLATE, dtype=np.int64),
            np.full((n_probes, k), -np.inf, dtype=np.float32),
            np.full((n_probes, k), NO_TEMPLATE, dtype=np.int64),
        )

    def put(self, probe: int, template_ids: Int64, similarity: Float32, subject_ids: Int64) -> None:
        """Keep the best of these candidates as the hits of one probe."""
        order = best_first(similarity, template_ids, self.similarity.shape[1])
        self.template_ids[probe, : len(order)] = template_ids[order]
        self.similarity[probe, : len(order)] = similarity[order]
        self.subject_ids[probe, : len(order)] = subject_ids[order]

    def hits(self, searched: int, elapsed_seconds: float, *, incomplete: bool = False) -> Hits:
        """The finished answer."""
        return Hits(
            self.template_ids,
            self.similarity,
            self.subject_ids,
            searched,
            elapsed_seconds,
            incomplete,
        )
