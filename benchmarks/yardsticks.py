"""What other exhaustive indexes do with the same faces on the same machine.

Each takes one probe at a time, as ours does; FAISS runs in two shards on two threads, which
is faster than its own threading.  Their times hold no re-rank.
"""

from dataclasses import dataclass, field
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import search

from benchmarks.rates import Step, together
from reunite.gallery.codes import CODE_WORDS, UInt64
from reunite.gallery.port import Float32, Int64

KEPT = 1000
_SHARDS = 2
_MOST_ROTATED = 4_000_000  # rows of indexes that take floats: their rate is linear in rows
_MOST_SLOW = 500_000


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

    def binary_keeps(
        self, signs: npt.NDArray[np.uint8], rows: Int64, portion: int
    ) -> npt.NDArray[np.bool_]:
        """Per probe, whether this row is among the ``KEPT`` of its shard by sign bits.

        What is not among them, no re-rank can bring back.
        """
        shards = rows // portion % _SHARDS
        local = rows // portion // _SHARDS * portion + rows % portion
        kept = np.zeros(len(rows), dtype=np.bool_)
        for number, shard in enumerate(self.indexes["faiss_binary_flat"]):
            mine = np.flatnonzero(shards == number)
            if len(mine):
                found = shard.search(signs[mine], KEPT)[1]
                kept[mine] = (found == local[mine, None]).any(axis=1)
        return kept

    def steps(self, probe: Float32, signs: npt.NDArray[np.uint8]) -> dict[str, Step]:
        """One search of each, by name; ``rows`` says over how many faces."""
        steps: dict[str, Step] = {}
        for name, shards in self.indexes.items():
            asked = signs if name == "faiss_binary_flat" else probe
            steps[name] = _sharded(shards, asked)
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


def _sharded(shards: list[Any], asked: npt.NDArray[Any]) -> Step:
    def step() -> None:
        together([lambda shard=shard: shard.search(asked, KEPT) for shard in shards])  # type: ignore[misc]

    return step


def sign_bytes(codes: UInt64, dim: int) -> npt.NDArray[np.uint8]:
    """Packed sign bits of codes: the front words of either shape."""
    words = codes[:, : min(CODE_WORDS, dim // 64)]
    return np.ascontiguousarray(words).view(np.uint8)
