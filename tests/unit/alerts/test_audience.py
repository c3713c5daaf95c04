"""Whom an alert is for: against counting one by one."""

from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reunite.alerts.areas import Circle, Places, Union, Without, along, haversine_km
from reunite.alerts.audience import Audience, Wanted, choose_audience
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.positions import Positions, no_positions, opt_in_bits
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import EARTH_RADIUS_KM, Point, cell_of, centre_of, distance_km

HANGZHOU = Point(30.2741, 120.1551)
CHILD = Wanted(Module.CHILD)
CHILD_ZH = opt_in_bits([Module.CHILD], Language.ZH)
# The two ways of computing round differently in the last digits, at the edge too.
EDGE_KM = 1e-6

anywhere = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
around_the_town = st.builds(Point, st.floats(29.9, 30.7), st.floats(119.7, 120.6))
near_the_poles = st.builds(Point, st.floats(89.5, 90) | st.floats(-90, -89.5), st.floats(-180, 180))
near_the_antimeridian = st.builds(
    Point, st.floats(-1, 1), st.floats(179, 180) | st.floats(-180, -179)
)
# Around one of the twelve cells of every resolution that are five-sided.
near_a_pentagon = st.builds(Point, st.floats(64.4, 65.0), st.floats(10.1, 10.9))
# Few distinct places, so that many share a cell.
crowds = st.one_of(
    st.lists(around_the_town, max_size=30),
    st.lists(anywhere, max_size=20),
    st.lists(near_the_poles, max_size=20),
    st.lists(near_the_antimeridian, max_size=20),
    st.lists(near_a_pentagon, max_size=20),
    st.lists(st.sampled_from([HANGZHOU, Point(30.3, 120.2), Point(30.2, 120.1)]), max_size=40),
)
centres = st.one_of(
    around_the_town, anywhere, near_the_poles, near_the_antimeridian, near_a_pentagon
)
radii = st.floats(0.001, 21_000)
resolutions = st.integers(5, 9)


def positions(points: list[Point], resolution: int = 9) -> Positions:
    # Ids that do not follow the order of the list.
    ids = np.array([(7 * n) % 1009 + 1 for n in range(len(points))], dtype=np.int64)
    cells = np.array([cell_of(p, resolution) for p in points], dtype=np.int64)
    return Positions(ids, cells, np.full(len(points), CHILD_ZH, dtype=np.uint8))


def one_by_one(where: Positions, centre: Point, radius_km: float) -> list[tuple[float, int]]:
    distances = (
        (distance_km(centre_of(int(cell)), centre), int(account_id))
        for account_id, cell in zip(where.account_ids, where.cells, strict=True)
    )
    return sorted(pair for pair in distances if pair[0] <= radius_km)


def vectorised(where: Positions, centre: Point, radius_km: float) -> list[int]:
    """Everyone measured by the formula that the index promises, in its order."""
    points = [centre_of(int(cell)) for cell in where.cells]
    degrees = np.array([(p.latitude, p.longitude) for p in points]).reshape(-1, 2)
    distances_km = haversine_km(Places.of(degrees), centre)
    near = np.flatnonzero(distances_km <= radius_km)
    order = near[np.lexsort((where.account_ids[near], distances_km[near]))]
    return [int(account_id) for account_id in where.account_ids[order]]


def listed(audience: Audience) -> list[int]:
    return [int(account_id) for account_id in audience.account_ids()]


def circle(where: Positions, centre: Point, radius_km: float) -> list[int]:
    return listed(choose_audience(AudienceIndex(where), Circle(centre, radius_km), CHILD))


