"""Polygons: the boundary of a city, or what somebody drew on a map.

Edges are straight on the map, that is in latitude and longitude, and take the shorter way
round the earth; so a polygon may cross the antimeridian.  It may not hold a pole.
"""

from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import Blocks, Places, haversine_km
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import Point

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

FEWEST_CORNERS = 3
MOST_CORNERS = 2000  # a district's boundary has some hundred; more is checked too slowly
TURN = 2 * np.pi


@dataclass(frozen=True, slots=True)
class Polygon:
    """What lies within a closed line; the last corner is joined to the first.

    ``start`` is where the search begins, and nearest to which people hear first.

    Raises InvalidInputError ``polygon_corners``, ``polygon_crosses_itself``,
    ``polygon_holds_pole``.
    """

    corners: tuple[Point, ...]
    start: Point
    _outline: Float64 = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        degrees: Float64 = np.array([(c.latitude, c.longitude) for c in self.corners]).reshape(
            -1, 2
        )
        # The same corner twice in a row is an edge without length.
        different = np.any(degrees != np.roll(degrees, 1, axis=0), axis=1)
        degrees = np.asarray(degrees[different])
        if not FEWEST_CORNERS <= len(degrees) <= MOST_CORNERS:
            raise InvalidInputError(
                "polygon_corners", field="area", minimum=FEWEST_CORNERS, maximum=MOST_CORNERS
            )
        outline = np.radians(degrees)
        steps = np.diff(outline[:, 1], append=outline[:1, 1])
        steps -= TURN * np.round(steps / TURN)
        if abs(steps.sum()) > np.pi:
            raise InvalidInputError("polygon_holds_pole", field="area")
        outline[1:, 1] = outline[0, 1] + np.cumsum(steps)[:-1]
        if _crosses_itself(outline):
            raise InvalidInputError("polygon_crosses_itself", field="area")
        object.__setattr__(self, "_outline", np.ascontiguousarray(outline))

    def may_touch(self, blocks: Blocks) -> Bool:
        """False only for blocks outside the polygon's box: array of shape (b,)."""
        south, west = self._outline.min(axis=0)
        north, east = self._outline.max(axis=0)
        beside = np.zeros(len(blocks.reaches), dtype=np.bool_)
        for turn in (-TURN, 0.0, TURN):
            beside |= (blocks.west + turn <= east) & (blocks.east + turn >= west)
        return np.asarray(beside & (blocks.south <= north) & (blocks.north >= south))

    def measure(self, places: Places) -> tuple[Bool, Float64]:
        """Whether places lie inside, and their distance (km) from the start."""
        west = self._outline[:, 1].min()
        longitudes = west + np.mod(places.longitudes - west, TURN)
        inside = _are_inside(places.latitudes, longitudes, self._outline)
        distances_km = np.full(len(places), np.inf)
        rows = np.flatnonzero(inside)
        distances_km[rows] = haversine_km(places.take(rows), self.start)
        return inside, distances_km


@numba.njit(nogil=True, cache=True)
def _are_inside(latitudes: Any, longitudes: Any, outline: Any) -> Any:
    """Even-odd rule: an edge counts from its southern end, not to its northern one."""
    corners = outline.shape[0]
    north, west, east = outline[:, 0].max(), outline[:, 1].min(), outline[:, 1].max()
    south = outline[:, 0].min()
    inside = np.zeros(latitudes.shape[0], dtype=np.bool_)
    for i in range(latitudes.shape[0]):
        y, x = latitudes[i], longitudes[i]
        if y < south or y > north or x < west or x > east:
            continue
        odd = False
        before = corners - 1
        for corner in range(corners):
            y0, y1 = outline[before, 0], outline[corner, 0]
            if (y0 > y) != (y1 > y):
                x0, x1 = outline[before, 1], outline[corner, 1]
                if x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                    odd = not odd
            before = corner
        inside[i] = odd
    return inside


@numba.njit(nogil=True, cache=True)
def _side(a: Any, b: Any, c: Any) -> Any:
    """On which side of the line from ``a`` to ``b`` the point ``c`` lies: -1, 0, 1."""
    return np.sign((b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]))


@numba.njit(nogil=True, cache=True)
def _crosses_itself(outline: Any) -> Any:
    """Whether two edges that are no neighbours have a point between their ends in common."""
    n = outline.shape[0]
    for i in range(n):
        a, b = outline[i], outline[(i + 1) % n]
        for j in range(i + 2, n):
            if i == 0 and j == n - 1:
                continue
            c, d = outline[j], outline[(j + 1) % n]
            if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
                return True
    return False
