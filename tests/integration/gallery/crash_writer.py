"""Writes to a gallery until it is killed, saying what it tries and what was acknowledged.

Run as ``python -m tests.integration.gallery.crash_writer FOLDER``: each line of standard
input starts a child with that seed.  Forking spares every child the start of Python.
"""

import os
import sys
from pathlib import Path

import numpy as np

from reunite.gallery.engine import SegmentGallery
from reunite.gallery.port import Enrolment, Facts, Float32, Int64, TemplateSpace, make_facts
from reunite.gallery.settings import GallerySettings, Upkeep

SPACE = TemplateSpace("ab" * 32, "identity", 32)
IDS = 300
# Small and hasty, so that kills fall into sealing and compaction as often as into appends.
SETTINGS = GallerySettings(
    upkeep=Upkeep(
        tail_rows=48, erase_within_seconds=0, dead_share=0.05, most_segments=3, every_seconds=0.002
    ),
    threads=1,
)


def vectors_of(template_ids: Int64, version: int) -> Float32:
    """The templates of these ids as they were written with this version."""
    rows = [np.random.default_rng([one, version]).standard_normal(32) for one in template_ids]
    unit = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    vectors: Float32 = unit.astype(np.float32)
    return vectors


def facts_of(template_ids: Int64) -> Facts:
    """Facts that spread the ids over partitions."""
    facts = make_facts(len(template_ids))
    facts["subject_id"] = template_ids
    facts["side"] = 1 + template_ids % 2
    facts["module"] = 1 + template_ids % 3
    facts["birth_year"] = 1950 + template_ids % 40
    return facts


def write_until_killed(folder: Path, seed: int) -> None:
    """Random adds, removes and compactions for ever."""
    rng = np.random.default_rng(seed)
    say = sys.stdout
    with SegmentGallery(folder, SPACE, settings=SETTINGS) as gallery:
        gallery.start_upkeep()
        for step in range(1, 1_000_000):
            ids = np.sort(rng.choice(np.arange(1, IDS + 1), rng.integers(1, 25), replace=False))
            listed = ",".join(map(str, ids))
            version = seed * 1_000_000 + step
            choice = rng.random()
            if choice < 0.6:
                say.write(f"try add {version} {listed}\n")
                say.flush()
                gallery.add(Enrolment(SPACE, ids, vectors_of(ids, version), facts_of(ids)))
            elif choice < 0.95:
                say.write(f"try remove {version} {listed}\n")
                say.flush()
                gallery.remove(ids)
            else:
                say.write("try compact 0 0\n")
                say.flush()
                gallery.compact()
            say.write("done\n")
            say.flush()


def main() -> None:
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout.write(f"pid {os.getpid()}\n")
            write_until_killed(folder, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"end {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
