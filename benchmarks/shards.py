"""The same faces on one, two and four shards of a local Ray cluster.

python -m benchmarks.shards --faces 2000000 --dim 128 --json
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.face_like import FaceLike
from benchmarks.plot import table
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.port import Enrolment, Probes, TemplateSpace
from reunite.gallery.ray_shards import RayShard, cluster
from reunite.gallery.settings import GallerySettings
from reunite.gallery.sharded import ShardedGallery, shard_of

ROUNDS = 15
BATCH = 64


def _fill(source: FaceLike, space: TemplateSpace, folder: Path, n_shards: int) -> None:
    """Each shard built from its part of the faces, as a rebuild would."""
    for shard in range(n_shards):
        with SegmentGallery(folder / str(shard), space) as gallery:

            def mine(shard: int = shard) -> Any:
                for part in source.portions():
                    here = shard_of(part.template_ids, n_shards) == shard
                    yield Enrolment(
                        space, part.template_ids[here], part.vectors[here], part.facts[here]
                    )

            gallery.rebuild(space, mine())


def measure(source: FaceLike, folder: Path, n_shards: int) -> dict[str, Any]:
    """Times of single and batched searches, and of a shard's death and return."""
    space = TemplateSpace("00" * 32, "identity", source.dim)
    shutil.rmtree(folder, ignore_errors=True)
    _fill(source, space, folder, n_shards)
    settings = GallerySettings(threads=max(1, 2 // n_shards))
    shards = [RayShard(folder / str(n), space, settings) for n in range(n_shards)]
    for shard in shards:
        shard.wait_until_ready()
    gallery = ShardedGallery(space, shards, search_seconds=60)
    single, inside = [], []
    for turn in range(ROUNDS):
        hits = gallery.search(Probes(space, source.probes[turn : turn + 1]))
        single.append(hits.elapsed_seconds)
        inside.append(hits.template_ids[0, 0])
    batch = [gallery.search(Probes(space, source.probes[:BATCH])).elapsed_seconds for _ in "123"]
    shards[0].kill()
    partial = gallery.search(Probes(space, source.probes[:1]))
    started = time.perf_counter()
    while gallery.search(Probes(space, source.probes[:1])).incomplete:
        time.sleep(0.01)
    restored = time.perf_counter() - started
    gallery.close()
    shutil.rmtree(folder)
    return {
        "single_ms": float(np.median(single) * 1000),
        "single_faces_per_second": float(source.faces / np.median(single)),
        "batch64_pairs_per_second": float(BATCH * source.faces / np.median(batch)),
        "searched_with_one_dead": partial.searched,
        "restored_seconds": restored,
        "first_hits": int(np.sum(inside) % 1_000_000_007),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, choices=(128, 512), default=128)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/gallery-bench"))  # noqa: S108
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    source = FaceLike(asked.faces, asked.dim, 100)
    result: dict[str, Any] = {"faces": asked.faces, "dim": asked.dim}
    with cluster():
        for n in asked.shards:
            folder = asked.folder / f"shards-{asked.dim}-{n}"
            result[f"{n} shards"] = measure(source, folder, n)
    name = f"shards-{asked.faces}-{asked.dim}.json"
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / name).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result), file=sys.stderr if asked.json else sys.stdout)
    if asked.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
