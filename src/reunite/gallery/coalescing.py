"""Searches that wait at the same time go through the gallery together.

A scan is bound by memory: the codes read for one probe serve sixty-three others almost for
nothing.  So while one scan runs, whoever arrives joins the next.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from reunite.gallery.port import Filter, Float32, Hits

_MOST_PROBES = 64

Run = Callable[[Float32, int, Filter], Hits]


@dataclass(slots=True, eq=False)
class _Asked:
    vectors: Float32
    k: int
    wanted: Filter
    arrived: float
    done: bool = False
    hits: Hits | None = None
    error: BaseException | None = field(default=None)


class Coalescer:
    """Hands waiting searches with the same filter to ``run`` as one."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[_Asked] = []
        self._changed = threading.Condition()
        self._busy = False

    def search(self, vectors: Float32, k: int, wanted: Filter) -> Hits:
        """The hits of these probes, timed from arrival."""
        mine = _Asked(vectors, k, wanted, perf_counter())
        with self._changed:
            self._waiting.append(mine)
            while self._busy and not mine.done:
                self._changed.wait()
            if not mine.done:
                self._busy = True
        if not mine.done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        if mine.hits is None:  # pragma: no cover - the leader sets one or the other
            raise RuntimeError
        return mine.hits

    def _lead(self, mine: _Asked) -> None:
        try:
            with self._changed:
                together = self._choose(mine)
            self._answer(together)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _choose(self, mine: _Asked) -> list[_Asked]:
        together, probes = [mine], len(mine.vectors)
        for one in self._waiting:
            fits = probes + len(one.vectors) <= _MOST_PROBES
            if one is not mine and one.wanted == mine.wanted and fits:
                together.append(one)
                probes += len(one.vectors)
        self._waiting = [one for one in self._waiting if one not in together]
        return together

    def _answer(self, together: list[_Asked]) -> None:
        try:
            hits = self._run(
                np.concatenate([one.vectors for one in together]),
                max(one.k for one in together),
                together[0].wanted,
            )
            start = 0
            for one in together:
                some = slice(start, start + len(one.vectors))
                start = some.stop
                one.hits = Hits(
                    hits.template_ids[some, : one.k],
                    hits.similarity[some, : one.k],
                    hits.subject_ids[some, : one.k],
                    hits.searched,
                    perf_counter() - one.arrived,
                    hits.incomplete,
                )
        except BaseException as error:  # noqa: BLE001 - every one who waits must hear of it
            for one in together:
                one.error = error
        finally:
            for one in together:
                one.done = True
