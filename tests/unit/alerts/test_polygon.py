"""Polygons: against the winding of the outline seen from each place."""

from math import atan2, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.alerts.areas import Circle, Union, Without
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.polygon import MOST_CORNERS, Polygon
from reunite.alerts.positions import Positions, opt_in_bits
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of, centre_of

CHILD = Wanted(Module.CHILD)


def points(*pairs: tuple[float, float]) -> tuple[Point, ...]:
    return tuple(Point(*pair) for pair in pairs)


def around(longitude: float) -> float:
    """The same meridian between -180 and 180 degrees."""
    return (longitude + 180) % 360 - 180


def winds_around(corners: tuple[Point, ...], place: Point) -> bool:
    """Whether the outline goes round a place, by the angles it turns through."""
    total = 0.0
    before = None
    for corner in (*corners, corners[0]):
        angle = atan2(corner.latitude - place.latitude, around(corner.longitude - place.longitude))
        if before is not None:
            step = angle - before
            total += step - 2 * pi * round(step / (2 * pi))
        before = angle
    return abs(total) > pi


def index_of(places: list[Point]) -> AudienceIndex:
    n = len(places)
    bits = opt_in_bits([Module.CHILD], Language.ZH)
    cells = np.array([cell_of(p) for p in places], dtype=np.int64)
    return AudienceIndex(Positions(np.arange(n), cells, np.full(n, bits, dtype=np.uint8)))


def told(index: AudienceIndex, polygon: Polygon) -> set[int]:
    return set(choose_audience(index, polygon, CHILD).account_ids().tolist())


@settings(deadline=None)
@given(
    middle=st.builds(Point, st.floats(-85, 85), st.floats(-180, 180)),
    rays=st.lists(st.floats(0.01, 1.0), min_size=3, max_size=12),
    size_degrees=st.floats(0.05, 4),
    spots=st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), max_size=25),
)
def test_those_inside_are_told(
    middle: Point, rays: list[float], size_degrees: float, spots: list[tuple[float, float]]
) -> None:
    """A star around its middle never crosses itself, wherever it lies."""
    angles = np.linspace(0, 2 * np.pi, len(rays), endpoint=False)
    corners = tuple(
        Point(
            middle.latitude + ray * size_degrees * np.sin(angle),
            around(middle.longitude + ray * size_degrees * np.cos(angle)),
        )
        for ray, angle in zip(rays, angles, strict=True)
    )
    places = [
        Point(middle.latitude + y * size_degrees, around(middle.longitude + x * size_degrees))
        for y, x in spots
    ]
    expected = {
        number
        for number, place in enumerate(places)
        if winds_around(corners, centre_of(cell_of(place)))
    }
    index = index_of(places)
    assert told(index, Polygon(corners, middle)) == expected
    # Which way round, and at which corner it begins, makes no difference.
    assert told(index, Polygon(corners[::-1], middle)) == expected
    assert told(index, Polygon(corners[1:] + corners[:1], middle)) == expected


def test_a_polygon_across_the_antimeridian() -> None:
    fiji = Polygon(points((-20, 177), (-20, -178), (-15, -178), (-15, 177)), Point(-17, 179))
    index = index_of(list(points((-17, 179), (-17, -179), (-17, 0), (-17, 176.5), (-14, 179))))
    assert told(index, fiji) == {0, 1}


def test_a_hollow_polygon_leaves_its_hollow_out_and_the_nearest_come_first() -> None:
    ring = points((30, 120), (30, 121), (31, 121), (31, 120.9), (30.1, 120.9), (30.1, 120))
    index = index_of(list(points((30.5, 120.95), (30.05, 120.1), (30.5, 120.5))))
    chosen = choose_audience(index, Polygon(ring, Point(30, 120)), CHILD)
    assert chosen.account_ids().tolist() == [1, 0]


def test_polygons_are_joined_and_cut() -> None:
    index = index_of(list(points((30.2, 120.2), (30.7, 120.7), (31.5, 121.5))))
    square = Polygon(points((30, 120), (30, 121), (31, 121), (31, 120)), Point(30, 120))
    far = Circle(Point(31.5, 121.5), 1)
    both = choose_audience(index, Union((square, far)), CHILD)
    assert both.account_ids().tolist() == [2, 0, 1]
    cut = choose_audience(index, Without(square, Circle(Point(30.2, 120.2), 1)), CHILD)
    assert cut.account_ids().tolist() == [1]


@pytest.mark.parametrize(
    ("corners", "code"),
    [
        ((), "polygon_corners"),
        (points((30, 120), (31, 121)), "polygon_corners"),
        (points((30, 120), (30, 120), (31, 121), (30, 120)), "polygon_corners"),
        (points(*((i / 100, i / 50) for i in range(MOST_CORNERS + 1))), "polygon_corners"),
        (points((30, 120), (31, 121), (30, 121), (31, 120)), "polygon_crosses_itself"),
        (points((80, 0), (80, 120), (80, -120)), "polygon_holds_pole"),
    ],
)
def test_what_is_no_polygon_is_refused(corners: tuple[Point, ...], code: str) -> None:
    with pytest.raises(InvalidInputError, match=code):
        Polygon(corners, Point(30, 120))


def test_a_closed_outline_may_repeat_its_first_corner() -> None:
    corners = points((30, 120), (30, 121), (31, 121), (31, 120), (30, 120))
    index = index_of(list(points((30.5, 120.5))))
    assert told(index, Polygon(corners, Point(30, 120))) == {0}