@settings(deadline=None)
@given(crowds, centres, radii, resolutions)
@example([], HANGZHOU, 5.0, 9)
@example([Point(0, 179.95)], Point(0, -179.95), 12.0, 9)
@example([Point(89.99, 0), Point(89.99, 180)], Point(90, 0), 5.0, 9)
@example([Point(-89.99, 10)], Point(-89.99, -170), 5.0, 9)
def test_the_audience_is_everyone_within_the_radius(
    points: list[Point], centre: Point, radius_km: float, resolution: int
) -> None:
    where = positions(points, resolution)
    chosen = circle(where, centre, radius_km)
    assert chosen == vectorised(where, centre, radius_km)
    assert set(chosen) >= {i for _, i in one_by_one(where, centre, radius_km - EDGE_KM)}
    assert set(chosen) <= {i for _, i in one_by_one(where, centre, radius_km + EDGE_KM)}


@settings(deadline=None)
@given(crowds, centres, st.data())
def test_whoever_is_just_at_the_radius_is_told(
    points: list[Point], centre: Point, data: st.DataObject
) -> None:
    where = positions([*points, HANGZHOU])
    chosen = data.draw(st.integers(0, len(where) - 1))
    edge = circle(where, centre, 21_000)
    assert len(edge) == len(where)
    radius_km = distance_km(centre_of(int(where.cells[chosen])), centre) + EDGE_KM
    assert int(where.account_ids[chosen]) in circle(where, centre, radius_km)


@settings(deadline=None)
@given(crowds, centres, radii, radii)
def test_a_wider_alert_reaches_everyone_a_narrower_one_does(
    points: list[Point], centre: Point, a: float, b: float
) -> None:
    where = positions(points)
    narrow, wide = circle(where, centre, min(a, b)), circle(where, centre, max(a, b))
    # Nearest first, so the narrower audience is the beginning of the wider one.
    assert wide[: len(narrow)] == narrow


@settings(deadline=None)
@given(crowds, st.lists(st.tuples(centres, radii), min_size=1, max_size=4), centres, radii)
def test_areas_are_joined_and_taken_away(
    points: list[Point], rings: list[tuple[Point, float]], centre: Point, radius_km: float
) -> None:
    where = positions(points)
    index = AudienceIndex(where)
    line = Union(tuple(Circle(*ring) for ring in rings))
    every = {i for ring in rings for i in vectorised(where, *ring)}
    assert set(listed(choose_audience(index, line, CHILD))) == every
    left = listed(choose_audience(index, Without(line, Circle(centre, radius_km)), CHILD))
    assert set(left) == every - set(vectorised(where, centre, radius_km))
    assert len(left) == len(set(left))


@settings(deadline=None)
@given(
    st.lists(around_the_town, min_size=2, max_size=4),
    st.lists(around_the_town, max_size=30),
    st.floats(1, 20),
)
def test_a_line_holds_what_is_near_its_stops_and_between(
    stops: list[Point], points: list[Point], radius_km: float
) -> None:
    where = positions(points)
    line = along(stops, radius_km)
    chosen = set(listed(choose_audience(AudienceIndex(where), line, CHILD)))
    for stop in stops:
        assert chosen >= set(vectorised(where, stop, radius_km))
    for cell, account_id in zip(where.cells.tolist(), where.account_ids.tolist(), strict=True):
        nearest = min(distance_km(centre_of(cell), c.centre) for c in line.parts)  # type: ignore[attr-defined]
        assert (account_id in chosen) == (nearest <= radius_km) or nearest == pytest.approx(
            radius_km, abs=EDGE_KM
        )
    for a, b in pairwise(stops):
        middle = Point((a.latitude + b.latitude) / 2, (a.longitude + b.longitude) / 2)
        cell = centre_of(cell_of(middle))
        assert min(distance_km(cell, c.centre) for c in line.parts) < radius_km  # type: ignore[attr-defined]


def test_the_order_of_the_list_does_not_matter() -> None:
    where = positions([HANGZHOU] * 20 + [Point(30.3, 120.2)] * 20)
    backwards = Positions(where.account_ids[::-1], where.cells[::-1], where.opt_ins[::-1])
    assert circle(where, HANGZHOU, 50) == circle(backwards, HANGZHOU, 50)


