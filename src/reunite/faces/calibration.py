"""What a similarity means: how rarely strangers of these ages are so alike, and how much it says.

One threshold is unsafe: small children resemble one another, so the same similarity is common
between two of them and rare between two grown-ups.  Here the similarities of strangers are
described for each pair of age bands, and those of one person by the younger age and the lapse,
each by a normal distribution fitted to its upper part.  ``docs/faces.md`` says on what.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from typing import Any, Final

from reunite.kernel.errors import ReuniteError

FORMAT_VERSION: Final = 1
BAND_EDGES_YEARS: Final = (3, 6, 13, 19)
UNKNOWN_BAND: Final = len(BAND_EDGES_YEARS) + 1
WEAK_BELOW_YEARS: Final = 6  # faces of younger children are weak evidence
LONG_LAPSE_YEARS: Final = 5
# Beyond this the normal distributions are guesses about tails that nobody has seen.
MOST_BITS: Final = 17.0
LEAST_FALSE_MATCH_RATE: Final = 1e-6
DEFAULT_SHARE_WITH_MATE: Final = 0.3  # of searches, whose person is in the gallery


class CalibrationError(ReuniteError):
    """A calibration cannot be read: ``calibration_unreadable``."""

    code = "calibration_unreadable"


class Support(IntEnum):
    """How much a likeness says, from nothing to very much.

    Limits are those of the verbal scale of ENFSI (Guideline for Evaluative Reporting, 2015),
    with its two middle steps as one.
    """

    NONE = 0
    SLIGHT = 1
    SOME = 2
    STRONG = 3
    VERY_STRONG = 4


SUPPORT_FROM_RATIO: Final = (
    (10_000.0, Support.VERY_STRONG),
    (1_000.0, Support.STRONG),
    (100.0, Support.SOME),
    (2.0, Support.SLIGHT),
)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What one similarity says about two photos.

    false_match_rate : share of pairs of strangers of these ages that are at least so alike
    likelihood_ratio : how many times likelier it is of one person than of two
    is_weak : one of the faces is known to be of a child below six
    """

    similarity: float
    false_match_rate: float
    likelihood_ratio: float
    is_weak: bool

    @property
    def bits(self) -> float:
        """Logarithm of the likelihood ratio, base 2: adds to those of facts."""
        return math.log2(self.likelihood_ratio)

    @property
    def support(self) -> Support:
        """In steps for words; a small child's face never counts as more than slight."""
        step = next(
            (step for least, step in SUPPORT_FROM_RATIO if self.likelihood_ratio >= least),
            Support.NONE,
        )
        return min(step, Support.SLIGHT) if self.is_weak else step

    def probability(self, searched: int, share_with_mate: float = DEFAULT_SHARE_WITH_MATE) -> float:
        """That this is the person, among ``searched`` admitted people of the gallery.

        All others together weigh as much as their number, for the mean likelihood ratio of
        strangers is one.
        """
        prior = share_with_mate / max(searched, 1)
        return prior * self.likelihood_ratio / (1 - prior + prior * self.likelihood_ratio)


@dataclass(frozen=True, slots=True)
class Pooling:
    """How far two photos of one person say the same about another photo.

    Correlations of the two similarities, for somebody else's photo and for the person's own;
    1: a second photo adds nothing.
    """

    strangers: float = 1.0
    mates: float = 1.0


@dataclass(frozen=True)
class Calibration:
    """Distributions for the templates of one space.

    strangers : for (band, band) in ascending order mean and deviation of similarities; one
        table for any two people and one for two of the same sex
    mates : for (younger band, whether the lapse is long) mean and deviation
    pooling : what several photos of one person add
    """

    model_digest: str
    adapter_digest: str
    strangers: Mapping[str, Mapping[tuple[int, int], NormalDist]]
    mates: Mapping[tuple[int, bool], NormalDist]
    fitted_on: str
    pooling: Pooling = Pooling()

    def weigh(
        self,
        similarity: float,
        age_a_years: float | None,
        age_b_years: float | None,
        *,
        same_sex: bool = False,
        photos: tuple[int, int] = (1, 1),
    ) -> Likelihood:
        """What ``similarity`` says of two photos taken at these ages; None is an unknown age.

        ``same_sex`` when both records say so: strangers of one sex are more alike.
        ``photos`` of either side, whose similarities ``similarity`` is the mean of.
        """
        low, high = sorted((band_of(age_a_years), band_of(age_b_years)))
        strangers = _narrowed(
            self.strangers["same_sex" if same_sex else "any"][low, high],
            self.pooling.strangers,
            photos,
        )
        known = [age for age in (age_a_years, age_b_years) if age is not None]
        apart = len(known) < 2 or abs(known[0] - known[1]) >= LONG_LAPSE_YEARS  # noqa: PLR2004
        mates = _narrowed(self.mates[low, apart], self.pooling.mates, photos)
        rate = max(1 - strangers.cdf(similarity), LEAST_FALSE_MATCH_RATE)
        return Likelihood(
            similarity=similarity,
            false_match_rate=rate,
            likelihood_ratio=2 ** _bits(similarity, mates, strangers),
            is_weak=any(age < WEAK_BELOW_YEARS for age in known),
        )

    def similarity_at(
        self, false_match_rate: float, age_a_years: float | None, age_b_years: float | None
    ) -> float:
        """The threshold that this share of strangers of these ages exceeds."""
        low, high = sorted((band_of(age_a_years), band_of(age_b_years)))
        return self.strangers["any"][low, high].inv_cdf(1 - false_match_rate)

    def least_similarity(self, false_match_rate: float) -> float:
        """Below this, more than this share of strangers are as much alike, at whatever ages."""
        cells = [one for table in self.strangers.values() for one in table.values()]
        return min(one.inv_cdf(1 - false_match_rate) for one in cells)


