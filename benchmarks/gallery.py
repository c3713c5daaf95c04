"""The gallery at full size: rates, mates, filters and life of data, beside other indexes.

python -m benchmarks.gallery --faces 10000000 --dim 512 --json
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.face_like import HARD_BELOW, PORTION, FaceLike, FromFile
from benchmarks.life import life_of_data, under_load
from benchmarks.plot import plot, table
from benchmarks.rates import interleaved, median_rate, reader
from benchmarks.truth import TOP, Truth
from benchmarks.yardsticks import KEPT, Yardsticks, sign_bytes
from reunite.gallery.codes import CODE_BYTES, Encoder, rotation
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.filters import admit
from reunite.gallery.port import Enrolment, Filter, Float32, Probes, TemplateSpace
from reunite.kernel.people import Module, Sex, Side, YearRange

RESULTS = Path(__file__).parent / "results"
BATCH = 64
DEEP = "faiss_binary_flat_deep"
ROUNDS = 9
MOST_MATES_LOST = 0.005  # of all probes, against an exact search
# Side, module, sex and two decades: about a tenth of the faces, through partitions alone.
TENTH = Filter(
    sides=frozenset({Side.MISSING}),
    modules=frozenset({Module.CHILD}),
    sexes=frozenset({Sex.FEMALE}),
    birth_years=YearRange(1970, 2019),
)

Source = FaceLike | FromFile


def _space(dim: int) -> TemplateSpace:
    return TemplateSpace("00" * 32, "identity", dim)


class Prepared:
    """The gallery on disk, the exact answer, and the other indexes."""

    def __init__(self, source: Source, folder: Path, *, quiet: bool) -> None:
        self.source, self.space = source, _space(source.dim)
        self.folder = folder / f"gallery-{source.dim}-{source.faces}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.admitted = 0
        self.build_seconds = 0.0
        self._quiet = quiet
        self.truth = Truth(source.probes, self._mates())
        with SegmentGallery(self.folder, self.space) as gallery:
            started = time.perf_counter()
            gallery.rebuild(self.space, self._enrolments(), self._progress)
            self.total_seconds = time.perf_counter() - started

    def _mates(self) -> Float32:
        if isinstance(self.source, FaceLike):
            return self.source.mates
        return self.source._vectors[self.source.mate_rows]  # noqa: SLF001

    def _progress(self, faces: int) -> None:
        if not self._quiet:
            print(f"\r{faces:>12,} faces", end="", file=sys.stderr, flush=True)

    def _enrolments(self) -> Any:
        dim, encoder, others = self.source.dim, Encoder(self.source.dim), None
        turn = rotation(encoder.shape.dims)
        for number, part in enumerate(self.source.portions()):
            turned = part.vectors @ turn[:dim]
            if others is None:
                others = self.others = Yardsticks.of(dim, turned[:50_000])
            others.add(number, turned, sign_bytes(encoder.encode(part.vectors)[0], dim))
            self.truth.look(part.template_ids, part.vectors, self.source.mate_ids)
            self.admitted += int(admit(part.facts, part.template_ids, TENTH).sum())
            yield Enrolment(self.space, part.template_ids, part.vectors, part.facts)


def _sign_bits(prepared: Prepared) -> dict[str, Any]:
    """How deep a list by sign bits alone must be so that the mates are in it."""
    source, truth = prepared.source, prepared.truth
    exact = truth.above < TOP
    signs = sign_bytes(Encoder(source.dim).encode(source.probes)[0], source.dim)
    places = prepared.others.binary_places(signs, source.mate_rows, PORTION)
    kept = prepared.others.mates_kept(places, exact)
    enough = [deep for deep, share in kept.items() if share >= exact.mean() - MOST_MATES_LOST]
    return {
        "mate50_faiss_binary_flat_at_most": kept[KEPT],
        "mate50_faiss_binary_flat_by_depth": kept,
        "faiss_binary_flat_depth": min(enough, default=max(kept)),
        "faiss_binary_flat_deep_finds_mates": bool(enough),
    }


def _rates(prepared: Prepared, gallery: SegmentGallery, deep: int) -> dict[str, Any]:
    source, space, n = prepared.source, prepared.space, prepared.source.faces
    probes, encoder = source.probes, Encoder(source.dim)
    asked = iter(np.random.default_rng(1).permutation(len(probes)).tolist() * 1000)

    def single(wanted: Filter = Filter()) -> None:  # noqa: B008 - a frozen value
        gallery.search(Probes(space, probes[[next(asked)]]), 50, wanted)

    words = np.ones(n * CODE_BYTES // 8, dtype=np.uint64)
    turned = probes[:1] @ rotation(encoder.shape.dims)[: source.dim]
    signs = sign_bytes(encoder.encode(probes[:1])[0], source.dim)
    others = prepared.others.steps(turned, signs)
    others[DEEP] = prepared.others.binary_step(signs, deep)
    prepared.others.rows[DEEP] = prepared.others.rows["faiss_binary_flat"]
    slow = {name: step for name, step in others.items() if prepared.others.rows[name] < n}
    fast = {name: step for name, step in others.items() if name not in slow}
    times = interleaved(
        {
            "read_1": reader(words, 1),
            "read_2": reader(words, 2),
            "single": single,
            "single_again": single,
            "tenth": lambda: single(TENTH),
            **fast,
        },
        ROUNDS,
    )
    times |= interleaved(slow, 3)
    del words
    some = Probes(space, probes[:BATCH])
    batches = interleaved(
        {
            "batch": lambda: gallery.search(some),
            "batch_tenth": lambda: gallery.search(some, 50, TENTH),
        },
        3,
    )
    rows = prepared.others.rows
    faiss = {name: median_rate(rows[name], times[name]) for name in others if "faiss" in name}
    ours = times["single"] + times["single_again"]
    single_rate = median_rate(n, ours)
    return {
        "bandwidth_1_thread_faces_per_second": median_rate(n, times["read_1"]),
        "bandwidth_faces_per_second": max(
            median_rate(n, times["read_1"]), median_rate(n, times["read_2"])
        ),
        "bandwidth_2_threads_faces_per_second": median_rate(n, times["read_2"]),
        "single_faces_per_second": single_rate,
        "single_best_faces_per_second": n / min(ours),
        "single_ms": float(np.median(ours) * 1000),
        "batch64_pairs_per_second": median_rate(n * BATCH, batches["batch"]),
        "batch64_tenth_ms": float(np.median(batches["batch_tenth"]) * 1000),
        "filter_tenth_admitted": prepared.admitted / n,
        "filter_tenth_ms": float(np.median(times["tenth"]) * 1000),
        "filter_tenth_speedup": float(np.median(ours) / np.median(times["tenth"])),
        "faiss_best": max(faiss, key=lambda name: faiss[name]),
        "faiss_best_faces_per_second": max(faiss.values()),
        "ratio_to_faiss_best": single_rate / max(faiss.values()),
        "others_faces_per_second": {name: median_rate(rows[name], times[name]) for name in others},
        "others_faces_measured": {name: rows[name] for name in others},
    }


def _mates(prepared: Prepared, gallery: SegmentGallery) -> dict[str, Any]:
    source, truth = prepared.source, prepared.truth
    found = [
        gallery.search(Probes(prepared.space, source.probes[at : at + BATCH]), TOP)
        for at in range(0, len(source.probes), BATCH)
    ]
    ids = np.concatenate([hits.template_ids for hits in found])
    mine = ids == source.mate_ids[:, None]
    hard = source.cosine < HARD_BELOW
    shared = [
        len(np.intersect1d(mine_ids, exact, assume_unique=True)) / len(exact)
        for mine_ids, exact in zip(ids, truth.top_ids, strict=True)
    ]
    at_50, exact_50 = mine.any(axis=1), truth.above < TOP
    return {
        "probes": len(ids),
        "probes_hard": int(hard.sum()),
        "mate1_exact": float((truth.above < 1).mean()),
        "mate1_ours": float(mine[:, 0].mean()),
        "mate50_exact": float(exact_50.mean()),
        "mate50_ours": float(at_50.mean()),
        "mate50_hard_exact": float(exact_50[hard].mean()),
        "mate50_hard_ours": float(at_50[hard].mean()),
        "mate50_lost": int((exact_50 & ~at_50).sum()),
        "mate50_won": int((~exact_50 & at_50).sum()),
        "recall50": float(np.mean(shared)),
    }


def _beside_faiss(result: dict[str, Any]) -> dict[str, Any]:
    """Our rate against the fastest FAISS index that finds the mates.

    Comparing sign bits alone is fast and answers another question: its candidates may have
    lost the mates before anybody looks at them again.  It counts at the depth that keeps them.
    """
    rates = {
        name: rate for name, rate in result["others_faces_per_second"].items() if "faiss" in name
    }
    if result["mate50_faiss_binary_flat_at_most"] < result["mate50_exact"] - MOST_MATES_LOST:
        del rates["faiss_binary_flat"]
    if not result["faiss_binary_flat_deep_finds_mates"]:
        del rates[DEEP]
    best = max(rates, key=lambda name: rates[name])
    return {
        "faiss_finding_mates": best,
        "faiss_finding_mates_faces_per_second": rates[best],
        "ratio_to_faiss_finding_mates": result["single_faces_per_second"] / rates[best],
    }


def run(source: Source, folder: Path, *, quiet: bool) -> dict[str, Any]:
    """Everything, in one run."""
    prepared = Prepared(source, folder, quiet=quiet)
    gallery = SegmentGallery(prepared.folder, prepared.space)
    result: dict[str, Any] = {"faces": source.faces, "dim": source.dim}
    try:
        result |= _sign_bits(prepared)
        result |= _rates(prepared, gallery, result["faiss_binary_flat_depth"])
        result |= _mates(prepared, gallery)
        result |= _beside_faiss(result)
        about = gallery.status()
        result["bytes_per_face_hot"] = CODE_BYTES
        result["bytes_per_face_on_disk"] = about.size_bytes / source.faces
        result["bytes_per_face_row"] = Encoder(source.dim).shape.dims
        result["bytes_per_face_facts"] = about.size_bytes / source.faces - CODE_BYTES
        result["bytes_per_face_facts"] -= Encoder(source.dim).shape.dims
        result["partitions"] = about.partitions
        result |= under_load(gallery, prepared.space, source.probes)
    finally:
        gallery.close()
    result |= life_of_data(prepared.folder, prepared.space, source.faces)
    result["machine"] = {
        "threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    shutil.rmtree(prepared.folder)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, choices=(128, 512), default=128)
    parser.add_argument("--probes", type=int, default=1000)
    parser.add_argument("--templates", type=Path, help="real templates instead: an .npz")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/gallery-bench"))  # noqa: S108
    parser.add_argument("--json", action="store_true", help="print JSON; the table to stderr")
    asked = parser.parse_args()
    source: Source = (
        FromFile(asked.templates)
        if asked.templates
        else FaceLike(asked.faces, asked.dim, min(asked.probes, asked.faces))
    )
    asked.folder.mkdir(parents=True, exist_ok=True)
    result = run(source, asked.folder, quiet=asked.json and not sys.stderr.isatty())
    RESULTS.mkdir(exist_ok=True)
    name = f"gallery-{result['faces']}-{result['dim']}"
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plot(result, RESULTS / f"{name}.png")
    print(f"\n{table(result)}", file=sys.stderr if asked.json else sys.stdout)
    if asked.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
