"""Areas that are drawn or pasted."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.areas import Places
from reunite.alerts.drawing import Drawing, draw
from reunite.kernel.datum import Datum, to_gcj02
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point

HANGZHOU = Point(30.2741, 120.1551)
SQUARE = [[120.1, 30.2], [120.2, 30.2], [120.2, 30.3], [120.1, 30.3], [120.1, 30.2]]
HOLE = [[120.14, 30.26], [120.17, 30.26], [120.17, 30.29], [120.14, 30.29], [120.14, 30.26]]


def polygon(*rings: list[list[float]]) -> str:
    return json.dumps({"type": "Polygon", "coordinates": list(rings)})


def holds(drawing: Drawing, *points: Point) -> list[bool]:
    degrees = np.array([(p.latitude, p.longitude) for p in points])
    inside, _ = drawing.area_around(HANGZHOU).measure(Places.of(degrees))
    return [bool(one) for one in inside]


MIDDLE, EDGE, OUTSIDE = Point(30.275, 120.155), Point(30.21, 120.11), Point(30.4, 120.1551)


def test_without_an_area_it_is_the_circle() -> None:
    drawing = draw(HANGZHOU, 5)
    assert drawing.is_circle
    assert holds(drawing, MIDDLE, EDGE, OUTSIDE) == [True, False, False]
    assert holds(drawing.widened(20), MIDDLE, EDGE, OUTSIDE) == [True, True, True]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda geometry: geometry,
        lambda geometry: {"type": "Feature", "geometry": geometry, "properties": {"name": "x"}},
        lambda geometry: {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": geometry}],
        },
        lambda geometry: {"type": "GeometryCollection", "geometries": [geometry]},
        lambda geometry: {"type": "MultiPolygon", "coordinates": [geometry["coordinates"]]},
    ],
)
def test_polygons_with_holes_in_every_wrapping(wrap: Any) -> None:
    text = json.dumps(wrap({"type": "Polygon", "coordinates": [SQUARE, HOLE]}))
    drawing = draw(HANGZHOU, 5, text)
    assert not drawing.is_circle
    assert holds(drawing, MIDDLE, EDGE, OUTSIDE) == [False, True, False]
    # What is kept says the same when it is read again.
    again = draw(HANGZHOU, 5, drawing.area)
    assert again == drawing


def test_a_line_reaches_to_both_sides() -> None:
    for text in (
        {"type": "LineString", "coordinates": [[120.1, 30.25], [120.3, 30.25]]},
        {"type": "MultiLineString", "coordinates": [[[120.1, 30.25], [120.3, 30.25]]]},
    ):
        drawing = draw(HANGZHOU, 3, json.dumps(text))
        assert holds(drawing, Point(30.26, 120.2), Point(30.24, 120.3), OUTSIDE) == [
            True,
            True,
            False,
        ]
    with pytest.raises(InvalidInputError, match="radius_out_of_range"):
        draw(HANGZHOU, 51, json.dumps(text))


def test_exclusions_are_taken_away_from_circles_and_polygons() -> None:
    for area in ("", polygon(SQUARE)):
        drawing = draw(HANGZHOU, 12, area, polygon(HOLE))
        assert holds(drawing, MIDDLE, EDGE) == [False, True]


def test_corners_of_chinese_maps_are_converted() -> None:
    shown = [to_gcj02(Point(y, x)) for x, y in SQUARE]
    ring = [[p.longitude, p.latitude] for p in shown]
    drawing = draw(HANGZHOU, 5, polygon(ring), datum=Datum.GCJ02)
    kept = json.loads(drawing.area)["geometries"][0]["coordinates"][0]
    assert np.array(kept) == pytest.approx(np.array(SQUARE), abs=1e-6)
    # Read once more it is not shifted once more.
    assert draw(HANGZHOU, 5, drawing.area) == drawing


def test_a_polygon_may_cross_the_antimeridian() -> None:
    fiji = Point(-17.7, 178.0)
    ring = [[177.0, -18.5], [-179.0, -18.5], [-179.0, -16.0], [177.0, -16.0], [177.0, -18.5]]
    drawing = draw(fiji, 5, polygon(ring))
    degrees = np.array([(-17.0, 179.9), (-17.0, -179.9), (-17.0, 176.0)])
    inside, _ = drawing.area_around(fiji).measure(Places.of(degrees))
    assert inside.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", "area_unreadable"),
        ("[]", "area_unreadable"),
        ("{}", "area_unreadable"),
        ('{"type": "Polygon"}', "area_unreadable"),
        ('{"type": "Polygon", "coordinates": [[["a", "b"]]]}', "area_unreadable"),
        ('{"type": "Polygon", "coordinates": []}', "area_unreadable"),
        ('{"type": "GeometryCollection", "geometries": []}', "area_unreadable"),
        ("[" * 100_000, "area_unreadable"),
        ('{"type": "Point", "coordinates": [120, 30]}', "area_kind_unknown"),
        (polygon([[120.1, 30.2], [120.2, 30.3], [120.2, 30.2], [120.1, 30.3]]), "crosses_itself"),
        (polygon([[120.1, 30.2], [120.2, 30.3], [120.1, 30.2]]), "polygon_corners"),
        (polygon([[y, x] for x, y in SQUARE]), "area_swapped"),
        (polygon([[30.2, 80.1], [30.2, 80.2], [30.3, 80.2]]), "area_swapped"),
        (polygon([[120, 95], [121, 95], [121, 96]]), "place_out_of_range"),
        (polygon([[-170, 70], [-60, 70], [50, 70], [150, 70]]), "polygon_holds_pole"),
        (polygon([[float("nan"), 30], [120, 30], [120, 31]]), "place_out_of_range"),
    ],
)
def test_what_cannot_be_an_area_is_explained(text: str, code: str) -> None:
    with pytest.raises(InvalidInputError, match=code) as caught:
        draw(HANGZHOU, 5, text)
    if code.startswith("area"):
        assert caught.value.details["field"] == "area"
    with pytest.raises(InvalidInputError) as caught:
        draw(HANGZHOU, 5, "", text)
    if code.startswith("area"):
        assert caught.value.details["field"] == "without"


@pytest.mark.parametrize("radius_km", [0, -1, 5000, float("nan")])
def test_impossible_radii(radius_km: float) -> None:
    with pytest.raises(InvalidInputError, match="radius_out_of_range"):
        draw(HANGZHOU, radius_km)


@given(st.text(max_size=60) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(str))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        drawing = draw(HANGZHOU, 5, text)
    except InvalidInputError:
        return
    assert drawing.is_circle
