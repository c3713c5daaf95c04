"""What other exhaustive indexes do with the same faces on the same machine.

Each takes one probe at a time, as ours does; FAISS runs in two shards on two threads, which
is faster than its own threading.  Their times hold no re-rank.

An index of sign bits alone is asked twice: for the thousand nearest of a shard, and for as many
as it takes until the mates are among them, for only then has it answered the same question.
"""

from dataclasses import dataclass, field
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import search

from benchmarks.rates import Step, seconds, together
from reunite.gallery.codes import CODE_WORDS, UInt64
from reunite.gallery.port import Float32, Int64

KEPT = 1000
DEEPER = (1000, 4000, 16_000, 64_000)  # a shard
_SHARDS = 2
_MOST_ROTATED = 4_000_000  # rows of indexes that take floats: their rate is linear in rows
_MOST_SLOW = 500_000
_PROBES_AT_ONCE = 100


@dataclass(slots=True)
class Yardsticks:
    """Indexes that are filled with the same portions as the gallery."""

    dim: int
    bits: int
    indexes: dict[str, list[Any]] = field(default_factory=dict)
    words: list[UInt64] = field(default_factory=list)
    floats: list[Float32] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, dim: int, sample: Float32) -> "Yardsticks":
        """Empty indexes, trained on a sample of rotated templates."""
        faiss.omp_set_num_threads(1)
        made = cls(dim, dim)
        made.indexes = {
            "faiss_binary_flat": [faiss.IndexBinaryFlat(dim) for _ in range(_SHARDS)],
            "faiss_rabitq_fastscan": [
                faiss.IndexRaBitQFastScan(dim, faiss.METRIC_INNER_PRODUCT) for _ in range(_SHARDS)
            ],
            "faiss_rabitq": [
                faiss.IndexRaBitQ(dim, faiss.METRIC_INNER_PRODUCT) for _ in range(_SHARDS)
            ],
            "faiss_sq8_flat": [
                faiss.IndexScalarQuantizer(
                    dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
                )
                for _ in range(_SHARDS)
            ],
        }
        for name, shards in made.indexes.items():
            if name != "faiss_binary_flat":
                for shard in shards:
                    shard.train(sample)
            if name == "faiss_rabitq":
                for shard in shards:
                    shard.qb = 4
            made.rows[name] = 0
        return made

    def add(self, number: int, turned: Float32, signs: npt.NDArray[np.uint8]) -> None:
        """Add a portion: rotated templates and their packed sign bits."""
        shard = number % _SHARDS
        self._add("faiss_binary_flat", shard, signs, None)
        self._add("faiss_rabitq_fastscan", shard, turned, _MOST_ROTATED)
        self._add("faiss_rabitq", shard, turned, _MOST_SLOW)
        self._add("faiss_sq8_flat", shard, turned, _MOST_SLOW)
        if sum(len(one) for one in self.floats) < _MOST_SLOW:
            self.floats.append(turned)
            self.words.append(np.ascontiguousarray(signs).view(np.uint64))

    def _add(self, name: str, shard: int, rows: npt.NDArray[Any], most: int | None) -> None:
        if most is None or self.rows[name] < most:
            self.indexes[name][shard].add(rows)
            self.rows[name] += len(rows)

    def binary_places(
        self, signs: npt.NDArray[np.uint8], rows: Int64, portion: int
    ) -> npt.NDArray[np.int64]:
        """Per probe, how many of the deepest list precede this row in its shard by sign bits.

        What is not in the list, no re-rank can bring back; such a row gets the list's length.
        """
        shards = rows // portion % _SHARDS
        local = rows // portion // _SHARDS * portion + rows % portion
        places = np.full(len(rows), DEEPER[-1], dtype=np.int64)
        for number, shard in enumerate(self.indexes["faiss_binary_flat"]):
            mine = np.flatnonzero(shards == number)
            for at in np.array_split(mine, max(1, len(mine) // _PROBES_AT_ONCE)):
                if len(at):
                    found = shard.search(signs[at], min(DEEPER[-1], shard.ntotal))[1]
                    probe, place = np.nonzero(found == local[at, None])
                    places[at[probe]] = place
        return places

    def mates_kept(
        self, places: npt.NDArray[np.int64], exact: npt.NDArray[np.bool_]
    ) -> dict[int, float]:
        """Share of all probes whose mate an exact search finds and a list so deep still holds."""
        return {kept: float((exact & (places < kept)).mean()) for kept in DEEPER}

    def binary_step(self, signs: npt.NDArray[np.uint8], kept: int) -> Step:
        """A search for the ``kept`` nearest of each shard by sign bits, by FAISS's faster way."""
        shards = self.indexes["faiss_binary_flat"]
        steps = {
            use_heap: _sharded(shards, signs, kept, use_heap=use_heap) for use_heap in (True, False)
        }
        taken = {use_heap: min(seconds(step) for _ in range(3)) for use_heap, step in steps.items()}
        return steps[min(taken, key=lambda use_heap: taken[use_heap])]

    def steps(self, probe: Float32, signs: npt.NDArray[np.uint8]) -> dict[str, Step]:
        """One search of each, by name; ``rows`` says over how many faces."""
        steps: dict[str, Step] = {}
        for name, shards in self.indexes.items():
            asked = signs if name == "faiss_binary_flat" else probe
            steps[name] = _sharded(shards, asked)
        steps["faiss_binary_flat"] = self.binary_step(signs, KEPT)
        floats, words = np.concatenate(self.floats), np.concatenate(self.words)
        asked_words = signs.view(np.uint64)[0]
        self.rows["numpy_float32"] = self.rows["usearch_exact"] = len(floats)
        self.rows["numpy_hamming"] = len(words)
        steps["usearch_exact"] = lambda: search(
            floats, probe, 50, MetricKind.IP, exact=True, threads=2
        )
        steps["numpy_float32"] = lambda: np.argpartition(floats @ probe[0], -50)[-50:]
        steps["numpy_hamming"] = lambda: np.argpartition(
            np.bitwise_count(words ^ asked_words).sum(axis=1, dtype=np.uint16), KEPT
        )[:KEPT]
        return steps


def _sharded(
    shards: list[Any], asked: npt.NDArray[Any], kept: int = KEPT, *, use_heap: bool = True
) -> Step:
    def step() -> None:
        for shard in shards:
            if isinstance(shard, faiss.IndexBinaryFlat):
                shard.use_heap = use_heap
        together([lambda shard=shard: shard.search(asked, kept) for shard in shards])  # type: ignore[misc]

    return step


def sign_bytes(codes: UInt64, dim: int) -> npt.NDArray[np.uint8]:
    """Packed sign bits of codes: the front words of either shape."""
    words = codes[:, : min(CODE_WORDS, dim // 64)]
    return np.ascontiguousarray(words).view(np.uint8)
