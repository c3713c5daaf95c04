"""Compaction, rebuilding and verification of a gallery on disk.

The long part of each runs beside searches and changes; only the switch to the new segments
takes the write lock.
"""

import threading
from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np

from reunite.gallery.building import Builder
from reunite.gallery.errors import GalleryDamagedError
from reunite.gallery.port import Enrolment, Int64, TemplateSpace
from reunite.gallery.reports import CompactionReport, RebuildReport, VerifyReport
from reunite.gallery.segments import ArraySource, Gathered, bits_at
from reunite.gallery.settings import Upkeep
from reunite.gallery.state import Held, State
from reunite.gallery.store import Store

Clock = Callable[[], float]
Progress = Callable[[int], None]

# Half of the promised time, so that a slow disk or a restart does not break the promise.
_DUE_SHARE = 0.5


def is_due(since: float | None, rules: Upkeep, now: float) -> bool:
    """Whether rows dead since then should leave the disk now."""
    return since is not None and now - since >= _DUE_SHARE * rules.erase_within_seconds


def _to_rewrite(state: State, rules: Upkeep, now: float, *, everything: bool) -> list[Held]:
    chosen = []
    for one in state.held:
        dead = one.segment.n - one.live_count
        many = dead > rules.dead_share * one.segment.n
        if dead and (everything or many or is_due(one.dead_since, rules, now)):
            chosen.append(one)
    rest = sorted((one for one in state.held if one not in chosen), key=lambda h: h.segment.n)
    if everything or len(state.held) > rules.most_segments:
        # The large ones stay: rewriting them for a few rows more would cost the most.
        largest = max((one.segment.n for one in rest), default=0)
        small = [one for one in rest if one.segment.n * 2 < largest]
        chosen += small if len(small) + len(chosen) > 1 else []
    return chosen


def compact(
    store: Store, lock: threading.RLock, rules: Upkeep, clock: Clock, *, everything: bool
) -> CompactionReport:
    """Rewrite the segments that need it without their dead rows.

    ``everything`` rewrites all that have dead rows, whenever they died.
    Raises GalleryDiskFullError, leaving the gallery as it was.
    """
    started = perf_counter()
    with lock:
        before = len(store.state.held)
        log_dead = store.log_dead_since is not None
        if (everything and (log_dead or len(store.tail))) or is_due(
            store.log_dead_since, rules, clock()
        ):
            store.flush()
        inputs = _to_rewrite(store.state, rules, clock(), everything=everything)
        if not inputs:
            after = len(store.state.held)
            return CompactionReport(before, after, 0, perf_counter() - started)
        name = store.new_name("segment")
        store.in_progress.add(name)
        encoder = store.state.encoder
    try:
        erased = sum(one.segment.n - one.live_count for one in inputs)
        replacing = _rewrite(store, inputs, name)
        with lock:
            if store.state.encoder != encoder:
                # The gallery was rebuilt meanwhile; what was compacted is gone.
                return CompactionReport(before, len(store.state.held), 0, 0.0)
            _install(store, inputs, replacing, clock())
            after = len(store.state.held)
    finally:
        store.in_progress.discard(name)
    return CompactionReport(before, after, erased, perf_counter() - started)


def _rewrite(store: Store, inputs: list[Held], name: str) -> tuple[Held, Int64, Int64]:
    """The new segment, and for each of its rows the input and row that it came from."""
    chosen = tuple(one.live_rows() for one in inputs)
    source = Gathered.of(tuple(one.segment for one in inputs), chosen)
    held, order = store.seal(source, store.state.encoder, name)
    origin = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])[order]
    return held, origin, np.concatenate(chosen)[order]


def _install(store: Store, inputs: list[Held], made: tuple[Held, Int64, Int64], at: float) -> None:
    held, origin, rows = made
    current = {one.segment.name: one for one in store.state.held}
    dead = np.zeros(held.segment.n, dtype=np.bool_)
    since = [at]
    for number, one in enumerate(inputs):
        mine = np.flatnonzero(origin == number)
        now = current.pop(one.segment.name, None)
        if now is None:
            # Every row of it died meanwhile, and a new generation left it out.
            dead[mine] = True
            continue
        dead[mine] = ~bits_at(now.live, rows[mine])
        if now.dead_since is not None:
            since.append(now.dead_since)
    if dead.any():
        held = held.without(np.flatnonzero(dead), min(since))
    names = {one.segment.name for one in inputs}
    kept = tuple(one for one in store.state.held if one.segment.name not in names)
    store.publish((*kept, held), store.state.space, keep_log=True)


