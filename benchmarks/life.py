"""Enrol, delete, open, compact, and search while others search and write."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.face_like import plausible_facts
from benchmarks.rates import median_rate, seconds, together
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.port import Enrolment, Float32, Probes, TemplateSpace

SEARCHERS = 8
SEARCHES_EACH = 25
_FIRST_NEW_ID = 1 << 33


def _new_faces(space: TemplateSpace, n: int, first: int, seed: int) -> Enrolment:
    rng = np.random.default_rng([7, seed])
    vectors = rng.standard_normal((n, space.dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(first, first + n, dtype=np.int64)
    return Enrolment(space, ids, vectors, plausible_facts(rng, ids))


def under_load(gallery: SegmentGallery, space: TemplateSpace, probes: Float32) -> dict[str, Any]:
    """Waiting times of eight searchers while faces are added and removed."""
    waits: list[float] = []
    over = threading.Event()
    written = 0

    def search(number: int) -> None:
        for turn in range(SEARCHES_EACH):
            probe = probes[[(number * SEARCHES_EACH + turn) % len(probes)]]
            waits.append(seconds(lambda probe=probe: gallery.search(Probes(space, probe))))  # type: ignore[misc]

    def write() -> None:
        nonlocal written
        while not over.is_set():
            first = _FIRST_NEW_ID + written
            gallery.add(_new_faces(space, 100, first, written))
            gallery.remove(np.arange(first, first + 50))
            written += 100
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    started = time.perf_counter()
    together([lambda number=number: search(number) for number in range(SEARCHERS)])  # type: ignore[misc]
    elapsed = time.perf_counter() - started
    over.set()
    writer.join()
    gallery.remove(np.arange(_FIRST_NEW_ID, _FIRST_NEW_ID + written))
    return {
        "searchers": SEARCHERS,
        "p50_ms": float(np.percentile(waits, 50) * 1000),
        "p99_ms": float(np.percentile(waits, 99) * 1000),
        "searches_per_second_under_load": len(waits) / elapsed,
        "faces_written_under_load": written,
    }


def life_of_data(folder: Path, space: TemplateSpace, faces: int) -> dict[str, Any]:
    """Opening, enrolling, deleting and compacting, each on its own."""
    opened = []
    for _ in range(3):
        started = time.perf_counter()
        gallery = SegmentGallery(folder, space)
        opened.append(time.perf_counter() - started)
        gallery.close()
    with SegmentGallery(folder, space) as gallery:
        first = 1 << 34
        large = [_new_faces(space, 10_000, first + 10_000 * at, at) for at in range(10)]
        enrolling = [seconds(lambda one=one: gallery.add(one)) for one in large]  # type: ignore[misc]
        small = [_new_faces(space, 1, first + 200_000 + at, at) for at in range(100)]
        one_by_one = [seconds(lambda one=one: gallery.add(one)) for one in small]  # type: ignore[misc]
        rng = np.random.default_rng(3)
        n_gone = max(1, min(100_000, faces // 10))
        gone = [rng.integers(1, faces + 1, n_gone) for _ in range(3)]
        deleting = [seconds(lambda ids=ids: gallery.remove(ids)) for ids in gone]  # type: ignore[misc]
        single = [
            seconds(lambda one=one: gallery.remove([one]))  # type: ignore[misc]
            for one in rng.integers(1, faces + 1, 20).tolist()
        ]
        compaction = gallery.compact()
    return {
        "open_ms": float(np.median(opened) * 1000),
        "enrol_faces_per_second": median_rate(10_000, enrolling),
        "enrol_one_ms": float(np.median(one_by_one) * 1000),
        "delete_faces_per_second": median_rate(n_gone, deleting),
        "delete_one_ms": float(np.median(single) * 1000),
        "compaction_seconds": compaction.elapsed_seconds,
        "compaction_rows_erased": compaction.rows_erased,
    }
