"""Timing: medians of interleaved rounds, because other work on the machine comes and goes."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Step = Callable[[], object]


def seconds(step: Step) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def interleaved(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of each step in each round, all steps once a round."""
    for step in steps.values():
        step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            times[name].append(seconds(step))
    return times


def median_rate(amount: float, times: list[float]) -> float:
    """Amount per second at the median time."""
    return float(amount / np.median(times))


def together(steps: list[Step]) -> None:
    """Run steps in a thread each and wait for all."""
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@numba.njit(nogil=True, cache=True)
def _read(words: Any) -> Any:
    total = np.uint64(0)
    for i in range(words.shape[0]):
        total ^= words[i]
    return total


def reader(words: npt.NDArray[np.uint64], threads: int) -> Step:
    """A step that reads an array once with so many threads."""
    parts = np.array_split(words, threads)

    def step() -> None:
        together([lambda part=part: _read(part) for part in parts])  # type: ignore[misc]

    return step