def test_equally_far_people_come_by_id() -> None:
    # One and the other end of a cell's own mirror image about the equator need not exist, so
    # the same cell twice: once in the base, once among the recent.
    where = positions([HANGZHOU] * 9)
    index = AudienceIndex(Positions(where.account_ids[:5], where.cells[:5], where.opt_ins[:5]))
    index.apply(Positions(where.account_ids[5:], where.cells[5:], where.opt_ins[5:]))
    ids = listed(choose_audience(index, Circle(HANGZHOU, 1), CHILD))
    assert ids == sorted(where.account_ids.tolist())


def test_only_those_are_told_who_asked_for_it_in_a_language_that_is_there() -> None:
    kinds = [
        opt_in_bits([Module.CHILD], Language.ZH),
        opt_in_bits([Module.CHILD, Module.ELDER], Language.EN),
        opt_in_bits([Module.BLOOD], Language.ZH),
        opt_in_bits([], Language.EN),
    ]
    where = positions([HANGZHOU] * len(kinds))
    first, second, third, _ = where.account_ids.tolist()
    index = AudienceIndex(
        Positions(where.account_ids, where.cells, np.array(kinds, dtype=np.uint8))
    )

    def told(wanted: Wanted) -> list[int]:
        return listed(choose_audience(index, Circle(HANGZHOU, 1), wanted))

    assert told(CHILD) == sorted([first, second])
    assert told(Wanted(Module.ELDER)) == [second]
    assert told(Wanted(Module.BLOOD)) == [third]
    assert told(Wanted(Module.CHILD, frozenset({Language.EN}))) == [second]
    assert told(Wanted(Module.CHILD, frozenset())) == []
    assert told(Wanted(Module.CHILD, told=np.array([second, 4711]))) == [first]


@settings(deadline=None)
@given(st.lists(around_the_town, max_size=60), st.integers(1, 20), st.integers(0, 60))
def test_chunks_hold_the_same_people_in_the_same_order(
    points: list[Point], people: int, already: int
) -> None:
    where = positions(points)
    wanted = Wanted(Module.CHILD, told=where.account_ids[:already])
    audience = choose_audience(AudienceIndex(where), Circle(HANGZHOU, 100), wanted)
    chunks = [chunk.tolist() for chunk in audience.iter_chunks(people)]
    assert [i for chunk in chunks for i in chunk] == listed(audience)
    assert all(len(chunk) == people for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= people for chunk in chunks[-1:])


def test_nobody_opted_in() -> None:
    audience = choose_audience(AudienceIndex(no_positions()), Circle(HANGZHOU, 30), CHILD)
    assert audience.account_ids().shape == (0,)
    assert list(audience.iter_chunks(10)) == []


@pytest.mark.parametrize("radius_km", [-1.0, float("nan")])
def test_a_radius_that_is_none_is_refused(radius_km: float) -> None:
    with pytest.raises(InvalidInputError, match="radius_out_of_range"):
        Circle(HANGZHOU, radius_km)


def test_a_radius_of_nothing_holds_only_its_own_cell() -> None:
    where = positions([HANGZHOU, Point(30.3, 120.2)])
    assert circle(where, centre_of(cell_of(HANGZHOU)), 0.0) == [int(where.account_ids[0])]


def test_the_other_end_of_the_earth_is_within_half_its_girth() -> None:
    where = positions([Point(-30.2741, -59.8449)])
    half = EARTH_RADIUS_KM * 3.1415926536
    assert circle(where, HANGZHOU, half) == where.account_ids.tolist()
    assert circle(where, HANGZHOU, half - 5) == []
    # By hand, as the formula is written in books.
    place = centre_of(int(where.cells[0]))
    a, b = radians(place.latitude), radians(HANGZHOU.latitude)
    step = radians(place.longitude - HANGZHOU.longitude)
    chord = sin((a - b) / 2) ** 2 + cos(a) * cos(b) * sin(step / 2) ** 2
    assert 2 * EARTH_RADIUS_KM * asin(sqrt(chord)) == pytest.approx(half, abs=1)
