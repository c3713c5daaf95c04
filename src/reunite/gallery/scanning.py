"""Scan, re-rank, order: one search over one state of the gallery."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from reunite.gallery.codes import FOUR_BIT, GROUP, CodeShape, Query, UInt64
from reunite.gallery.kernels import (
    FOUR_BIT_TAG,
    NO_LIMIT,
    ONE_BIT_TAG,
    products,
    scan,
)
from reunite.gallery.port import Filter, Float32, Hits, Int64
from reunite.gallery.ranking import HitTable, best_first, score
from reunite.gallery.settings import GallerySettings
from reunite.gallery.state import Admission, Cuts, Piece, State, admissions

TemplateSource = Callable[[Int64], npt.NDArray[np.floating]]
"""Stored templates by id, float16 or float32 of shape (n, dim); rows of NaN where unknown."""

_FEWEST_PIECES_TO_SAMPLE = 2
_PIECES_A_THREAD = 16
_SMALLEST_PIECE = 1 << 10
_PROBES_AT_ONCE = 64
_SCORES_WORTH_HELP = 200_000  # about the time it takes to wake a thread
_ROW_BITS = 40  # a row's number within its segment; the segment's number lies above


@dataclass(frozen=True, slots=True)
class _Job:
    """A piece of one of the parts of a search."""

    part: int
    piece: Piece


class _Buffers:
    """What one worker has kept so far, for every probe."""

    def __init__(self, limits: Int64, candidates: int, shape: CodeShape) -> None:
        n_probes = len(limits)
        capacity = 2 * candidates + 64
        self.counts = np.zeros(n_probes, dtype=np.int64)
        self.limits = limits.copy()
        self.distances = np.empty((n_probes, capacity), dtype=np.int32)
        self.rows = np.empty((n_probes, capacity), dtype=np.int64)
        self.histogram = np.zeros(shape.worst + 1, dtype=np.int32)

    def nearest(self, probe: int) -> tuple[npt.NDArray[np.int32], Int64]:
        count = int(self.counts[probe])
        return self.distances[probe, :count], self.rows[probe, :count]


class Scanner:
    """Runs searches on a fixed number of threads, shared by all who search."""

    def __init__(self, settings: GallerySettings) -> None:
        self._depth = settings.depth
        self._groups_at_once = settings.groups_at_once
        self._threads = settings.threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gallery-scan")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def search(
        self,
        state: State,
        vectors: Float32,
        k: int,
        wanted: Filter,
        templates: TemplateSource | None,
    ) -> Hits:
        """Hits of every probe; ``elapsed_seconds`` is left to the caller."""
        parts = admissions(state, wanted)
        searched = sum(part.count for part in parts)
        table = HitTable.empty(len(vectors), k)
        if searched:
            keep = min(self._depth.candidates(searched, k), searched)
            for start in range(0, len(vectors), _PROBES_AT_ONCE):
                some = vectors[start : start + _PROBES_AT_ONCE]
                query = state.encoder.ask(some)
                rows = self._scan(parts, query, state.encoder.shape, keep)
                self._finish(parts, query, rows, some, (table, start, k), templates)
        return table.hits(searched, 0.0, incomplete=bool(state.damaged))

    def _scan(
        self, parts: list[Admission], query: Query, shape: CodeShape, keep: int
    ) -> list[Int64]:
        """The ``keep`` nearest rows by their codes, per probe, in ascending order."""
        cuts = self._cut(parts)
        jobs = [_Job(part, one) for part, cut in enumerate(cuts) for one in cut.pieces]
        samples = [_Job(part, one) for part, cut in enumerate(cuts) for one in cut.samples]
        limits = self._first_limits(parts, query, shape, keep, jobs, samples)
        buffers = self._spread(parts, query.planes, shape, keep, jobs, limits)
        rows = [_merge(buffers, probe, keep)[0] for probe in range(len(query.planes))]
        # A sample may have been unlike the whole: then too few passed, and all is open again.
        missed = [probe for probe, found in enumerate(rows) if len(found) < keep]
        if missed:
            limits = np.full(len(missed), NO_LIMIT, dtype=np.int64)
            planes = query.planes[missed]
            buffers = self._spread(parts, planes, shape, keep, jobs, limits)
            for at, probe in enumerate(missed):
                rows[probe] = _merge(buffers, at, keep)[0]
        return rows

    def _cut(self, parts: list[Admission]) -> list[Cuts]:
        """The work in pieces: small enough that all threads end at about the same time."""
        share = sum(part.groups for part in parts) // (self._threads * _PIECES_A_THREAD)
        # A power of two, so that a gallery which grows by a face is not cut anew.
        size = 1 << max(share, _SMALLEST_PIECE).bit_length() - 1
        return [part.cut(min(size, self._groups_at_once)) for part in parts]

    def _first_limits(
        self,
        parts: list[Admission],
        query: Query,
        shape: CodeShape,
        keep: int,
        jobs: list[_Job],
        samples: list[_Job],
    ) -> Int64:
        """A distance per probe that about a third more than ``keep`` rows should undercut.

        Without it every row of the beginning would be looked at in full.
        """
        limits = np.full(len(query.planes), NO_LIMIT, dtype=np.int64)
        if len(jobs) < _FEWEST_PIECES_TO_SAMPLE:
            return limits
        share = sum(one.piece.groups for one in samples) / sum(one.piece.groups for one in jobs)
        expected = keep * share
        of_sample = int(1.3 * expected + 3 * expected**0.5 + 4)
        buffers = self._spread(parts, query.planes, shape, of_sample, samples, limits)
        for probe in range(len(limits)):
            rows, distances = _merge(buffers, probe, of_sample)
            if len(rows) == of_sample:
                limits[probe] = int(distances.max()) + 1
        return limits

    def _spread(
        self,
        parts: list[Admission],
        planes: UInt64,
        shape: CodeShape,
        keep: int,
        jobs: list[_Job],
        limits: Int64,
    ) -> list[_Buffers]:
        """Scan pieces on all threads."""
        queue, lock = iter(jobs), threading.Lock()
        work = partial(_work, parts, planes, shape, keep, queue, lock, limits)
        # This thread scans too: on a busy machine, waking another takes longer than a
        # small scan, and a helper that has not begun by the end is not waited for.
        scores = len(planes) * GROUP * sum(one.piece.groups for one in jobs)
        helpers = min(self._threads, len(jobs), 1 + scores // _SCORES_WORTH_HELP) - 1
        futures: Sequence[Future[_Buffers]] = [self._pool.submit(work) for _ in range(helpers)]
        mine = work()
        return [mine, *(future.result() for future in futures if not future.cancel())]

    def _finish(
        self,
        parts: list[Admission],
        query: Query,
        rows: list[Int64],
        vectors: Float32,
        target: tuple[HitTable, int, int],
        templates: TemplateSource | None,
    ) -> None:
        table, first, k = target
        choose = partial(self._finalists, parts, query, rows, k, templates)
        spread = self._pool.map if len(vectors) > 1 else map
        finalists = list(spread(choose, range(len(vectors))))
        exact = fetch_scores(templates, [ids for ids, _, _ in finalists])
        for probe, (ids, similarity, subjects) in enumerate(finalists):
            better = similarity if exact is None else exact(ids, vectors[probe], similarity)
            table.put(first + probe, ids, better, subjects)

    def _finalists(
        self,
        parts: list[Admission],
        query: Query,
        candidates: list[Int64],
        k: int,
        templates: TemplateSource | None,
        probe: int,
    ) -> tuple[Int64, Float32, Int64]:
        """Ids, similarity by int8 rows, and subjects of the best candidates of a probe."""
        rows = candidates[probe]
        similarity: Float32 = np.empty(len(rows), dtype=np.float32)
        cuts = np.searchsorted(rows, np.arange(len(parts) + 1) << _ROW_BITS)
        local = rows & ((1 << _ROW_BITS) - 1)
        for number, part in enumerate(parts):
            mine = slice(cuts[number], cuts[number + 1])
            if mine.start == mine.stop:
                continue
            found = np.empty(mine.stop - mine.start, dtype=np.int32)
            products(part.rows, local[mine], query.fine[probe], found)
            similarity[mine] = found * query.unit[probe]
        wanted = k if templates is None else self._depth.finalists(len(rows), k)
        if len(rows) > wanted:
            # Ids are read only of those that can still be among the best.
            worst = np.partition(similarity, len(rows) - wanted)[len(rows) - wanted]
            near = np.flatnonzero(similarity >= worst)
            rows, local, similarity = rows[near], local[near], similarity[near]
        ids, subjects = np.empty((2, len(rows)), dtype=np.int64)
        for number, part in enumerate(parts):
            here = np.flatnonzero(rows >> _ROW_BITS == number)
            if len(here):
                ids[here] = part.ids(local[here])
                subjects[here] = part.subjects(local[here])
        best = best_first(similarity, ids, wanted)
        return ids[best], similarity[best], subjects[best]


def _work(
    parts: list[Admission],
    planes: UInt64,
    shape: CodeShape,
    keep: int,
    queue: Iterator[_Job],
    lock: threading.Lock,
    limits: Int64,
) -> _Buffers:
    """Scan pieces until none is left."""
    buffers = _Buffers(limits, keep, shape)
    tag = FOUR_BIT_TAG if shape is FOUR_BIT else ONE_BIT_TAG
    rules, head_words, tail_words = shape.rules, shape.head_words, shape.tail_words
    while True:
        with lock:
            job = next(queue, None)
        if job is None:
            return buffers
        part, piece = parts[job.part], job.piece
        scan(
            tag,
            part.head,
            part.tail,
            head_words,
            tail_words,
            part.admitted,
            piece.starts,
            piece.ends,
            job.part << _ROW_BITS,
            planes,
            rules,
            keep,
            buffers.counts,
            buffers.limits,
            buffers.distances,
            buffers.rows,
            buffers.histogram,
        )


def _merge(buffers: list[_Buffers], probe: int, keep: int) -> tuple[Int64, npt.NDArray[np.int32]]:
    """The ``keep`` nearest rows of all workers, ascending, and their distances, unordered."""
    found = [one.nearest(probe) for one in buffers]
    distances = np.concatenate([one for one, _ in found])
    rows = np.concatenate([one for _, one in found])
    if len(rows) > keep:
        # Distance above, row below: one number orders both, and a partition is enough.
        packed = (distances.astype(np.int64) << 47) | _squeeze(rows)
        kept = np.argpartition(packed, keep - 1)[:keep]
        rows, distances = rows[kept], distances[kept]
    return np.sort(rows), distances


def _squeeze(rows: Int64) -> Int64:
    """Segment and row in 47 bits, in the same order."""
    squeezed: Int64 = ((rows >> _ROW_BITS) << 34) | (rows & ((1 << 34) - 1))
    return squeezed


def fetch_scores(
    templates: TemplateSource | None, ids: list[Int64]
) -> Callable[[Int64, Float32, Float32], Float32] | None:
    """Scores by stored templates, fetched once for all probes."""
    if templates is None:
        return None
    wanted = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *ids]))
    if not len(wanted):
        return None
    stored = np.asarray(templates(wanted))

    def exact(some: Int64, probe: Float32, otherwise: Float32) -> Float32:
        found = score(stored[np.searchsorted(wanted, some)], probe)
        known = np.isfinite(found)
        # A template erased this very moment: its row is judged by what the segment says.
        return np.where(known, found, otherwise).astype(np.float32)

    return exact
