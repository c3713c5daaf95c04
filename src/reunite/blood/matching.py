"""Everybody who could give to a patient, best first, among a million donors.

Donors are packed: two bits an antigen (carried, tested) in two 64-bit words, the combination of
group, H and RhD in a byte.  A patient is compiled into a table over the 90 combinations and
masks for each grade, from the very rules that ``compatibility.judge`` applies.  Rows that use
antigens without a bit are judged one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from math import asin, cos, radians, sin, sqrt

import numpy as np
import numpy.typing as npt

from reunite.blood.antigens import ANTIGENS, DERIVED, Status
from reunite.blood.compatibility import Need, judge
from reunite.blood.demands import demands, donor_antibody_grade
from reunite.blood.groups import group_findings
from reunite.blood.kernels import CHORD_BITS, grade_donors, rank_donors
from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.blood.rules import Component, Grade
from reunite.kernel.places import EARTH_RADIUS_KM, Point

_COMBINATIONS = tuple(product(Abo, HType, RhD))
NEVER = np.iinfo(np.int32).max
_UNPLACED_KM = float("inf")


@dataclass(frozen=True, slots=True)
class Donor:
    """One donor as matching sees them.

    ``eligible_on``: the first day on which they may give, None for never; ``point`` is None
    where nobody knows the place, and such donors come after all others of their grade.
    """

    id: int
    phenotype: Phenotype
    point: Point | None
    eligible_on: date | None
    confirmed: bool = True  # typed by a centre, not by their own word


@dataclass(frozen=True, slots=True)
class DonorPool:
    """Donors packed, all arrays of shape (n,) but ``vectors``.

    positive, known, antibodies : uint64, one bit an antigen
    basic : uint8, place in the combinations of group, H and RhD
    eligible_day : int32, proleptic ordinal of the day
    vectors : float64 array of shape (n, 3), places on the unit sphere, NaN where unknown
    unlisted : rows by the name of an antigen or antibody that has no bit
    """

    ids: npt.NDArray[np.int64]
    basic: npt.NDArray[np.uint8]
    positive: npt.NDArray[np.uint64]
    known: npt.NDArray[np.uint64]
    antibodies: npt.NDArray[np.uint64]
    declared: npt.NDArray[np.uint8]
    eligible_day: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.float64]
    unlisted: Mapping[str, Sequence[int]] = field(default_factory=dict)
    phenotypes: Mapping[int, Phenotype] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def pack(cls, donors: Iterable[Donor]) -> "DonorPool":
        """A pool of these donors, in their order."""
        listed = list(donors)
        packed: dict[Phenotype, tuple[int, int, int, int]] = {}
        unlisted: defaultdict[str, list[int]] = defaultdict(list)
        kept: dict[int, Phenotype] = {}
        words = np.empty((3, len(listed)), np.uint64)
        basic = np.empty(len(listed), np.uint8)
        vectors = np.full((len(listed), 3), np.nan)
        for row, donor in enumerate(listed):
            phenotype = donor.phenotype
            if phenotype not in packed:
                packed[phenotype] = pack_phenotype(phenotype)
            basic[row], *words[:, row] = packed[phenotype]
            names = _unlisted_names(phenotype)
            for name in names:
                unlisted[name].append(row)
            if names:
                kept[row] = phenotype
            if donor.point is not None:
                vectors[row] = vector_of(donor.point)
        return cls(
            np.array([donor.id for donor in listed], np.int64),
            basic,
            words[0],
            words[1],
            words[2],
            np.array([not donor.confirmed for donor in listed], np.uint8),
            np.array([day_number(donor.eligible_on) for donor in listed], np.int32),
            vectors,
            dict(unlisted),
            kept,
        )

    def only(self, keep: npt.NDArray[np.bool_]) -> "DonorPool":
        """The rows for which ``keep``, a bool array of shape (n,), holds."""
        if keep.all():
            return self
        place = np.cumsum(keep) - 1
        unlisted = {
            name: [int(place[row]) for row in rows if keep[row]]
            for name, rows in self.unlisted.items()
        }
        return DonorPool(
            **{name: getattr(self, name)[keep] for name in _ARRAYS},
            unlisted=unlisted,
            phenotypes={int(place[row]): one for row, one in self.phenotypes.items() if keep[row]},
        )

    def followed_by(self, other: "DonorPool") -> "DonorPool":
        """These donors, then those of ``other``."""
        if len(other) == 0:
            return self
        first = len(self)
        unlisted = {name: list(rows) for name, rows in self.unlisted.items()}
        for name, rows in other.unlisted.items():
            unlisted.setdefault(name, []).extend(first + row for row in rows)
        shifted = {first + row: one for row, one in other.phenotypes.items()}
        return DonorPool(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in _ARRAYS
            },
            unlisted=unlisted,
            phenotypes={**self.phenotypes, **shifted},
        )


_ARRAYS = (
    "ids",
    "basic",
    "positive",
    "known",
    "antibodies",
    "declared",
    "eligible_day",
    "vectors",
)


@dataclass(frozen=True, slots=True)
class Matches:
    """Donors for a patient, best first.

    rows : int32, places in the pool
    ids : int64
    grades : uint8, of ``rules.Grade``
    chords : float32, straight through the unit sphere, NaN where the place is unknown
    graded : how many of the whole pool have each grade, deferred or not
    deferred : how many usable ones may not give on that day
    """

    rows: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int64]
    grades: npt.NDArray[np.uint8]
    chords: npt.NDArray[np.float32]
    graded: Mapping[Grade, int]
    deferred: int

    def __len__(self) -> int:
        return len(self.ids)

    def distances_km(self, first: int | None = None) -> npt.NDArray[np.float64]:
        """Great-circle distances of the ``first`` so many, infinite where nobody knows."""
        chords = self.chords[:first].astype(np.float64)
        distances = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chords / 2, 1.0))
        return np.where(np.isnan(distances), _UNPLACED_KM, distances)


def match(
    pool: DonorPool,
    need: Need,
    here: Point,
    on: date,
    *,
    worst: Grade = Grade.LAST_RESORT,
) -> Matches:
    """Everybody of grade ``worst`` or better who may give ``on`` that day, best first.

    By grade, then donors typed by a centre before self-declared ones, then by distance (steps
    of 12 m), then in the order of the pool.  ``worst`` may be ``NEEDS_TYPING`` to learn whom
    typing would be worth it for.
    """
    if worst >= Grade.EXCLUDED:
        raise ValueError("whoever is excluded is not ranked")
    by_basic, masks, floor, judged = _compile(pool, need)
    grades = np.empty(len(pool), np.uint8)
    grade_donors(
        pool.basic,
        pool.positive,
        pool.known,
        pool.antibodies,
        by_basic,
        masks,
        int(floor),
        grades,
    )
    for row in judged:
        # The masks took the unlisted antigen for unknown, or knew nothing of the antibody.
        grades[row] = judge(pool.phenotypes[row], need).grade
    counts = np.zeros(len(Grade) + 1, np.int64)
    rows, ids, best, chords = rank_donors(
        pool.ids,
        grades,
        pool.declared,
        pool.eligible_day,
        pool.vectors,
        np.array(vector_of(here)),
        int(worst),
        on.toordinal(),
        counts,
    )
    graded = {grade: int(counts[grade]) for grade in Grade}
    return Matches(rows, ids, best, chords, graded, int(counts[-1]))


def match_one_by_one(
    donors: Sequence[Donor],
    need: Need,
    here: Point,
    on: date,
    *,
    worst: Grade = Grade.LAST_RESORT,
) -> list[tuple[Donor, Grade]]:
    """The same list by ``compatibility.judge``, donor by donor: the reference for ``match``."""
    ranked = []
    for row, donor in enumerate(donors):
        grade = judge(donor.phenotype, need).grade
        if grade <= worst and donor.eligible_on is not None and donor.eligible_on <= on:
            key = (grade, not donor.confirmed, _steps(donor.point, here), row)
            ranked.append((key, donor, grade))
    ranked.sort(key=lambda entry: entry[0])
    return [(donor, grade) for _, donor, grade in ranked]


def _steps(point: Point | None, here: Point) -> int:
    """The distance in the steps by which ``kernels.rank_donors`` compares."""
    if point is None:
        return (1 << CHORD_BITS) - 1
    (x, y, z), (u, v, w) = vector_of(point), vector_of(here)
    chord = sqrt((x - u) * (x - u) + (y - v) * (y - v) + (z - w) * (z - w))
    return int(chord * ((1 << (CHORD_BITS - 1)) - 1))


def distance_km(point: Point, here: Point) -> float:
    """Great-circle distance from the same vectors that ``match`` uses."""
    chord = sqrt(sum((a - b) ** 2 for a, b in zip(vector_of(point), vector_of(here), strict=True)))
    return 2 * EARTH_RADIUS_KM * asin(min(chord / 2, 1.0))


def vector_of(point: Point) -> tuple[float, float, float]:
    """The place on the unit sphere."""
    latitude, longitude = radians(point.latitude), radians(point.longitude)
    return (
        cos(latitude) * cos(longitude),
        cos(latitude) * sin(longitude),
        sin(latitude),
    )


def pack_phenotype(phenotype: Phenotype) -> tuple[int, int, int, int]:
    """Combination, carried, tested and antibody bits of a type; unlisted names have none."""
    positive = known = antibodies = 0
    for name in phenotype.positive | phenotype.negative | DERIVED:
        status = phenotype.status(name)
        if name in ANTIGENS and status is not Status.UNKNOWN:
            bit = 1 << ANTIGENS[name].bit
            known |= bit
            positive |= bit if status is Status.POSITIVE else 0
    for name in phenotype.antibodies:
        if name in ANTIGENS:
            antibodies |= 1 << ANTIGENS[name].bit
    combination = (phenotype.abo * len(HType) + phenotype.h) * len(RhD) + phenotype.d
    return combination, positive, known, antibodies


def _unlisted_names(phenotype: Phenotype) -> set[str]:
    every = phenotype.positive | phenotype.negative | phenotype.antibodies
    return {name for name in every if name not in ANTIGENS}


def day_number(day: date | None) -> int:
    """The proleptic ordinal of a day; ``NEVER`` for None."""
    return NEVER if day is None else day.toordinal()


def _compile(
    pool: DonorPool, need: Need
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64], Grade, set[int]]:
    """Table, masks, the grade that untested unlisted antigens cause, rows to be judged singly."""
    by_basic = np.array(
        [
            max(finding.grade for finding in group_findings(_bare(*combination), need))
            for combination in _COMBINATIONS
        ],
        np.uint8,
    )
    masks = [[0] * 4 for _ in Grade]
    floor = Grade.EXACT
    judged: set[int] = set()
    for demand in demands(need):
        outcomes = (demand.if_positive, demand.if_unknown, demand.if_negative)
        antigen = ANTIGENS.get(demand.antigen)
        if antigen is None:
            floor = max(floor, demand.if_unknown[0])
            judged.update(pool.unlisted.get(demand.antigen, ()))
            continue
        for kind, (grade, _) in enumerate(outcomes):
            masks[grade][kind] |= 1 << antigen.bit
    if need.component is not Component.RED_CELLS:
        for name, antigen in ANTIGENS.items():
            masks[donor_antibody_grade(name, need)[0]][3] |= 1 << antigen.bit
        judged.update(row for rows in pool.unlisted.values() for row in rows)
    return by_basic, np.array(masks, np.uint64), floor, judged


def _bare(abo: Abo, h: HType, d: RhD) -> Phenotype:
    """A type of nothing but group, H and RhD; a combination that cannot be occurs in no pool."""
    return Phenotype(Abo.O if h is HType.BOMBAY else abo, "", h, d)
