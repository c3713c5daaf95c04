"""The gallery on disk: segments, a log, and an exhaustive two-stage scan.

Every add and remove is on disk before it returns.  A search compares every admitted live
face.  One process writes, any number read; within a process one thread changes while others
search.  ``docs/gallery.md`` says what the stages are and what a crash can do.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from reunite.gallery.coalescing import Coalescer
from reunite.gallery.codes import CODE_BYTES
from reunite.gallery.errors import (
    GalleryDiskFullError,
    GalleryReadOnlyError,
    GallerySpaceError,
)
from reunite.gallery.files import WriterLock
from reunite.gallery.log import Change, Kind
from reunite.gallery.manifest import MANIFEST
from reunite.gallery.port import (
    ADMIT_ALL,
    Enrolment,
    Filter,
    Float32,
    Hits,
    Int64,
    Probes,
    TemplateSpace,
    check_enrolment,
    check_search,
    make_facts,
)
from reunite.gallery.reports import (
    CompactionReport,
    GalleryStatus,
    RebuildReport,
    VerifyReport,
)
from reunite.gallery.scanning import Scanner, TemplateSource
from reunite.gallery.settings import GallerySettings
from reunite.gallery.state import State
from reunite.gallery.store import Store, create_folder
from reunite.gallery.tail import Tail
from reunite.gallery.upkeep import Progress, compact, find_damage, live_ids, rebuild, verify

_CHUNK = 16_384


class SegmentGallery:
    """A ``Gallery`` in a folder.

    folder : made if it is missing, when ``space`` is given and the gallery is writable
    space : what the caller expects to find; None takes what is there
    templates : gives stored templates by id, for the re-rank of the last few
    """

    def __init__(
        self,
        folder: Path,
        space: TemplateSpace | None = None,
        *,
        writable: bool = True,
        templates: TemplateSource | None = None,
        settings: GallerySettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open a gallery, reading ids and facts but neither codes nor rows.

        Raises GalleryMissingError, GalleryLockedError, GalleryDamagedError, and
        GallerySpaceError if the gallery holds another space: ``rebuild`` changes it.
        """
        self._settings = settings or GallerySettings()
        self._templates = templates
        self._clock = clock
        self._lock = threading.RLock()
        self._reshaping = threading.Lock()
        self._stop = threading.Event()
        self._background: threading.Thread | None = None
        self._disk_full = False
        self._writer: WriterLock | None = None
        if writable:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = WriterLock(folder / "writer.lock")
        try:
            if writable and space is not None and not (folder / MANIFEST).exists():
                create_folder(folder, space)
            self._store = Store(folder, clock())
            self._require_space(space)
            if writable:
                self._store.start_writing()
        except BaseException:
            if self._writer is not None:
                self._writer.release()
            raise
        self._scanner = Scanner(self._settings)
        self._coalescer = Coalescer(self._run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop upkeep and scanning, and let another process write."""
        self._stop.set()
        if self._background is not None:
            self._background.join()
        self._scanner.close()
        with self._lock:
            self._store.stop_writing()
            if self._writer is not None:
                self._writer.release()
                self._writer = None

    @property
    def space(self) -> TemplateSpace:
        """The space of every template held."""
        return self._now().space

    def __len__(self) -> int:
        """Live templates."""
        return self._now().live_count

    @property
    def is_writable(self) -> bool:
        """Whether this process holds the writer's lock."""
        return self._writer is not None

    def template_ids(self) -> Int64:
        """The ids of all live templates, ascending."""
        return live_ids(self._now())

    def add(self, enrolment: Enrolment) -> None:
        """Hold these templates; on disk when this returns.  See ``Gallery.add``.

        Raises GalleryReadOnlyError, and GalleryDiskFullError if nothing was added.  A batch
        of more than 16,384 is added in portions, each durable by itself.
        """
        self._require_writer()
        check_enrolment(self._store.state.space, enrolment)
        for start in range(0, len(enrolment.template_ids), _CHUNK):
            some = slice(start, start + _CHUNK)
            encoder = self._store.state.encoder
            codes, rows = encoder.encode(enrolment.vectors[some])
            ids = np.ascontiguousarray(enrolment.template_ids[some], dtype=np.int64)
            change = Change(Kind.ADD, ids, enrolment.facts[some], codes, rows)
            with self._lock:
                # The gallery may have changed its model while these were being encoded.
                check_enrolment(
                    self._store.state.space,
                    replace(
                        enrolment,
                        template_ids=ids[:0],
                        vectors=enrolment.vectors[:0],
                        facts=enrolment.facts[:0],
                    ),
                )
                self._store.record(change, self._clock())
                self._seal_if_long()

    def remove(self, template_ids: Sequence[int] | Int64) -> int:
        """Forget these templates, on disk when this returns; how many were held.

        Their codes leave the disk at the next compaction, within
        ``Upkeep.erase_within_seconds``.  Raises GalleryReadOnlyError, GalleryDiskFullError.
        """
        self._require_writer()
        ids = np.unique(np.asarray(template_ids, dtype=np.int64))
        if not len(ids):
            return 0
        with self._lock:
            change = Change.removal(ids, self._store.state.encoder.shape)
            ended = self._store.record(change, self._clock())
            self._seal_if_long()
        return ended

    def search(
        self,
        probes: Probes,
        k: int = 50,
        filter: Filter = ADMIT_ALL,  # noqa: A002
    ) -> Hits:
        """Compare every admitted live template with every probe; see ``Gallery.search``."""
        check_search(self._now().space, probes, k)
        return self._coalescer.search(probes.vectors, k, filter)

    def compact(self, *, everything: bool = True) -> CompactionReport:
        """Rewrite segments without their dead rows, while searches and changes go on.

        Raises GalleryReadOnlyError, GalleryDiskFullError.
        """
        self._require_writer()
        with self._reshaping:
            return compact(
                self._store, self._lock, self._settings.upkeep, self._clock, everything=everything
            )

    def rebuild(
        self,
        space: TemplateSpace,
        batches: Iterable[Enrolment],
        progress: Progress | None = None,
    ) -> RebuildReport:
        """Make the gallery anew from stored templates and switch to it at once.

        ``space`` may be another than now: a new model or adapter.  Until the switch the old
        gallery answers.  ``progress`` is told the number of faces encoded so far.
        Raises GalleryReadOnlyError, InvalidInputError, GalleryDiskFullError; the old gallery
        then stays.
        """
        self._require_writer()
        with self._reshaping:
            return rebuild(self._store, self._lock, space, batches, progress, self._clock)

    def verify(self, record_ids: Iterable[int] | Int64, *, read_all: bool = True) -> VerifyReport:
        """Hold live rows against records, and with ``read_all`` files against checksums.

        A segment found damaged is left out of searches from then on, which say so by
        ``Hits.incomplete``; ``rebuild`` mends it.
        """
        ids = np.fromiter((int(one) for one in record_ids), dtype=np.int64)
        state = self._now()
        damaged = find_damage(state) if read_all else []
        with self._lock:
            if damaged:
                held = frozenset(damaged)
                self._store.state = replace(self._store.state, damaged=held)
            return verify(self._store, self._store.state, ids, damaged, self._clock())

    def warm_up(self) -> None:
        """Load the compiled loops, so that the first search need not.

        The first use on a machine compiles them, which takes some seconds; later ones read
        them from numba's cache.
        """
        state = self._now()
        tail = Tail(state.encoder.shape)
        rows = np.eye(state.space.dim, dtype=np.float32)[:1]
        codes, coarse = state.encoder.encode(rows)
        view = tail.changed(
            np.empty(0, dtype=np.int64), np.ones(1, dtype=np.int64), make_facts(1), codes, coarse
        )
        self._scanner.search(replace(state, held=(), tail=view), rows, 1, ADMIT_ALL, None)

    def status(self) -> GalleryStatus:
        """Figures for the operator."""
        state = self._now()
        rows = sum(one.segment.n for one in state.held) + state.tail.n
        log = self._store.folder / self._store.manifest.log
        return GalleryStatus(
            live=state.live_count,
            dead=rows - state.live_count,
            segments=len(state.held),
            partitions=sum(len(one.segment.parts) for one in state.held),
            tail=state.tail.n,
            generation=state.generation,
            size_bytes=sum(one.segment.size_bytes for one in state.held) + log.stat().st_size,
            hot_bytes=rows * CODE_BYTES,
            incomplete=bool(state.damaged),
            disk_full=self._disk_full,
        )

    def start_upkeep(self) -> None:
        """Compact in the background as the rules say, until the gallery is closed."""
        self._require_writer()
        if self._background is None:
            self._background = threading.Thread(
                target=self._keep_up, name="gallery-upkeep", daemon=True
            )
            self._background.start()

    def _keep_up(self) -> None:
        while not self._stop.wait(self._settings.upkeep.every_seconds):
            try:
                self.compact(everything=False)
                self._disk_full = False
            except GalleryDiskFullError:
                self._disk_full = True  # tried again next time; nothing is lost meanwhile

    def _now(self) -> State:
        """The newest state; a reading process looks whether the writer has gone on."""
        if self._writer is not None:
            return self._store.state
        with self._lock:
            try:
                outdated = self._store.is_outdated()
                if not outdated:
                    self._store.catch_up(self._clock())
            except FileNotFoundError:
                outdated = True
            if outdated:
                damaged = self._store.state.damaged
                self._store = Store(self._store.folder, self._clock(), self._store.segments)
                still = damaged & set(self._store.segments)
                self._store.state = replace(self._store.state, damaged=still)
            return self._store.state

    def _run(self, vectors: Float32, k: int, wanted: Filter) -> Hits:
        state = self._now()
        if vectors.shape[1] != state.space.dim:
            # The model changed between the check and the scan.
            raise GallerySpaceError("space_mismatch")
        return self._scanner.search(state, vectors, k, wanted, self._templates)

    def _seal_if_long(self) -> None:
        rules = self._settings.upkeep
        if len(self._store.tail) < rules.tail_rows and self._store.log_end < rules.log_bytes:
            return
        try:
            self._store.flush()
            self._disk_full = False
        except GalleryDiskFullError:
            # What was just acknowledged is safe in the log; sealing is tried again later.
            self._disk_full = True

    def _require_space(self, space: TemplateSpace | None) -> None:
        if space is not None and self._store.state.space != space:
            raise GallerySpaceError("gallery_space_differs")

    def _require_writer(self) -> None:
        if self._writer is None:
            raise GalleryReadOnlyError
