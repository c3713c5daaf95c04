"""One gallery over several shards, each an ordinary gallery on disk.

A template lives on the shard that its id hashes to, so adds and removes go to one place.  A
search asks all shards and merges; since each compares everybody it holds, the merge loses
nobody.  A shard that does not answer is left out, the answer says so by ``incomplete``, and
the shard is opened again from its segments.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reunite.gallery.depth import Depth
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.errors import GalleryLockedError, ShardUnavailableError
from reunite.gallery.port import (
    ADMIT_ALL,
    MAX_HITS,
    Enrolment,
    Filter,
    Hits,
    Int64,
    Probes,
    TemplateSpace,
    check_enrolment,
    check_search,
)
from reunite.gallery.ranking import HitTable
from reunite.gallery.scanning import TemplateSource, fetch_scores
from reunite.gallery.settings import GallerySettings

Wait = Callable[[float], Any]
"""Waits so many seconds for a call's outcome; raises ShardUnavailableError."""

SEARCH_SECONDS = 5.0  # a shard that takes longer is answered around
CHANGE_SECONDS = 30.0
_LOCK_TRIES = 100  # a killed shard's lock goes with its process, which takes a moment
_LOCK_PAUSE_SECONDS = 0.05
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class ShardHandle(Protocol):
    """A shard, wherever it runs."""

    def start(self, method: str, *arguments: object) -> Wait:
        """Begin a call of a ``ShardServer`` method.

        Raises ShardUnavailableError if the shard is known not to answer.
        """
        ...

    def restore(self) -> None:
        """Open the shard again from its segments, without waiting until it has."""
        ...

    def close(self) -> None:
        """End the shard."""
        ...


class ShardServer:
    """What runs inside a shard: a gallery on disk, called with plain values."""

    def __init__(self, folder: str, space: TemplateSpace, settings: GallerySettings) -> None:
        for attempt in range(_LOCK_TRIES):
            try:
                self._gallery = SegmentGallery(Path(folder), space, settings=settings)
            except GalleryLockedError:
                if attempt + 1 == _LOCK_TRIES:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)
            else:
                break
        self._gallery.warm_up()
        self._gallery.start_upkeep()

    def count(self) -> int:
        """Live templates."""
        return len(self._gallery)

    def add(self, enrolment: Enrolment) -> int:
        """Hold these templates, durably; live templates after it."""
        self._gallery.add(enrolment)
        return len(self._gallery)

    def remove(self, template_ids: Int64) -> tuple[int, int]:
        """Forget these templates; how many were held, and live templates after it."""
        return self._gallery.remove(template_ids), len(self._gallery)

    def search(self, probes: Probes, k: int, wanted: Filter) -> Hits:
        """Hits without the empty columns, to send no more than there is."""
        hits = self._gallery.search(probes, k, wanted)
        used = int((hits.template_ids >= 0).sum(axis=1).max(initial=0))
        return Hits(
            np.ascontiguousarray(hits.template_ids[:, :used]),
            np.ascontiguousarray(hits.similarity[:, :used]),
            np.ascontiguousarray(hits.subject_ids[:, :used]),
            hits.searched,
            hits.elapsed_seconds,
            hits.incomplete,
        )

    def template_ids(self) -> Int64:
        """The ids of all live templates, ascending."""
        return self._gallery.template_ids()

    def compact(self) -> int:
        """Rewrite segments without dead rows; how many rows left the disk."""
        return self._gallery.compact().rows_erased

    def close(self) -> None:
        """Release the folder."""
        self._gallery.close()


