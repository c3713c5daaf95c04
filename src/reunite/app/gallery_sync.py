"""Keep a process's gallery in step with PostgreSQL.

The gallery is a cache.  Before each search this process reads what other processes
have enrolled or erased since, so that an erased face is never found again, not even
by a server that did not erase it.

Of several processes one writes the gallery on disk.  The others read it, and hold what the
writer has not written yet in memory beside it.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic, perf_counter
from typing import Protocol, runtime_checkable

import numpy as np

from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import (
    ADMIT_ALL,
    NO_TEMPLATE,
    Enrolment,
    Filter,
    Gallery,
    Hits,
    Int64,
    Probes,
    TemplateSpace,
)
from reunite.gallery.ranking import HitTable
from reunite.gallery.reports import CompactionReport, VerifyReport
from reunite.ports import Database, GalleryChange, Transaction

Progress = Callable[[int], None]

IDS_AT_ONCE = 50_000
# A reader's own memory; past it, what the writer has written meanwhile is let go.
LARGEST_OVERLAY = 20_000
PROMOTION_SECONDS = 30.0  # how often a reader looks whether the writer has gone


@runtime_checkable
class Rebuildable(Gallery, Protocol):
    """A gallery that can be made anew while it answers."""

    def rebuild(
        self, space: TemplateSpace, batches: Iterator[Enrolment], progress: Progress | None = None
    ) -> object: ...


@runtime_checkable
class Verifiable(Protocol):
    """A gallery on disk."""

    def verify(self, record_ids: Int64) -> VerifyReport: ...

    def compact(self) -> CompactionReport: ...


@runtime_checkable
class Closable(Protocol):
    """A gallery that holds files or a lock."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class GalleryState:
    """What the gallery holds, for pages and health checks."""

    templates: int
    loaded: bool
    is_writable: bool = False