def rebuild(
    store: Store,
    lock: threading.RLock,
    space: TemplateSpace,
    batches: Iterable[Enrolment],
    progress: Progress | None,
    clock: Clock,
) -> RebuildReport:
    """Make the gallery anew from stored templates, in ``space``; old answers until then.

    Faces added meanwhile are kept if the space stays, and reported if it changes; faces
    removed meanwhile stay removed.  Raises InvalidInputError, GalleryDiskFullError, leaving
    the gallery as it was.
    """
    started = perf_counter()
    with lock:
        scratch = store.new_name("build")
        store.in_progress.add(scratch)
        store.touched = set()
    names = [scratch]
    builder = None
    try:
        builder = Builder(store.folder / scratch, space)
        for batch in batches:
            builder.append(batch)
            if progress is not None:
                progress(builder.count)
        made: list[Held] = []
        for source in builder.sources():
            with lock:
                name = store.new_name("segment")
                store.in_progress.add(name)
                names.append(name)
            made.append(store.seal(source, builder.encoder, name)[0])
        with lock:
            carried, missed = _switch(store, space, made, builder, clock())
        faces = store.state.live_count
    finally:
        if builder is not None:
            builder.discard()
        store.in_progress.difference_update(names)
        store.touched = None
    return RebuildReport(faces, carried, missed, perf_counter() - started)


def _switch(
    store: Store, space: TemplateSpace, made: list[Held], builder: Builder, now: float
) -> tuple[int, Int64]:
    touched = np.array(sorted(store.touched or ()), dtype=np.int64)
    fresh = _live_among(store, touched)
    held = []
    for one in made:
        rows = one.find_live(touched)
        held.append(one.without(rows, now) if len(rows) else one)
    carried = len(fresh.template_ids) if space == store.state.space else 0
    if carried:
        held.append(store.seal(fresh, builder.encoder, store.new_name("segment"))[0])
    store.publish(tuple(held), space, keep_log=False)
    missed = fresh.template_ids[:0] if carried else fresh.template_ids
    return carried, missed


def _live_among(store: Store, template_ids: Int64) -> ArraySource:
    """The live rows of these ids, from wherever they are."""
    tail = store.tail.source()
    mine = np.flatnonzero(np.isin(tail.template_ids, template_ids))
    parts = [ArraySource(tail.template_ids[mine], tail.facts[mine], *tail.take(mine))]
    for one in store.state.held:
        rows = one.find_live(template_ids)
        if len(rows):
            found = Gathered.of((one.segment,), (rows,))
            everything = np.arange(len(rows))
            parts.append(ArraySource(found.template_ids, found.facts, *found.take(everything)))
    return ArraySource(
        np.concatenate([one.template_ids for one in parts]),
        np.concatenate([one.facts for one in parts]),
        np.concatenate([one.codes for one in parts]),
        np.concatenate([one.rows for one in parts]),
    )


def find_damage(state: State) -> list[str]:
    """Read every segment; names of those whose checksums do not fit."""
    damaged = []
    for one in state.held:
        try:
            one.segment.check()
        except GalleryDamagedError:
            damaged.append(one.segment.name)
    return damaged


def live_ids(state: State) -> Int64:
    """The ids of all live rows, ascending; an id stands twice where two rows are live."""
    tail = state.tail
    tail_rows = np.flatnonzero(np.unpackbits(tail.live, bitorder="little")[: tail.n])
    ids: Int64 = np.concatenate(
        [tail.template_ids[tail_rows], *(one.segment.ids(one.live_rows()) for one in state.held)]
    )
    ids.sort()
    return ids


def verify(
    store: Store, state: State, record_ids: Int64, damaged: list[str], now: float
) -> VerifyReport:
    """Hold the live rows against the ids of the records that should have one."""
    tail = state.tail
    ids = live_ids(state)
    unique, counts = np.unique(ids, return_counts=True)
    wanted = np.unique(np.asarray(record_ids, dtype=np.int64))
    since = [one.dead_since for one in state.held if one.dead_since is not None]
    if store.log_dead_since is not None:
        since.append(store.log_dead_since)
    dead = tail.n - tail.live_count + sum(one.segment.n - one.live_count for one in state.held)
    return VerifyReport(
        live=len(ids),
        rows_without_record=np.setdiff1d(unique, wanted, assume_unique=True),
        records_without_row=np.setdiff1d(wanted, unique, assume_unique=True),
        repeated=unique[counts > 1],
        damaged_segments=tuple(damaged),
        awaiting_erasure=dead,
        oldest_erasure_seconds=max((now - one for one in since), default=0.0),
    )
