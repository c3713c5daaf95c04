"""A writer killed at random: nothing acknowledged is lost, nothing removed comes back.

Twenty kills by default; ``GALLERY_KILLS=100`` asks for more.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from reunite.gallery.engine import SegmentGallery
from reunite.gallery.port import Probes
from tests.integration.gallery.crash_writer import IDS, SETTINGS, SPACE, vectors_of
from tests.unit.gallery.disk import scratch_folder

KILLS = int(os.environ.get("GALLERY_KILLS", "20"))


@dataclass
class Acknowledged:
    """Version of every id that must be live, and the call that was under way."""

    live: dict[int, int] = field(default_factory=dict)
    pending: tuple[str, int, list[int]] | None = None

    def read(self, line: str) -> None:
        if line.startswith("try"):
            _, what, version, ids = line.split()
            self.pending = (what, int(version), [int(one) for one in ids.split(",")])
        elif line.startswith("done") and self.pending is not None:
            self.live = self.outcomes()[-1]
            self.pending = None

    def outcomes(self) -> list[dict[int, int]]:
        """What may be found: without the call that was under way, and with it."""
        if self.pending is None:
            return [self.live]
        what, version, ids = self.pending
        after = dict(self.live)
        for one in ids:
            if what == "add":
                after[one] = version
            elif what == "remove":
                after.pop(one, None)
        return [self.live, after]


def found_in(folder: Path, outcomes: list[dict[int, int]]) -> dict[int, int]:
    """Which of the outcomes the gallery holds, face by face."""
    with SegmentGallery(folder, SPACE, settings=SETTINGS) as gallery:
        report = gallery.verify(range(1, IDS + 1))
        assert not report.damaged_segments
        assert not len(report.repeated)
        for outcome in outcomes:
            if len(gallery) != len(outcome):
                continue
            ids = np.array(sorted(outcome), dtype=np.int64)
            if not len(ids):
                return outcome
            rows = [vectors_of(np.array([one]), outcome[one])[0] for one in ids.tolist()]
            hits = gallery.search(Probes(SPACE, np.array(rows, dtype=np.float32)), k=1)
            right = hits.template_ids[:, 0] == ids
            if right.all() and (hits.similarity[:, 0] > 0.98).all():
                assert (hits.subject_ids[:, 0] == ids).all()
                return outcome
    raise AssertionError("the gallery holds neither outcome")


def run_until_killed(requests: IO[str], answers: IO[str], seed: int, model: Acknowledged) -> None:
    requests.write(f"{seed}\n")
    requests.flush()
    pid = int(answers.readline().split()[1])
    chance = random.Random(seed)  # noqa: S311 - when to kill is no secret
    killer = threading.Timer(chance.uniform(0, 0.15), os.kill, (pid, signal.SIGKILL))
    # One in five is killed while it opens, and so perhaps while it recovers from the last.
    started = seed % 5 == 0
    if started:
        killer.start()
    for line in answers:
        if line.startswith("end"):
            assert int(line.split()[1]) == -signal.SIGKILL
            break
        model.read(line)
        if not started and line.startswith("done"):
            started = True
            killer.start()
    killer.join()


def test_kill_nine() -> None:
    model = Acknowledged()
    with scratch_folder() as folder:
        acknowledged = kill_and_look(folder / "gallery", model)
    assert acknowledged > KILLS / 2, "the kills came too early to test anything"


def kill_and_look(folder: Path, model: Acknowledged) -> int:
    """How many of the kills came after something had been acknowledged."""
    acknowledged = 0
    first_seed = int(time.time()) if KILLS > 20 else 1
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.gallery.crash_writer", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])},
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for kill in range(KILLS):
            before = dict(model.live)
            run_until_killed(parent.stdin, parent.stdout, first_seed + kill, model)
            model.live = found_in(folder, model.outcomes())
            model.pending = None
            acknowledged += model.live != before
        parent.stdin.close()
    return acknowledged
