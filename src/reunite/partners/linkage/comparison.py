"""Weigh two records: one number in bits, the facts it comes from, and what contradicts.

Bits add up because the facts are taken as independent given whether the two are one person
(Fellegi and Sunter).  Place and time of finding are not quite: the sum is a rank and a reason
for a reviewer to look, never a verdict.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import exp, pi, sqrt

from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import distance_km
from reunite.partners.linkage.description import Reading
from reunite.partners.linkage.dialects import at_home_in
from reunite.partners.linkage.frequencies import Frequencies
from reunite.partners.linkage.marks import likeness
from reunite.partners.linkage.name_comparison import compare_names
from reunite.partners.linkage.weights import bits, weights

AGREES_BITS, CONTRADICTS_BITS = 0.7, -1.5
LEAST_BIRTH_BITS = -9.0  # a false paper is possible at any distance
ADULT_AGE, SMALL_CHILD_AGE = 18, 13
SAME, NEAR = 0.95, 0.65  # likeness of marks
BETWEEN_SIDES = frozenset({"place", "time"})  # facts that tell only of a loss and a finding
WEEK_DAYS, HALF_YEAR_DAYS, YEAR_DAYS = 7, 180, 365.25


class Bearing(StrEnum):
    """Which way a fact speaks."""

    SUPPORTS = "supports"
    NEUTRAL = "neutral"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that both records know.  ``fact`` and ``level`` are codes for the interface."""

    fact: str
    level: str
    bits: float

    @property
    def bearing(self) -> Bearing:
        if self.bits >= AGREES_BITS:
            return Bearing.SUPPORTS
        return Bearing.CONTRADICTS if self.bits <= CONTRADICTS_BITS else Bearing.NEUTRAL


@dataclass(frozen=True, slots=True)
class Weight:
    """What all facts together say."""

    evidence: tuple[Evidence, ...]

    @property
    def bits(self) -> float:
        return sum(one.bits for one in self.evidence)

    @property
    def contradictions(self) -> tuple[Evidence, ...]:
        return tuple(one for one in self.evidence if one.bearing is Bearing.CONTRADICTS)


Found = tuple[str, float] | None  # level and bits; None where a side does not know


def weigh(
    missing: Reading,
    found: Reading,
    frequencies: Frequencies,
    face_similarity: float | None = None,
    face: tuple[str, float] | None = None,
) -> Weight:
    """Everything that two records say about being one person.

    ``face`` is what a calibration says of their photos, a level and its bits; without one,
    ``face_similarity``, the cosine of the best two photos, is looked up in a table.
    """
    evidence = []
    name = compare_names(missing.names, found.names, frequencies)
    if missing.names and found.names:
        evidence.append(Evidence("name", name.level, name.bits))
    for fact, compare in _FACTS:
        said = compare(missing, found, frequencies)
        if said is not None:
            evidence.append(Evidence(fact, *said))
    if face is not None:
        evidence.append(Evidence("face", *face))
    elif face_similarity is not None:
        evidence.append(Evidence("face", *_face(missing, found, face_similarity)))
    return Weight(tuple(evidence))


def weigh_same_side(
    first: Reading,
    second: Reading,
    frequencies: Frequencies,
    face_similarity: float | None = None,
    face: tuple[str, float] | None = None,
) -> Weight:
    """What two records of one side say about being one person.

    Place and time say nothing here: whole sheets come from one station and one month, so that
    strangers agree in them as well as a record and its repetition.  Otherwise as ``weigh``, with
    the earlier record in the place of the missing person's.
    """
    days = _days_apart(first.facts.seen_on, second.facts.seen_on)
    pair = (second, first) if days is not None and days < 0 else (first, second)
    whole = weigh(*pair, frequencies, face_similarity, face)
    return Weight(tuple(one for one in whole.evidence if one.fact not in BETWEEN_SIDES))


def posterior(weight_bits: float, pool: int, share_with_mate: float = 0.3) -> float:
    """Probability that a pair is one person, found among ``pool`` records of a side."""
    odds = share_with_mate / max(1, pool) * 2.0 ** min(60.0, weight_bits)
    return float(odds / (1 + odds))


