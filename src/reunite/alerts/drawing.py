"""Areas that reviewers draw or paste: GeoJSON in, an area to search out.

What is kept is text: a circle, polygons, a line with its width, and what is left out of them.
Coordinates are WGS-84; those of Chinese maps are converted when they are read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reunite.alerts.areas import Area, Circle, Union, Without, along
from reunite.alerts.polygon import Polygon
from reunite.alerts.radius import require_radius
from reunite.kernel.datum import Datum, to_wgs84
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point, is_at_sea

MOST_SHAPES = 50
MOST_CHARACTERS = 500_000
LARGEST_LINE_RADIUS_KM = 50.0
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where an alert is for, as it is stored.

    ``area`` and ``without`` are GeoJSON texts in WGS-84, empty where there is none: an alert
    without an ``area`` is for the circle.  ``radius_km`` is that of the circle, or how far a
    line reaches to both sides.
    """

    radius_km: float
    area: str = ""
    without: str = ""

    @property
    def is_circle(self) -> bool:
        """Whether it may be widened as time passes."""
        return not self.area

    def area_around(self, place: Point) -> Area:
        """The area; ``place`` is the middle of the circle, and who is nearest to it comes first.

        Raises InvalidInputError as ``draw``.
        """
        drawn: Area = Circle(place, require_radius(self.radius_km))
        if self.area:
            drawn = _one(list(_iter_areas(_geometries(self.area), place, self.radius_km)))
        if self.without:
            drawn = Without(drawn, _one(list(_iter_areas(_geometries(self.without), place, 0.0))))
        return drawn

    def widened(self, radius_km: float) -> "Drawing":
        """The same with a larger circle."""
        return Drawing(radius_km, self.area, self.without)


def draw(
    place: Point, radius_km: float, area: str = "", without: str = "", datum: Datum = Datum.WGS84
) -> Drawing:
    """Read what somebody drew or pasted.

    Raises InvalidInputError ``area_unreadable``, ``area_kind_unknown``, ``area_swapped``,
    ``polygon_corners``, ``polygon_crosses_itself``, ``polygon_holds_pole``,
    ``radius_out_of_range``, each with the ``field`` at fault.
    """
    drawing = Drawing(radius_km, _normal(area, "area", datum), _normal(without, "without", datum))
    drawing.area_around(place)
    return drawing


def _normal(text: str, field: str, datum: Datum) -> str:
    """The text in WGS-84 and without anything but shapes; empty for nothing."""
    if not text.strip():
        return ""
    shapes = []
    try:
        for kind, parts in _geometries(text):
            shapes.append((kind, [[_point(pair, datum) for pair in part] for part in parts]))
    except InvalidInputError as error:
        error.details["field"] = field
        raise
    if not shapes:
        raise InvalidInputError("area_unreadable", field=field)
    corners = [point for _, parts in shapes for part in parts for point in part]
    # The outline of an island may lie at sea all round; that of an inland town may not.
    if all(is_at_sea(point) for point in corners) and _lies_on_land_swapped(corners):
        raise InvalidInputError("area_swapped", field=field)
    return json.dumps(
        {
            "type": "GeometryCollection",
            "geometries": [
                {"type": kind, "coordinates": _coordinates(kind, parts)} for kind, parts in shapes
            ],
        }
    )


def _lies_on_land_swapped(corners: Sequence[Point]) -> bool:
    turned = [(p.longitude, p.latitude) for p in corners if abs(p.longitude) <= 90]  # noqa: PLR2004
    return bool(turned) and all(not is_at_sea(Point(*pair)) for pair in turned)


def _coordinates(kind: str, parts: list[list[Point]]) -> Any:
    rings = [[[round(p.longitude, 7), round(p.latitude, 7)] for p in part] for part in parts]
    return rings[0] if kind == "LineString" else rings


Shape = tuple[str, list[Any]]  # "Polygon" or "LineString", and its rings or its one line


def _geometries(text: str) -> list[Shape]:
    if len(text) > MOST_CHARACTERS:
        raise InvalidInputError("area_unreadable", field="area")
    try:
        shapes = list(_iter_geometries(json.loads(text), depth=0))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise InvalidInputError("area_unreadable", field="area") from error
    if len(shapes) > MOST_SHAPES:
        raise InvalidInputError("area_unreadable", field="area")
    return shapes


_HOLDS = {
    "FeatureCollection": "features",
    "GeometryCollection": "geometries",
}
# Kind of a shape, and whether there is one or a list of them.
_SHAPES = {
    "Polygon": ("Polygon", False),
    "MultiPolygon": ("Polygon", True),
    "LineString": ("LineString", False),
    "MultiLineString": ("LineString", True),
}
_DEEPEST = 4  # a collection of features of a collection


def _iter_geometries(value: Any, depth: int) -> Iterator[Shape]:
    """Polygons and lines of any GeoJSON object (RFC 7946)."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    kind = value["type"]
    if kind == "Feature":
        yield from _iter_geometries(value["geometry"], depth + 1)
    elif kind in _HOLDS:
        for held in value[_HOLDS[kind]]:
            yield from _iter_geometries(held, depth + 1)
    elif kind in _SHAPES:
        shape, are_several = _SHAPES[kind]
        for one in value["coordinates"] if are_several else [value["coordinates"]]:
            # A polygon has rings; a line is the one part it has.
            parts = list(one) if shape == "Polygon" else [one]
            if not parts or not all(parts):
                raise ValueError("an empty shape")
            yield shape, parts
    else:
        raise InvalidInputError("area_kind_unknown", field="area", kind=str(kind)[:40])


def _point(pair: Any, datum: Datum) -> Point:
    try:
        longitude, latitude = (float(number) for number in pair[:_PAIR])
    except (ValueError, TypeError) as error:
        raise InvalidInputError("area_unreadable") from error
    # A longitude of more than 90 where the latitude belongs: the pairs are the wrong way round.
    if 90 < abs(latitude) <= 180 and abs(longitude) <= 90:  # noqa: PLR2004
        raise InvalidInputError("area_swapped")
    return to_wgs84(Point(latitude, longitude), datum)


def _iter_areas(shapes: list[Shape], start: Point, line_radius_km: float) -> Iterator[Area]:
    for kind, parts in shapes:
        points = [[_point(pair, Datum.WGS84) for pair in part] for part in parts]
        if kind == "LineString":
            if not 0 < line_radius_km <= LARGEST_LINE_RADIUS_KM:
                raise InvalidInputError(
                    "radius_out_of_range", field="radius_km", maximum=LARGEST_LINE_RADIUS_KM
                )
            yield along(points[0], line_radius_km)
            continue
        outer: Area = Polygon(_open(points[0]), start)
        holes: list[Area] = [Polygon(_open(ring), start) for ring in points[1:]]
        yield Without(outer, Union(tuple(holes))) if holes else outer


def _open(ring: list[Point]) -> tuple[Point, ...]:
    # GeoJSON names the first corner again at the end.
    return tuple(ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring)


def _one(areas: list[Area]) -> Area:
    return areas[0] if len(areas) == 1 else Union(tuple(areas))
