"""Keep a process's gallery in step with PostgreSQL.

The gallery is a cache.  Before each search this process reads what other processes
have enrolled or erased since, so that an erased face is never found again, not even
by a server that did not erase it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from reunite.gallery.port import ADMIT_ALL, Filter, Gallery, Hits, Probes, TemplateSpace
from reunite.ports import Database


@dataclass(frozen=True, slots=True)
class GalleryState:
    """What the gallery holds, for pages and health checks."""

    templates: int
    loaded: bool


class LiveGallery:
    """A gallery that follows the database."""

    def __init__(
        self, database: Database, make: Callable[[TemplateSpace], Gallery], space: TemplateSpace
    ) -> None:
        self._database = database
        self._make = make
        self._space = space
        self._gallery: Gallery | None = None
        self._position = 0
        self._lock = threading.Lock()

    @property
    def space(self) -> TemplateSpace:
        return self._space

    def state(self) -> GalleryState:
        gallery = self._gallery
        return GalleryState(0 if gallery is None else len(gallery), gallery is not None)

    def search(self, probes: Probes, k: int, filter: Filter = ADMIT_ALL) -> Hits:  # noqa: A002
        """As ``Gallery.search``, over everything that is committed now."""
        return self._current().search(probes, k, filter)

    def rebuild(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Read everything anew from the database; how many templates there are.

        Searches go on with the old gallery until the new one is whole.
        """
        with self._lock:
            return self._load(progress)

    def refresh(self) -> float:
        """Apply what has changed; the seconds it took."""
        started = perf_counter()
        self._current()
        return perf_counter() - started

    def _current(self) -> Gallery:
        with self._lock:
            if self._gallery is None:
                self._load(lambda _: None)
            gallery = self._gallery
            assert gallery is not None  # noqa: S101  (for the type checker)
            with self._database.transaction() as transaction:
                change = transaction.templates.changes_since(self._position)
                enrolment = (
                    transaction.templates.get_enrolment(change.added, self._space)
                    if change.added
                    else None
                )
            # Additions first: what was added and erased since must end up erased.
            if enrolment is not None and len(enrolment.template_ids):
                gallery.add(enrolment)
            if change.removed:
                gallery.remove(change.removed)
            self._position = change.position
            return gallery

    def _load(self, progress: Callable[[int], None]) -> int:
        gallery = self._make(self._space)
        with self._database.transaction() as transaction:
            # Before reading: what commits meanwhile is read twice, never missed.
            position = transaction.templates.position()
            for enrolment in transaction.templates.iter_enrolments(self._space):
                gallery.add(enrolment)
                progress(len(gallery))
        self._gallery, self._position = gallery, position
        return len(gallery)
