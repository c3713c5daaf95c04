"""Fit a calibration: how alike strangers of every age are, and how alike one person stays.

Strangers need ages but no names, mates need names; both must be people, or photos, whom the
adapter was not fitted on, or be seen through one that was fitted without them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from reunite.faces.calibration import UNKNOWN_BAND, Calibration, Pooling, band_of

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Upper shares whose quantiles a normal distribution is laid through: the middle does not
# matter to anybody, and further out are people who are in the data twice.
TAIL: Final = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
MOST_FACES: Final = 1500  # of a band: a million pairs
LEAST_PAIRS: Final = 3_000  # fewer say nothing about one in a thousand
LEAST_MATES: Final = 100
LEAST_PEOPLE_WITH_TWO: Final = 30
ONE_PICTURE: Final = 0.8  # strangers so alike are one person, or one picture twice
GROWN_BAND: Final = UNKNOWN_BAND - 1
_UNSEEN: Final = NormalDist(0.5, 0.2)  # so alike that nothing is believed


@dataclass(frozen=True, eq=False)
class Strangers:
    """Faces of different people.

    templates : float32 of shape (n, dim), rows L2-normalised; ages_years : float64 (n,)
    sexes : int64 (n,), -1 where unknown
    """

    templates: Float32
    ages_years: Float64
    sexes: Int64


@dataclass(frozen=True, eq=False)
class Mates:
    """Similarities of two photos of one person.

    similarity, younger_years : of shape (n,), across many years, with the younger age (NaN
        where unknown)
    near : of grown people within few years; may be empty
    """

    similarity: Float32
    younger_years: Float64
    near: Float32


def fit_calibration(
    strangers: Strangers,
    mates: Mates,
    *,
    model_digest: str,
    adapter_digest: str,
    fitted_on: str,
    pooling: Pooling | None = None,
    seed: int = 0,
) -> Calibration:
    """The calibration of the space that these templates and similarities are of."""
    return Calibration(
        model_digest=model_digest,
        adapter_digest=adapter_digest,
        strangers=_stranger_tables(strangers, np.random.default_rng(seed)),
        mates=_mate_table(mates),
        fitted_on=fitted_on,
        pooling=pooling or Pooling(),
    )


def fit_pooling(
    templates: Float32, ids: Int64, young: npt.NDArray[np.bool_], fold: Int64
) -> Pooling:
    """What a second young photo of one person adds to the first, held against grown ones.

    templates : float32 of shape (n, dim), seen through adapters that do not know the people;
        those of two folds, of two adapters, are never compared
    """
    two = [rows[:2] for person in np.unique(ids) if len(rows := _rows_of(ids, young, person)) > 1]
    if len(two) < LEAST_PEOPLE_WITH_TWO:
        return Pooling()
    first, second = (np.array([rows[number] for rows in two]) for number in (0, 1))
    grown = np.flatnonzero(~young)
    similarities = [templates[rows] @ templates[grown].T for rows in (first, second)]
    same = ids[first][:, None] == ids[grown][None, :]
    one_space = fold[first][:, None] == fold[grown][None, :]
    return Pooling(
        strangers=_correlation(*(one[one_space & ~same] for one in similarities)),
        mates=_correlation(*(one[same] for one in similarities)),
    )


def _rows_of(ids: Int64, chosen: npt.NDArray[np.bool_], person: np.int64) -> Int64:
    return np.flatnonzero((ids == person) & chosen)


def _correlation(one: Float32, other: Float32) -> float:
    return float(np.clip(np.corrcoef(one, other)[0, 1], 0.0, 1.0))


def stranger_pairs(
    strangers: Strangers, band_a: int, band_b: int, rng: np.random.Generator
) -> tuple[Float32, Float32]:
    """Similarities of strangers of two age bands: of any two, and of two of one sex."""
    bands = np.array([band_of(float(age)) for age in strangers.ages_years])
    one, other = (
        rng.permutation(np.flatnonzero((bands == band) | (band == UNKNOWN_BAND)))[:MOST_FACES]
        for band in (band_a, band_b)
    )
    similarity = strangers.templates[one] @ strangers.templates[other].T
    different = one[:, None] != other[None, :]
    if band_a == band_b:
        different &= one[:, None] < other[None, :]
    sexes = strangers.sexes
    one_sex = (sexes[one][:, None] == sexes[other][None, :]) & (sexes[one][:, None] >= 0)
    return similarity[different], similarity[different & one_sex]


def _stranger_tables(
    strangers: Strangers, rng: np.random.Generator
) -> Mapping[str, Mapping[tuple[int, int], NormalDist]]:
    cells = [(a, b) for a in range(UNKNOWN_BAND + 1) for b in range(a, UNKNOWN_BAND + 1)]
    pairs = {cell: stranger_pairs(strangers, *cell, rng) for cell in cells}
    tables: dict[str, dict[tuple[int, int], NormalDist]] = {"any": {}, "same_sex": {}}
    for number, table in enumerate(tables.values()):
        seen = {
            cell: _tail_normal(both[number])
            for cell, both in pairs.items()
            if len(both[number]) >= LEAST_PAIRS
        }
        # Of ages that are not in the data the worst is assumed: too rare a likeness would be
        # believed, and small children are the ones that are missing most often.
        known = [*seen.values(), *tables["any"].values()]
        worst = max(known, key=lambda one: one.inv_cdf(1 - TAIL[-1]), default=_UNSEEN)
        for cell in cells:
            table[cell] = seen.get(cell) or (tables["any"][cell] if number else worst)
    return tables


def _tail_normal(similarity: Float32) -> NormalDist:
    """The normal distribution with the same upper quantiles."""
    kept = similarity[similarity < ONE_PICTURE]
    deviates = np.array([NormalDist().inv_cdf(1 - share) for share in TAIL])
    slope, intercept = np.polyfit(deviates, np.quantile(kept, 1 - np.array(TAIL)), 1)
    return NormalDist(float(intercept), float(max(slope, 1e-3)))


def _normal(similarity: Float32) -> NormalDist:
    """Middle and spread by quantiles: a few wrong labels do not move them."""
    low, middle, high = np.quantile(similarity, [0.16, 0.5, 0.84])
    return NormalDist(float(middle), float(max((high - low) / 2, 1e-3)))


def _mate_table(mates: Mates) -> Mapping[tuple[int, bool], NormalDist]:
    """By the younger band, across many years and within few.

    Children a few years apart are rarely in any data: halfway to grown people is a judgement.
    """
    everybody = _normal(mates.similarity)
    grown = _normal(mates.near) if len(mates.near) >= LEAST_MATES else everybody
    known = ~np.isnan(mates.younger_years)
    bands = np.full(len(known), UNKNOWN_BAND)
    bands[known] = [band_of(float(age)) for age in mates.younger_years[known]]
    seen = {
        band: _normal(mates.similarity[bands == band])
        for band in range(UNKNOWN_BAND)
        if (bands == band).sum() >= LEAST_MATES
    }
    table = {}
    for band in range(UNKNOWN_BAND):
        # The nearest age that was seen: an infant is no easier than a child of four.
        nearest = min(seen, key=lambda other: abs(other - band), default=None)
        far = everybody if nearest is None else seen[nearest]
        halfway = NormalDist((far.mean + grown.mean) / 2, (far.stdev + grown.stdev) / 2)
        table[band, True] = far
        table[band, False] = grown if band == GROWN_BAND else halfway
    table[UNKNOWN_BAND, True] = table[UNKNOWN_BAND, False] = everybody
    return table