class LiveGallery:
    """A gallery that follows the database."""

    def __init__(
        self, database: Database, make: Callable[[TemplateSpace], Gallery], space: TemplateSpace
    ) -> None:
        self._database = database
        self._make = make
        self._space = space
        self._base: Gallery | None = None
        self._overlay = ExactGallery(space)  # a reader's: what the writer has not written yet
        self._hidden: frozenset[int] = frozenset()  # a reader's: what it has not erased yet
        self._position = 0
        self._next_promotion = 0.0
        self._lock = threading.Lock()

    @property
    def space(self) -> TemplateSpace:
        return self._space

    def state(self) -> GalleryState:
        base = self._base
        if base is None:
            return GalleryState(0, loaded=False)
        return GalleryState(
            len(base) + len(self._overlay), loaded=True, is_writable=base.is_writable
        )

    def search(self, probes: Probes, k: int, filter: Filter = ADMIT_ALL) -> Hits:  # noqa: A002
        """As ``Gallery.search``, over everything that is committed now."""
        base, hidden = self._current()
        if hidden:
            filter = replace(  # noqa: A001
                filter, excluded_template_ids=filter.excluded_template_ids | hidden
            )
        hits = base.search(probes, k, filter)
        if not len(self._overlay):
            return hits
        return _merged(hits, self._overlay.search(probes, k, filter), k)

    def rebuild(self, progress: Progress = lambda _: None) -> int:
        """Make the gallery anew from the database; how many templates there are.

        Searches go on with the old one until the new one is whole.  A process that only
        reads the gallery on disk holds its own memory against the database instead.
        """
        with self._lock:
            base = self._base if self._base is not None else self._make(self._space)
            if isinstance(base, Rebuildable) and base.is_writable:
                with self._database.transaction() as transaction:
                    position = transaction.templates.position()
                    batches = transaction.templates.iter_enrolments(self._space)
                    base.rebuild(self._space, batches, progress)
                self._base, self._position = base, position
            else:
                if base.is_writable:
                    base = self._make(self._space)
                self._follow(base, progress)
            return len(base) + len(self._overlay)

    def refresh(self) -> float:
        """Apply what has changed; the seconds it took."""
        started = perf_counter()
        self._current()
        return perf_counter() - started

    def verify(self) -> VerifyReport | None:
        """Hold every row on disk against the records; None for a gallery in memory.

        Where another process writes the gallery, what it has not yet written or erased
        counts as a difference.
        """
        base, _ = self._current()
        with self._lock, self._database.transaction() as transaction:
            records = transaction.templates.list_ids(self._space)
        return base.verify(records) if isinstance(base, Verifiable) else None

    def compact(self) -> CompactionReport | None:
        """Take erased faces off the disk now; None for a gallery in memory.

        Raises GalleryReadOnlyError where another process writes the gallery.
        """
        base, _ = self._current()
        return base.compact() if isinstance(base, Verifiable) else None

    def close(self) -> None:
        """Let go of the gallery, so that another process may write it."""
        with self._lock:
            base, self._base = self._base, None
            if base is not None:
                _close(base)

    def _current(self) -> tuple[Gallery, frozenset[int]]:
        with self._lock:
            base = self._base
            if base is None:
                base = self._follow(self._make(self._space), lambda _: None)
            elif not base.is_writable:
                base = self._promoted(base)
            with self._database.transaction() as transaction:
                change = transaction.templates.changes_since(self._position)
                # Additions first: what was added and erased since must end up erased.
                added = np.asarray(change.added, dtype=np.int64)
                for arrived in self._enrolments(transaction, added):
                    self._add(base, arrived)
            if change.removed:
                self._remove(base, change)
            self._position = change.position
            if len(self._overlay) > LARGEST_OVERLAY:
                self._forget_written(base)
            return base, self._hidden

    def _promoted(self, base: Gallery) -> Gallery:
        """The same, or a writable one where the writer has gone.

        Without this, nobody would write again after the writer ends, and what was erased
        would stay on the disk.
        """
        if monotonic() < self._next_promotion:
            return base
        self._next_promotion = monotonic() + PROMOTION_SECONDS
        candidate = self._make(self._space)
        _close(base if candidate.is_writable else candidate)
        return self._follow(candidate, lambda _: None) if candidate.is_writable else base

    def _follow(self, base: Gallery, progress: Progress) -> Gallery:
        """Take up ``base``, and mend where it differs from the database."""
        with self._database.transaction() as transaction:
            # Before reading: what commits meanwhile is read twice, never missed.
            position = transaction.templates.position()
            records = transaction.templates.list_ids(self._space)
            held = base.template_ids()
            gone = np.setdiff1d(held, records)
            missing = np.setdiff1d(records, held)
            self._overlay, self._hidden = ExactGallery(self._space), frozenset()
            if len(gone):
                self._remove(base, GalleryChange([], gone.tolist(), position))
            done = len(records) - len(missing)
            for arrived in self._enrolments(transaction, missing):
                self._add(base, arrived)
                done += len(arrived.template_ids)
                progress(done)
        self._base, self._position = base, position
        return base

    def _enrolments(self, transaction: Transaction, ids: Int64) -> Iterator[Enrolment]:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE].tolist()
            arrived = transaction.templates.get_enrolment(some, self._space)
            if len(arrived.template_ids):
                yield arrived

    def _add(self, base: Gallery, arrived: Enrolment) -> None:
        (base if base.is_writable else self._overlay).add(arrived)

    def _remove(self, base: Gallery, change: GalleryChange) -> None:
        if base.is_writable:
            base.remove(change.removed)
        else:
            self._overlay.remove(change.removed)
            self._hidden |= frozenset(change.removed)

    def _forget_written(self, base: Gallery) -> None:
        """Drop from this process's memory what the writer's gallery shows by now."""
        held = base.template_ids()
        self._overlay.remove(held)
        self._hidden &= frozenset(held.tolist())


def _close(base: Gallery) -> None:
    if isinstance(base, Closable):
        base.close()


def _merged(a: Hits, b: Hits, k: int) -> Hits:
    """The best of both, a template that both hold once."""
    table = HitTable.empty(len(a.template_ids), k)
    for probe in range(len(a.template_ids)):
        ids = np.concatenate([a.template_ids[probe], b.template_ids[probe]])
        _, first = np.unique(ids, return_index=True)
        chosen = first[ids[first] != NO_TEMPLATE]
        similarity = np.concatenate([a.similarity[probe], b.similarity[probe]])[chosen]
        subjects = np.concatenate([a.subject_ids[probe], b.subject_ids[probe]])[chosen]
        table.put(probe, ids[chosen], similarity, subjects)
    return table.hits(
        a.searched + b.searched,
        a.elapsed_seconds + b.elapsed_seconds,
        incomplete=a.incomplete or b.incomplete,
    )
