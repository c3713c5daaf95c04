"""Whom an alert is for: against counting one by one."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reunite.alerts.audience import Audience, Positions, choose_audience
from reunite.kernel.places import Point, cell_of, centre_of, distance_km

HANGZHOU = Point(30.2741, 120.1551)

anywhere = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
around_the_town = st.builds(Point, st.floats(29.9, 30.7), st.floats(119.7, 120.6))
near_the_pole = st.builds(Point, st.floats(89.5, 90), st.floats(-180, 180))
near_the_antimeridian = st.builds(
    Point, st.floats(-1, 1), st.floats(179, 180) | st.floats(-180, -179)
)
# Few distinct places, so that many share a cell.
crowds = st.one_of(
    st.lists(around_the_town, max_size=30),
    st.lists(anywhere, max_size=20),
    st.lists(near_the_pole, max_size=20),
    st.lists(near_the_antimeridian, max_size=20),
    st.lists(st.sampled_from([HANGZHOU, Point(30.3, 120.2), Point(30.2, 120.1)]), max_size=40),
)
centres = st.one_of(around_the_town, anywhere, near_the_pole, near_the_antimeridian)
radii = st.floats(0.001, 21_000)


def positions(points: list[Point]) -> Positions:
    # Ids that do not follow the order of the list.
    ids = np.array([(7 * n) % 1009 + 1 for n in range(len(points))], dtype=np.int64)
    return Positions(ids, np.array([cell_of(p) for p in points], dtype=np.int64))


def one_by_one(where: Positions, centre: Point, radius_km: float) -> list[tuple[float, int]]:
    distances = (
        (distance_km(centre_of(int(cell)), centre), int(account_id))
        for account_id, cell in zip(where.account_ids, where.cells, strict=True)
    )
    return sorted(pair for pair in distances if pair[0] <= radius_km)


def listed(audience: Audience) -> list[int]:
    return [int(account_id) for account_id in audience.account_ids]


@settings(deadline=None)
@given(crowds, centres, radii)
@example([], HANGZHOU, 5.0)
@example([Point(0, 179.95)], Point(0, -179.95), 12.0)
@example([Point(89.99, 0), Point(89.99, 180)], Point(90, 0), 5.0)
@example([Point(-89.99, 10)], Point(-89.99, -170), 5.0)
def test_the_audience_is_everyone_within_the_radius(
    points: list[Point], centre: Point, radius_km: float
) -> None:
    where = positions(points)
    audience = choose_audience(where, centre, radius_km)
    expected = one_by_one(where, centre, radius_km)
    # The two ways of computing round differently in the last digits, at the edge too.
    edge = 1e-6
    assert set(listed(audience)) >= {i for d, i in expected if d < radius_km - edge}
    assert set(listed(audience)) <= {i for _, i in one_by_one(where, centre, radius_km + edge)}
    assert len(audience) == len(set(listed(audience)))
    by_id = {i: d for d, i in one_by_one(where, centre, radius_km + edge)}
    assert audience.distances_km.tolist() == pytest.approx(
        [by_id[i] for i in listed(audience)], abs=1e-6
    )


@settings(deadline=None)
@given(crowds, centres, radii)
def test_the_nearest_come_first_and_equals_by_id(
    points: list[Point], centre: Point, radius_km: float
) -> None:
    audience = choose_audience(positions(points), centre, radius_km)
    pairs = list(zip(audience.distances_km.tolist(), listed(audience), strict=True))
    assert pairs == sorted(pairs)


@settings(deadline=None)
@given(crowds, centres, radii, radii)
def test_a_wider_alert_reaches_everyone_a_narrower_one_does(
    points: list[Point], centre: Point, a: float, b: float
) -> None:
    where = positions(points)
    narrow = listed(choose_audience(where, centre, min(a, b)))
    wide = listed(choose_audience(where, centre, max(a, b)))
    # Nearest first, so the narrower audience is the beginning of the wider one.
    assert wide[: len(narrow)] == narrow


def test_the_order_of_the_list_does_not_matter() -> None:
    where = positions([HANGZHOU] * 20 + [Point(30.3, 120.2)] * 20)
    backwards = Positions(where.account_ids[::-1], where.cells[::-1])
    assert listed(choose_audience(where, HANGZHOU, 50)) == listed(
        choose_audience(backwards, HANGZHOU, 50)
    )


def test_nobody_opted_in() -> None:
    audience = choose_audience(positions([]), HANGZHOU, 30)
    assert len(audience) == 0
    assert audience.account_ids.dtype == np.int64
    assert audience.distances_km.dtype == np.float64
