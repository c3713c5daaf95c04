"""How many candidates each stage of a search hands to the next."""

from dataclasses import dataclass
from math import ceil

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Depth:
    """The scan keeps ``candidates``; of those the int8 rows choose ``finalists``.

    The number of candidates grows with the gallery: at ten million faces a thousand of them
    lost two mates in three hundred that four thousand found.
    """

    candidates_at_million: int = 1500
    growth: float = 0.6
    candidates_per_hit: int = 8
    fewest_candidates: int = 512
    finalists_per_hit: int = 2
    spare_finalists: int = 32
    everything: bool = False

    def candidates(self, faces: int, k: int) -> int:
        """Rows of a gallery of ``faces`` that the scan keeps for ``k`` hits."""
        if self.everything:
            return max(1, faces)
        growth = float((faces / _MILLION) ** self.growth)
        by_size = ceil(self.candidates_at_million * growth)
        return max(self.fewest_candidates, self.candidates_per_hit * k, by_size)

    def finalists(self, candidates: int, k: int) -> int:
        """Rows whose stored template is fetched for ``k`` hits."""
        if self.everything:
            return candidates
        return self.finalists_per_hit * k + self.spare_finalists


FULL_DEPTH = Depth(everything=True)
"""Re-rank every admitted row: as exact as the stored templates, and slow."""
