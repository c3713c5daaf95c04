"""Coordinates of Chinese maps: GCJ-02, BD-09, and WGS-84, which everything here is in.

Maps that are published in China (Amap, Tencent) show places shifted by some hundred metres;
Baidu's are shifted once more.  No law gives the formula.  The one below is the shift that has
been in public use since 2013; its inverse is found by iteration, and is exact to a centimetre.
"""

from enum import StrEnum
from math import atan2, cos, hypot, pi, radians, sin, sqrt

from reunite.kernel.places import Point

# Krasovsky's ellipsoid of 1940, on which the shift is defined.
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
# Beyond this box nothing is shifted.
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
_ROUNDS, _CLOSE_DEGREES = 30, 1e-9
_BAIDU_STEP, _BAIDU_TURN = 0.0065, 0.006


class Datum(StrEnum):
    """What coordinates are measured in."""

    WGS84 = "wgs84"  # satellites, browsers, most of the world's maps
    GCJ02 = "gcj02"  # Amap, Tencent, Google's maps of China
    BD09 = "bd09"  # Baidu


def to_wgs84(point: Point, datum: Datum) -> Point:
    """The same place as satellites name it."""
    if datum is Datum.WGS84:
        return point
    return _from_gcj02(_from_bd09(point) if datum is Datum.BD09 else point)


def to_gcj02(point: Point) -> Point:
    """Where a Chinese map shows a place; the same point outside China."""
    if not (_SOUTH <= point.latitude <= _NORTH and _WEST <= point.longitude <= _EAST):
        return point
    x, y = point.longitude - 105.0, point.latitude - 35.0
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north_m += _waves(x, (20, 6), (20, 2)) + _waves(y, (20, 1), (40, 1 / 3))
    north_m += _waves(y, (160, 1 / 12), (320, 1 / 30))
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east_m += _waves(x, (20, 6), (20, 2)) + _waves(x, (20, 1), (40, 1 / 3))
    east_m += _waves(x, (150, 1 / 12), (300, 1 / 30))
    latitude = radians(point.latitude)
    flat = 1 - _ECCENTRICITY_SQUARED * sin(latitude) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / (flat * sqrt(flat))
    return Point(
        point.latitude + north_m * 180 / (meridian_m * pi),
        point.longitude + east_m * 180 / (_SEMI_MAJOR_M / sqrt(flat) * cos(latitude) * pi),
    )


def _waves(value: float, *terms: tuple[float, float]) -> float:
    return sum(height * sin(value * turns * pi) for height, turns in terms) * 2 / 3


def _from_gcj02(shown: Point) -> Point:
    guess = shown
    for _ in range(_ROUNDS):
        there = to_gcj02(guess)
        off = shown.latitude - there.latitude, shown.longitude - there.longitude
        guess = Point(guess.latitude + off[0], guess.longitude + off[1])
        if hypot(*off) < _CLOSE_DEGREES:
            break
    return guess


def _from_bd09(shown: Point) -> Point:
    x, y = shown.longitude - _BAIDU_STEP, shown.latitude - _BAIDU_TURN
    turn = pi * 3000 / 180
    radius = hypot(x, y) - 0.00002 * sin(y * turn)
    angle = atan2(y, x) - 0.000003 * cos(x * turn)
    return Point(radius * sin(angle), radius * cos(angle))
