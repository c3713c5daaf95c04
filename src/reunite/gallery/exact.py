"""The simple gallery: float32 templates in memory, compared one and all.

The yardstick for every other engine, and enough by itself for about a million faces.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from reunite.gallery.filters import Mask, admit, admits_all
from reunite.gallery.port import (
    ADMIT_ALL,
    FACT_DTYPE,
    Enrolment,
    Facts,
    Filter,
    Float32,
    Hits,
    Int64,
    Probes,
    TemplateSpace,
    check_enrolment,
    check_search,
)
from reunite.gallery.ranking import HitTable, score

_FIRST_CAPACITY = 1024
_ROWS_AT_ONCE = 65_536
_PROBES_AT_ONCE = 64
# Products of unit vectors rounded to float32 differ by less than this, at 4,096 dimensions
# too; candidates this near the k-th are scored again in float64.
_ROUNDING = np.float32(1e-4)
# Dead rows cost time in every scan; beyond this share they are squeezed out.
_DEAD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Rows:
    """What readers see: replaced as a whole, and never changed below ``used``."""

    vectors: Float32
    template_ids: Int64
    facts: Facts
    live: Mask
    used: int

    @classmethod
    def empty(cls, dim: int, capacity: int) -> "_Rows":
        return cls(
            np.empty((capacity, dim), dtype=np.float32),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=FACT_DTYPE),
            np.zeros(capacity, dtype=np.bool_),
            0,
        )

    def grown(self, capacity: int) -> "_Rows":
        kept = np.flatnonzero(self.live[: self.used])
        bigger = _Rows.empty(self.vectors.shape[1], capacity)
        bigger.vectors[: len(kept)] = self.vectors[kept]
        bigger.template_ids[: len(kept)] = self.template_ids[kept]
        bigger.facts[: len(kept)] = self.facts[kept]
        bigger.live[: len(kept)] = True
        return bigger.with_used(len(kept), bigger.live)

    def with_used(self, used: int, live: Mask) -> "_Rows":
        return _Rows(self.vectors, self.template_ids, self.facts, live, used)


class ExactGallery:
    """A gallery in memory.  One writer at a time, any number of readers beside it."""

    def __init__(self, space: TemplateSpace) -> None:
        self._space = space
        self._rows = _Rows.empty(space.dim, _FIRST_CAPACITY)
        self._row_of: dict[int, int] = {}
        self._writing = threading.Lock()

    @property
    def space(self) -> TemplateSpace:
        """The space of every template held."""
        return self._space

    def __len__(self) -> int:
        """Live templates."""
        return len(self._row_of)

    @property
    def is_writable(self) -> bool:
        """Always: nobody else sees this memory."""
        return True

    def template_ids(self) -> Int64:
        """The ids of all live templates, ascending."""
        rows = self._rows
        ids: Int64 = np.sort(rows.template_ids[: rows.used][rows.live[: rows.used]])
        return ids

    def add(self, enrolment: Enrolment) -> None:
        """Hold these templates from now on, in memory only; see ``Gallery.add``."""
        check_enrolment(self._space, enrolment)
        n = len(enrolment.template_ids)
        if not n:
            return
        with self._writing:
            rows = self._rows
            if rows.used + n > len(rows.live):
                rows = rows.grown(max(_FIRST_CAPACITY, 2 * (len(self._row_of) + n)))
                self._row_of = self._index(rows)
            new_ids = [int(one) for one in enrolment.template_ids]
            replaced = [self._row_of[one] for one in new_ids if one in self._row_of]
            # Rows past ``used`` are out of every reader's sight; a replaced row is not, so
            # its tombstone goes into a copy that comes into force with the new row.
            live = rows.live.copy() if replaced else rows.live
            live[replaced] = False
            end = rows.used + n
            rows.vectors[rows.used : end] = enrolment.vectors
            rows.template_ids[rows.used : end] = enrolment.template_ids
            rows.facts[rows.used : end] = enrolment.facts
            live[rows.used : end] = True
            self._row_of.update(zip(new_ids, range(rows.used, end), strict=True))
            self._rows = rows.with_used(end, live)

    def remove(self, template_ids: Sequence[int] | Int64) -> int:
        """Forget these templates; how many were held."""
        with self._writing:
            gone = [
                self._row_of.pop(one)
                for one in {int(each) for each in template_ids}
                if one in self._row_of
            ]
            if not gone:
                return 0
            rows = self._rows
            # In a copy: a search that has begun must not see half of a removal.
            live = rows.live.copy()
            live[gone] = False
            self._rows = rows.with_used(rows.used, live)
            if len(self._row_of) < _DEAD_SHARE * rows.used:
                smaller = self._rows.grown(max(_FIRST_CAPACITY, 2 * len(self._row_of)))
                self._row_of = self._index(smaller)
                self._rows = smaller
            return len(gone)

    def search(
        self,
        probes: Probes,
        k: int = 50,
        filter: Filter = ADMIT_ALL,  # noqa: A002
    ) -> Hits:
        """Compare every admitted live template with every probe; see ``Gallery.search``."""
        check_search(self._space, probes, k)
        started = perf_counter()
        rows = self._rows
        admitted = rows.live[: rows.used]
        if not admits_all(filter):
            admitted = admitted & admit(
                rows.facts[: rows.used], rows.template_ids[: rows.used], filter
            )
        searched = int(np.count_nonzero(admitted))
        table = HitTable.empty(len(probes.vectors), k)
        for first in range(0, len(probes.vectors), _PROBES_AT_ONCE):
            some = probes.vectors[first : first + _PROBES_AT_ONCE]
            for offset, kept in enumerate(_candidates(rows, admitted, some, k)):
                table.put(
                    first + offset,
                    rows.template_ids[kept],
                    score(rows.vectors[kept], some[offset]),
                    rows.facts["subject_id"][kept],
                )
        return table.hits(searched, perf_counter() - started)

    @staticmethod
    def _index(rows: _Rows) -> dict[int, int]:
        ids = rows.template_ids[: rows.used].tolist()
        return dict(zip(ids, range(rows.used), strict=True))


def _chunks(rows: _Rows, admitted: Mask) -> Iterator[tuple[Int64, Float32]]:
    """Positions and vectors of the admitted rows, some at a time."""
    for start in range(0, rows.used, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, rows.used)
        mask = admitted[start:end]
        count = int(np.count_nonzero(mask))
        if count == end - start:
            yield np.arange(start, end), rows.vectors[start:end]
        elif count:
            positions = np.flatnonzero(mask) + start
            yield positions, rows.vectors[positions]


@dataclass(slots=True)
class _Best:
    """The rows that may be among the best ``k`` of one probe, as the scan goes on."""

    k: int
    floor: np.float32 = field(default=np.float32(-np.inf))
    positions: list[Int64] = field(default_factory=list)
    similarity: list[Float32] = field(default_factory=list)
    top: Float32 = field(default_factory=lambda: np.empty(0, dtype=np.float32))

    def look(self, positions: Int64, similarity: Float32) -> None:
        near = np.flatnonzero(similarity >= self.floor)
        if not len(near):
            return
        self.positions.append(positions[near])
        self.similarity.append(similarity[near])
        top = np.concatenate((self.top, similarity[near]))
        if len(top) > self.k:
            top = np.partition(top, len(top) - self.k)[-self.k :]
        self.top = top
        if len(top) == self.k:
            self.floor = top.min() - _ROUNDING

    def rows(self) -> Int64:
        if not self.positions:
            return np.empty(0, dtype=np.int64)
        near = np.concatenate(self.similarity) >= self.floor
        rows: Int64 = np.concatenate(self.positions)[near]
        return rows


def _candidates(rows: _Rows, admitted: Mask, probes: Float32, k: int) -> list[Int64]:
    """Per probe the rows that may be among its best ``k``; always includes those that are."""
    best = [_Best(k) for _ in probes]
    for positions, vectors in _chunks(rows, admitted):
        for one, similarity in zip(best, probes @ vectors.T, strict=True):
            one.look(positions, similarity)
    return [one.rows() for one in best]