class ThreadShard:
    """A shard in this process."""

    def __init__(self, folder: Path, space: TemplateSpace, settings: GallerySettings) -> None:
        self._make = partial(ShardServer, str(folder), space, settings)
        self._server: ShardServer | None = self._make()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="gallery-shard")

    def start(self, method: str, *arguments: object) -> Wait:
        if self._server is None:
            raise ShardUnavailableError
        return self._pool.submit(getattr(self._server, method), *arguments).result

    def restore(self) -> None:
        if self._server is None:
            self._server = self._make()

    def fail(self) -> None:
        """Stop answering, as if the process had died."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        self.fail()
        self._pool.shutdown()


def shard_of(template_ids: Int64, n_shards: int) -> Int64:
    """Which shard each id belongs to; neighbouring ids spread over all."""
    mixed = (template_ids.astype(np.uint64) * _GOLDEN) >> np.uint64(33)
    return (mixed % np.uint64(n_shards)).astype(np.int64)


class ShardedGallery:
    """A ``Gallery`` whose templates lie on several shards.

    templates : gives stored templates by id, for the re-rank of the last few
    """

    def __init__(
        self,
        space: TemplateSpace,
        shards: Sequence[ShardHandle],
        *,
        templates: TemplateSource | None = None,
        depth: Depth | None = None,
        search_seconds: float = SEARCH_SECONDS,
    ) -> None:
        self._space = space
        self._shards = list(shards)
        self._templates = templates
        self._depth = depth or Depth()
        self._search_seconds = search_seconds
        self._lock = threading.Lock()
        self._counts = [int(shard.start("count")(CHANGE_SECONDS)) for shard in self._shards]

    @property
    def space(self) -> TemplateSpace:
        """The space of every template held."""
        return self._space

    def __len__(self) -> int:
        """Live templates, as far as is known of shards that do not answer."""
        return sum(self._counts)

    @property
    def is_writable(self) -> bool:
        """Always: the shards are this process's own."""
        return True

    def template_ids(self) -> Int64:
        """The ids of all live templates, ascending.  Raises ShardUnavailableError."""
        waits = [(n, self._start(n, "template_ids")) for n in range(len(self._shards))]
        ids: Int64 = np.sort(np.concatenate([self._outcome(n, wait) for n, wait in waits]))
        return ids

    def add(self, enrolment: Enrolment) -> None:
        """Hold these templates, each on its shard; see ``Gallery.add``.

        Raises ShardUnavailableError if a shard did not acknowledge: send the same again.
        """
        check_enrolment(self._space, enrolment)
        waits = []
        for number, mine in self._split(enrolment.template_ids):
            part = Enrolment(
                enrolment.space,
                enrolment.template_ids[mine],
                enrolment.vectors[mine],
                enrolment.facts[mine],
            )
            waits.append((number, self._start(number, "add", part)))
        for number, wait in waits:
            self._counts[number] = self._outcome(number, wait)

    def remove(self, template_ids: Sequence[int] | Int64) -> int:
        """Forget these templates; see ``Gallery.remove``.

        Raises ShardUnavailableError if a shard did not acknowledge: send the same again.
        """
        ids = np.unique(np.asarray(template_ids, dtype=np.int64))
        waits = [
            (number, self._start(number, "remove", ids[mine])) for number, mine in self._split(ids)
        ]
        removed = 0
        for number, wait in waits:
            gone, self._counts[number] = self._outcome(number, wait)
            removed += gone
        return removed

    def search(
        self,
        probes: Probes,
        k: int = 50,
        filter: Filter = ADMIT_ALL,  # noqa: A002
    ) -> Hits:
        """Ask every shard and merge; ``incomplete`` if one did not answer."""
        check_search(self._space, probes, k)
        started = time.perf_counter()
        asked = k
        if self._templates is not None:
            asked = min(MAX_HITS, self._depth.finalists(max(k, len(self)), k))
        waits: list[tuple[int, Wait]] = []
        answers: list[Hits] = []
        incomplete = False
        for number, shard in enumerate(self._shards):
            try:
                waits.append((number, shard.start("search", probes, asked, filter)))
            except ShardUnavailableError:
                incomplete = True
                self._restore(number)
        until = started + self._search_seconds
        for number, wait in waits:
            try:
                answers.append(wait(max(0.0, until - time.perf_counter())))
            except (ShardUnavailableError, TimeoutError):
                incomplete = True
                self._restore(number)
        return self._merge(probes, k, answers, started, incomplete=incomplete)

    def compact(self) -> int:
        """Compact every shard; how many rows left the disk."""
        waits = [(n, self._start(n, "compact")) for n in range(len(self._shards))]
        return sum(int(self._outcome(number, wait)) for number, wait in waits)

    def close(self) -> None:
        """End all shards."""
        for shard in self._shards:
            shard.close()

    def _merge(
        self, probes: Probes, k: int, answers: list[Hits], started: float, *, incomplete: bool
    ) -> Hits:
        table = HitTable.empty(len(probes.vectors), k)
        ids: list[Int64] = []
        for probe in range(len(probes.vectors)):
            found = [hits.template_ids[probe] for hits in answers]
            ids.append(np.concatenate([np.empty(0, dtype=np.int64), *found]))
        scores = fetch_scores(self._templates, [each[each >= 0] for each in ids])
        for probe, each in enumerate(ids):
            held = each >= 0
            if not held.any():
                continue
            similarity = np.concatenate([hits.similarity[probe] for hits in answers])[held]
            subjects = np.concatenate([hits.subject_ids[probe] for hits in answers])[held]
            if scores is not None:
                similarity = scores(each[held], probes.vectors[probe], similarity)
            table.put(probe, each[held], similarity, subjects)
        return table.hits(
            sum(hits.searched for hits in answers),
            time.perf_counter() - started,
            incomplete=incomplete or any(hits.incomplete for hits in answers),
        )

    def _split(self, template_ids: Int64) -> list[tuple[int, Int64]]:
        shards = shard_of(template_ids, len(self._shards))
        parts = [(n, np.flatnonzero(shards == n)) for n in range(len(self._shards))]
        return [(number, mine) for number, mine in parts if len(mine)]

    def _start(self, number: int, method: str, *arguments: object) -> Wait:
        try:
            return self._shards[number].start(method, *arguments)
        except ShardUnavailableError:
            self._restore(number)
            raise

    def _outcome(self, number: int, wait: Wait) -> Any:
        try:
            return wait(CHANGE_SECONDS)
        except TimeoutError as error:
            raise ShardUnavailableError(shard=number) from error
        except ShardUnavailableError:
            self._restore(number)
            raise

    def _restore(self, number: int) -> None:
        with self._lock:
            self._shards[number].restore()