def band_of(age_years: float | None) -> int:
    """0-2, 3-5, 6-12, 13-18, grown up, or ``UNKNOWN_BAND``."""
    if age_years is None:
        return UNKNOWN_BAND
    return sum(age_years >= edge for edge in BAND_EDGES_YEARS)


def _narrowed(one: NormalDist, correlation: float, photos: tuple[int, int]) -> NormalDist:
    """The distribution of a mean over so many photos of either side.

    The variance of a mean of equally correlated values; the sides are taken as independent.
    """
    share = math.prod((1 + (count - 1) * correlation) / count for count in photos)
    return NormalDist(one.mean, one.stdev * math.sqrt(share))


def _bits(similarity: float, mates: NormalDist, strangers: NormalDist) -> float:
    """Log ratio of densities, kept from falling again where similarity grows.

    Two normal curves of different widths cross twice; past the second crossing a higher
    similarity would count against one's being the same person, which is absurd.
    """
    a = 1 / strangers.variance - 1 / mates.variance
    b = mates.mean / mates.variance - strangers.mean / strangers.variance
    # The log ratio is a parabola, a x^2 / 2 + b x + c; beyond its vertex it is held.
    vertex = -b / a if a else math.inf
    at = max(similarity, vertex) if a > 0 else min(similarity, vertex)
    ratio = math.log2(strangers.stdev / mates.stdev) + (
        ((at - strangers.mean) / strangers.stdev) ** 2 - ((at - mates.mean) / mates.stdev) ** 2
    ) / (2 * math.log(2))
    return min(max(ratio, -MOST_BITS), MOST_BITS)


def write_calibration(calibration: Calibration) -> str:
    """The text of a file."""
    tables = {
        table: {f"{a}-{b}": _pair(dist) for (a, b), dist in cells.items()}
        for table, cells in calibration.strangers.items()
    }
    mates = {f"{band}-{int(far)}": _pair(dist) for (band, far), dist in calibration.mates.items()}
    body = {
        "version": FORMAT_VERSION,
        "model_digest": calibration.model_digest,
        "adapter_digest": calibration.adapter_digest,
        "fitted_on": calibration.fitted_on,
        "strangers": tables,
        "mates": mates,
        "pooling": {
            "strangers": round(calibration.pooling.strangers, 4),
            "mates": round(calibration.pooling.mates, 4),
        },
    }
    return json.dumps(body, indent=1) + "\n"


def read_calibration(text: str) -> Calibration:
    """The calibration in a file's text.  Raises CalibrationError."""
    try:
        body = json.loads(text)
        if body["version"] != FORMAT_VERSION:
            raise CalibrationError(version=body["version"])
        bands = range(UNKNOWN_BAND + 1)
        return Calibration(
            model_digest=str(body["model_digest"]),
            adapter_digest=str(body["adapter_digest"]),
            fitted_on=str(body["fitted_on"]),
            strangers={
                table: {
                    (a, b): NormalDist(*body["strangers"][table][f"{a}-{b}"])
                    for a in bands
                    for b in bands
                    if a <= b
                }
                for table in ("any", "same_sex")
            },
            mates={
                (band, far): NormalDist(*body["mates"][f"{band}-{int(far)}"])
                for band in bands
                for far in (False, True)
            },
            # Of files from before several photos were weighed: as one photo.
            pooling=Pooling(**body.get("pooling", {})),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CalibrationError from error


def _pair(dist: NormalDist) -> list[float]:
    return [round(dist.mean, 5), round(dist.stdev, 5)]


@cache
def shipped_calibrations() -> tuple[Calibration, ...]:
    """Those that come with Reunite."""
    folder: Any = files("reunite.faces") / "data"
    return tuple(
        read_calibration(entry.read_text(encoding="utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda one: str(one.name))
        if entry.name.endswith(".calibration.json")
    )


def find_calibration(model_digest: str, adapter_digest: str) -> Calibration | None:
    """The calibration for templates of one space; None where nobody has measured it."""
    return next(
        (
            one
            for one in shipped_calibrations()
            if (one.model_digest, one.adapter_digest) == (model_digest, adapter_digest)
        ),
        None,
    )
