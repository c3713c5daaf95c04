"""The exact answer in float32, kept while the templates pass by."""

from dataclasses import dataclass, field

import numpy as np

from reunite.gallery.port import Float32, Int64
from reunite.gallery.ranking import best_first

TOP = 50


@dataclass(slots=True)
class Truth:
    """Rank of each probe's mate among all, and the best ``TOP`` of everybody.

    probes, mates : float32 arrays of shape (n, dim)
    """

    probes: Float32
    mates: Float32
    above: Int64 = field(init=False)
    top_ids: list[Int64] = field(init=False)
    top_similarity: list[Float32] = field(init=False)
    _mate_similarity: Float32 = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.probes)
        self.above = np.zeros(n, dtype=np.int64)
        self.top_ids = [np.empty(0, dtype=np.int64) for _ in range(n)]
        self.top_similarity = [np.empty(0, dtype=np.float32) for _ in range(n)]
        self._mate_similarity = np.einsum("ij,ij->i", self.probes, self.mates)

    def look(self, template_ids: Int64, vectors: Float32, mate_ids: Int64) -> None:
        """Compare a portion with every probe."""
        similarity = self.probes @ vectors.T
        better = similarity > self._mate_similarity[:, None]
        self.above += better.sum(axis=1)
        # The mate's own similarity rounds differently here than alone.
        here = np.isin(mate_ids, template_ids)
        own = np.searchsorted(template_ids, mate_ids[here])
        self.above[here] -= better[np.flatnonzero(here), own]
        for probe, row in enumerate(similarity):
            held = self.top_similarity[probe]
            floor = held[-1] if len(held) == TOP else -np.inf
            near = np.flatnonzero(row > floor)
            if not len(near):
                continue
            every = np.concatenate([held, row[near]])
            ids = np.concatenate([self.top_ids[probe], template_ids[near]])
            kept = best_first(every, ids, TOP)
            self.top_similarity[probe], self.top_ids[probe] = every[kept], ids[kept]
