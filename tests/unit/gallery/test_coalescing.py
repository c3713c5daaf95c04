"""Searches that wait together are run together."""

import threading

import numpy as np
import pytest

from reunite.gallery.coalescing import Coalescer
from reunite.gallery.port import ADMIT_ALL, Filter, Float32, Hits
from tests.contract.gallery_contract import unit_vectors


class SlowScan:
    """Answers with each probe's first number as its id; the first run waits to be let go."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int, Filter]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, vectors: Float32, k: int, wanted: Filter) -> Hits:
        self.runs.append((len(vectors), k, wanted))
        if len(self.runs) == 1:
            self.begun.set()
            self.go.wait()
        if k == 13:
            raise RuntimeError("the scan broke")
        ids = np.repeat((vectors[:, :1] * 1e6).astype(np.int64), k, axis=1)
        return Hits(ids, ids.astype(np.float32), ids, 5, 0.0)


def searched_together(
    asked: list[tuple[Float32, int, Filter]],
) -> tuple[SlowScan, list[Hits | Exception]]:
    """The first search is under way when all the others arrive."""
    scan = SlowScan()
    coalescer = Coalescer(scan)
    answers: list[Hits | Exception] = [RuntimeError()] * len(asked)

    def search(number: int) -> None:
        try:
            answers[number] = coalescer.search(*asked[number])
        except RuntimeError as error:
            answers[number] = error

    threads = [threading.Thread(target=search, args=(n,)) for n in range(len(asked))]
    threads[0].start()
    assert scan.begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(coalescer._waiting) < len(asked) - 1:
        pass
    scan.go.set()
    for thread in threads:
        thread.join()
    return scan, answers


def test_each_gets_its_own_hits() -> None:
    vectors = unit_vectors(1, 6)
    asked = [(vectors[n : n + 1], 2 + n % 2, ADMIT_ALL) for n in range(6)]
    scan, answers = searched_together(asked)
    assert [run[:2] for run in scan.runs] == [(1, 2), (5, 3)]
    for (probe, k, _), hits in zip(asked, answers, strict=True):
        assert isinstance(hits, Hits)
        assert hits.template_ids.tolist() == [[int(np.int64(probe[0, 0] * 1e6))] * k]
        assert hits.elapsed_seconds > 0


def test_other_filters_go_apart_and_batches_stay_small() -> None:
    other = Filter(regions=frozenset({3}))
    asked = [(unit_vectors(n, 40), 2, other if n == 3 else ADMIT_ALL) for n in range(4)]
    scan, _ = searched_together(asked)
    assert sorted(run[0] for run in scan.runs) == [40, 40, 40, 40]
    assert sum(run[2] == other for run in scan.runs) == 1


def test_all_hear_of_an_error_and_the_next_search_works() -> None:
    scan, answers = searched_together([(unit_vectors(n, 1), 13, ADMIT_ALL) for n in range(3)])
    assert [str(one) for one in answers] == ["the scan broke"] * 3
    with pytest.raises(RuntimeError, match="broke"):
        Coalescer(scan).search(unit_vectors(1, 1), 13, ADMIT_ALL)