def _sex(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["sex"]
    if Sex.UNKNOWN in (a.facts.sex, b.facts.sex):
        return None
    level = "agrees" if a.facts.sex is b.facts.sex else "differs"
    return level, bits(table[level], table["u"])


def _normal(distance: float, deviation: float) -> float:
    return exp(-0.5 * (distance / deviation) ** 2) / (deviation * sqrt(2 * pi))


def _middle(years: YearRange) -> float:
    return (years.first + years.last) / 2


def _birth(a: Reading, b: Reading, frequencies: Frequencies) -> Found:
    table = weights()["birth"]
    born_a, born_b = a.facts.birth_years, b.facts.birth_years
    if born_a is None or born_b is None:
        return None
    seen = b.facts.seen_on or a.facts.seen_on
    age = 40.0 if seen is None else max(0.0, seen.year - _middle(born_a))
    deviation = min(
        table["deviation_years_most"],
        table["deviation_years_least"] + table["deviation_per_year_of_age"] * age,
    )
    # A range is a guess: its width adds to the deviation as that of a uniform distribution.
    for years in (born_a, born_b):
        deviation = sqrt(deviation**2 + (years.last - years.first) ** 2 / 12)
    apart = abs(_middle(born_a) - _middle(born_b))
    wide = sqrt(deviation**2 + table["mistaken_deviation_years"] ** 2)
    m = (1 - table["mistaken"]) * _normal(apart, deviation) + table["mistaken"] * _normal(
        apart, wide
    )
    u = frequencies.birth_year(round(_middle(born_b)))
    weight = max(LEAST_BIRTH_BITS, bits(m, u))
    level = (
        "agrees" if weight >= AGREES_BITS else "near" if weight > CONTRADICTS_BITS else "differs"
    )
    return level, weight


def _height(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["height"]
    tall_a, tall_b = a.facts.height_cm, b.facts.height_cm
    if tall_a is None or tall_b is None or _grew(a, b):
        return None
    apart = abs(tall_a - tall_b)
    u = _normal(apart, table["population_deviation_cm"])
    # A slip of the pen is as far off as a stranger: no distance can speak for a pair.
    m = (1 - table["mistaken"]) * _normal(apart, table["deviation_cm"]) + table["mistaken"] * u
    weight = bits(m, u) if u > 0 else bits(table["mistaken"], 1.0)
    return ("agrees" if weight > 0 else "differs"), weight


def _grew(a: Reading, b: Reading) -> bool:
    """Whether a child may have grown between the two records."""
    born, lost, taken_in = a.facts.birth_years, a.facts.seen_on, b.facts.seen_on
    if born is None or lost is None:
        return False
    return lost.year - born.first < ADULT_AGE and (
        taken_in is None or (taken_in - lost).days > HALF_YEAR_DAYS
    )


def _blood(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["blood"]
    if a.blood is None or b.blood is None:
        return None
    share = table[f"share_{a.blood[0]}"]
    if a.blood[0] != b.blood[0]:
        return "differs", bits(1 - table["right"], 1 - share)
    if a.blood[1] and b.blood[1] and a.blood[1] != b.blood[1]:
        return "rhesus_differs", bits(1 - table["right"], 0.02)
    return "agrees", bits(table["right"], share)


def _dialect(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["dialect"]
    if a.dialect is not None and b.dialect is not None:
        if not (a.dialect.group and b.dialect.group):
            return ("agrees", 2.0) if a.dialect.word == b.dialect.word else None
        if a.dialect.group == b.dialect.group:
            return "agrees", bits(table["agrees"], table["u_agrees"])
        provinces = {a.dialect.province, b.dialect.province} - {0}
        if any(at_home_in(a.dialect, p) and at_home_in(b.dialect, p) for p in provinces):
            return "related", bits(table["related"], table["u_related"])
        return "differs", bits(table["differs"], 1 - table["u_agrees"] - table["u_related"])
    spoken, other = (a.dialect, b) if a.dialect is not None else (b.dialect, a)
    homes = other.facts.home_regions or (
        # Where the family lost somebody is mostly where they live.
        frozenset({a.facts.region}) if other is a and a.facts.region else frozenset()
    )
    if spoken is None or not spoken.group or not homes:
        return None
    if any(at_home_in(spoken, home) for home in homes):
        return "home_agrees", bits(table["home_agrees"], table["u_home_agrees"])
    return "home_differs", bits(table["home_differs"], 1 - table["u_home_agrees"])


def _home(a: Reading, b: Reading, frequencies: Frequencies) -> Found:
    table = weights()["home"]
    homes_a, homes_b = a.facts.home_regions, b.facts.home_regions
    if not homes_a or not homes_b:
        return None
    common = homes_a & homes_b
    if common:
        return "agrees", bits(table["agrees"], max(frequencies.region(home) for home in common))
    return "differs", bits(table["differs"], 1.0)


def _marks(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["marks"]
    if not a.marks or not b.marks:
        return None
    small, large = sorted((a.marks, b.marks), key=len)
    best = [max(likeness(mark, other) for other in large) for mark in small]
    same = sum(one >= SAME for one in best)
    near = sum(NEAR <= one < SAME for one in best)
    chances = len(a.marks) * len(b.marks)
    if same:
        first = bits(table["agrees"], min(0.5, table["u_agrees"] * chances))
        return "agrees", first + (same - 1) * 2.5
    if near:
        return "near", bits(table["near"], min(0.5, table["u_near"] * chances))
    return "differs", bits(table["differs"], 1 - min(0.5, table["u_agrees"] * chances))


def _days_apart(a: date | None, b: date | None) -> int | None:
    return None if a is None or b is None else (b - a).days


def _place(a: Reading, b: Reading, frequencies: Frequencies) -> Found:
    table = weights()["place"]
    here, there = a.facts.place, b.facts.place
    if here is None or there is None:
        if not (a.facts.region and b.facts.region):
            return None
        same = a.facts.region == b.facts.region
        u = frequencies.region(b.facts.region)
        return ("province", bits(0.7, u)) if same else ("elsewhere", bits(0.3, 1 - u))
    km = distance_km(here, there)
    days = _days_apart(a.facts.seen_on, b.facts.seen_on)
    m = table["m_week" if days is not None and days <= WEEK_DAYS else "m_later"]
    step = bisect_left(table["edges_km"], km)
    u = table["u"][step]
    # Big towns hold more strangers: the closer steps cannot be rarer than the province is full.
    level = ("same_place", "same_town", "near", "province", "region", "far", "far")[step]
    return level, max(-1.4, bits(m[step], u))


def _time(a: Reading, b: Reading, _: Frequencies) -> Found:
    table = weights()["time"]
    days = _days_apart(a.facts.seen_on, b.facts.seen_on)
    if days is None:
        return None
    covered = table["years_covered"] * YEAR_DAYS
    # A day too early is midnight, or a date that was written the next morning.
    step = 1 + bisect_left(table["edges_days"], days) if days >= -1 else 0
    edges = [-2, *table["edges_days"]]
    if step == 0:
        u = 0.5
    elif step < len(edges):
        u = (edges[step] - edges[step - 1]) / covered
    else:
        u = max(0.1, 0.5 - edges[-1] / covered)
    level = ("before", "days", "week", "month", "year", "later")[step]
    return level, bits(table["m"][step], u)


def _face(a: Reading, b: Reading, similarity: float) -> tuple[str, float]:
    table = weights()["face"]
    step = bisect_left(table["edges"], similarity)
    lost, born = a.facts.seen_on or b.facts.seen_on, a.facts.birth_years or b.facts.birth_years
    child = lost is not None and born is not None and lost.year - born.last < SMALL_CHILD_AGE
    u = table["u_child" if child else "u"][step]
    level = ("none", "none", "slight", "some", "alike", "very_alike", "very_alike")[step]
    return level, bits(table["m"][step], u)


_FACTS: tuple[tuple[str, Callable[[Reading, Reading, Frequencies], Found]], ...] = (
    ("sex", _sex),
    ("birth_year", _birth),
    ("height", _height),
    ("place", _place),
    ("time", _time),
    ("home", _home),
    ("dialect", _dialect),
    ("marks", _marks),
    ("blood_group", _blood),
)
