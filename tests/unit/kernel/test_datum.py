"""Coordinates of Chinese maps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.kernel.datum import Datum, to_gcj02, to_wgs84
from reunite.kernel.places import Point, distance_km

in_china = st.builds(Point, st.floats(4, 53), st.floats(74, 135))


# Pairs that implementations in several languages are tested with.
@pytest.mark.parametrize(
    ("true", "shown"),
    [
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ],
)
def test_published_pairs(true: tuple[float, float], shown: tuple[float, float]) -> None:
    there = to_gcj02(Point(*true))
    assert (there.latitude, there.longitude) == pytest.approx(shown, abs=1e-9)
    assert distance_km(to_wgs84(Point(*shown), Datum.GCJ02), Point(*true)) < 1e-5


@given(in_china)
def test_there_and_back_is_the_same_place(point: Point) -> None:
    shown = to_gcj02(point)
    assert 0.02 < distance_km(point, shown) < 1.5
    assert distance_km(to_wgs84(shown, Datum.GCJ02), point) < 1e-5


def test_baidu_is_shifted_once_more() -> None:
    # Tiananmen as Baidu shows it.
    point = to_wgs84(Point(39.915, 116.404), Datum.BD09)
    assert distance_km(point, Point(39.90725, 116.39139)) < 0.005


def test_nothing_is_shifted_outside_china_or_in_wgs84() -> None:
    paris = Point(48.8584, 2.2945)
    assert to_gcj02(paris) == paris
    assert distance_km(to_wgs84(paris, Datum.GCJ02), paris) == 0
    assert to_wgs84(Point(30, 120), Datum.WGS84) == Point(30, 120)
