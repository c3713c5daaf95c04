"""The newest rows, in memory and in the log, until they are sealed into a segment."""

from dataclasses import dataclass

import numpy as np

from reunite.gallery.codes import CODE_WORDS, GROUP, CodeShape, Int8, UInt64
from reunite.gallery.port import FACT_DTYPE, Facts, Int64
from reunite.gallery.segments import ArraySource, UInt8, clear_bits

_FIRST_CAPACITY = 1024


@dataclass(frozen=True, slots=True)
class TailView:
    """The tail as one search sees it: rows come and go in later views only."""

    head: UInt64
    tail: UInt64
    rows: Int8
    template_ids: Int64
    facts: Facts
    live: UInt8
    n: int
    live_count: int


class Tail:
    """Rows in order of arrival, laid out for the same scan as a segment.

    Only the holder of the gallery's write lock calls anything but ``view``.
    """

    def __init__(self, shape: CodeShape) -> None:
        self._shape = shape
        self._row_of: dict[int, int] = {}
        self.view = self._sized(_FIRST_CAPACITY)

    def __len__(self) -> int:
        """Rows, dead ones included."""
        return self.view.n

    def _sized(self, capacity: int) -> TailView:
        shape, groups = self._shape, capacity // GROUP
        return TailView(
            np.zeros(groups * shape.head_words * GROUP, dtype=np.uint64),
            np.zeros(groups * shape.tail_words * GROUP, dtype=np.uint64),
            np.zeros((capacity, shape.dims), dtype=np.int8),
            np.zeros(capacity, dtype=np.int64),
            np.zeros(capacity, dtype=FACT_DTYPE),
            np.zeros(capacity // 8, dtype=np.uint8),
            0,
            0,
        )

    def find(self, template_ids: Int64) -> Int64:
        """Live rows that hold any of these ids."""
        row_of = self._row_of
        rows = [row_of[one] for one in template_ids.tolist() if one in row_of]
        return np.array(rows, dtype=np.int64)

    def changed(
        self,
        dead: Int64,
        template_ids: Int64,
        facts: Facts,
        codes: UInt64,
        rows: Int8,
    ) -> TailView:
        """Kill rows and append new ones; the view to publish."""
        old = self.view
        start, end = old.n, old.n + len(template_ids)
        view = old if end <= len(old.template_ids) else self._grown(end)
        for one in view.template_ids[dead].tolist():
            del self._row_of[one]
        live = view.live.copy()
        clear_bits(live, dead)
        at = np.arange(start, end)
        split = self._shape.head_words
        for flat, words in ((view.head, codes[:, :split]), (view.tail, codes[:, split:])):
            if words.shape[1]:
                grouped = flat.reshape(-1, words.shape[1], GROUP)
                grouped[at // GROUP, :, at % GROUP] = words
        view.rows[start:end] = rows
        view.template_ids[start:end] = template_ids
        view.facts[start:end] = facts
        np.bitwise_or.at(live, at >> 3, np.uint8(1) << (at & 7).astype(np.uint8))
        self._row_of.update(zip(template_ids.tolist(), range(start, end), strict=True))
        self.view = TailView(
            view.head,
            view.tail,
            view.rows,
            view.template_ids,
            view.facts,
            live,
            end,
            len(self._row_of),
        )
        return self.view

    def _grown(self, needed: int) -> TailView:
        old = self.view
        capacity = max(len(old.template_ids), _FIRST_CAPACITY)
        while capacity < needed:
            capacity *= 2
        new = self._sized(capacity)
        for name in ("head", "tail", "rows", "template_ids", "facts", "live"):
            source = getattr(old, name)
            getattr(new, name)[: len(source)] = source
        return new

    def source(self) -> ArraySource:
        """The live rows, to be sealed."""
        view = self.view
        kept = np.flatnonzero(np.unpackbits(view.live, bitorder="little")[: view.n])
        codes = np.empty((len(kept), CODE_WORDS), dtype=np.uint64)
        split = self._shape.head_words
        for flat, first, count in (
            (view.head, 0, split),
            (view.tail, split, self._shape.tail_words),
        ):
            if count:
                grouped = flat.reshape(-1, count, GROUP)
                codes[:, first : first + count] = grouped[kept // GROUP, :, kept % GROUP]
        return ArraySource(view.template_ids[kept], view.facts[kept], codes, view.rows[kept])
