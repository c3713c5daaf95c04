"""Areas that an alert can be for: a circle, several together, one without another.

An area answers two questions.  ``may_touch`` is asked of blocks of neighbouring cells and may
say yes too often, never no too often; ``measure`` is asked of single cells and is exact.
Polygons are in ``alerts.polygon``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, ceil, degrees, hypot, pi, sin
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.places import EARTH_RADIUS_KM, Point, distance_km

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

# Chords are of the unit sphere: 1e-9 is 6 mm, far more than double precision loses.
CHORD_SLACK = 1e-9
SHORTEST_STEP_KM = 1.0  # between circles of a line, however narrow they are


@dataclass(frozen=True, slots=True)
class Places:
    """Places of cells in radians, with the cosine that every distance needs.

    latitudes, longitudes, cos_latitudes : float64 arrays of shape (n,)
    """

    latitudes: Float64
    longitudes: Float64
    cos_latitudes: Float64

    @classmethod
    def of(cls, coordinates: Float64) -> "Places":
        """Places of latitudes and longitudes in degrees, float64 array of shape (n, 2)."""
        latitudes, longitudes = np.ascontiguousarray(np.radians(coordinates).T)
        return cls(latitudes, longitudes, np.cos(latitudes))

    def take(self, rows: Int64) -> "Places":
        """The places of these rows."""
        return Places(self.latitudes[rows], self.longitudes[rows], self.cos_latitudes[rows])

    def vectors(self) -> Float64:
        """Points of the unit sphere, float64 array of shape (n, 3)."""
        return np.stack(
            [
                self.cos_latitudes * np.cos(self.longitudes),
                self.cos_latitudes * np.sin(self.longitudes),
                np.sin(self.latitudes),
            ],
            axis=1,
        )

    def __len__(self) -> int:
        return len(self.latitudes)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Neighbouring cells taken together, so that most of the world is ruled out at once.

    centres : float64 array of shape (b, 3), on the unit sphere
    reaches : float64 array of shape (b,), the longest chord from the centre to a cell
    south, north, west, east : float64 arrays of shape (b,), radians; a block across the
        antimeridian reaches all round, which is more than it is
    """

    centres: Float64
    reaches: Float64
    south: Float64
    north: Float64
    west: Float64
    east: Float64


class Area(Protocol):
    """Somewhere on the earth."""

    def may_touch(self, blocks: Blocks) -> Bool:
        """False only for blocks without a cell in the area: array of shape (b,)."""
        ...

    def measure(self, places: Places) -> tuple[Bool, Float64]:
        """Whether places lie inside, and how far (km) they are from where the search starts."""
        ...


@dataclass(frozen=True, slots=True)
class Circle:
    """Everything within a radius.

    Raises InvalidInputError ``radius_out_of_range`` for a radius that is negative or no number.
    """

    centre: Point
    radius_km: float

    def __post_init__(self) -> None:
        # Written so that NaN, which compares false with everything, is refused.
        if not self.radius_km >= 0:
            raise InvalidInputError(
                "radius_out_of_range", field="radius_km", maximum=round(pi * EARTH_RADIUS_KM)
            )

    def may_touch(self, blocks: Blocks) -> Bool:
        """False only for blocks without a cell in the circle: array of shape (b,)."""
        centre = Places.of(np.array([[self.centre.latitude, self.centre.longitude]])).vectors()[0]
        chord = 2 * sin(min(pi / 2, self.radius_km / EARTH_RADIUS_KM / 2)) + CHORD_SLACK
        away = blocks.centres - centre
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", away, away)) <= blocks.reaches + chord)

    def measure(self, places: Places) -> tuple[Bool, Float64]:
        """Whether places lie inside, and their distance (km) from the centre."""
        distances_km = haversine_km(places, self.centre)
        return distances_km <= self.radius_km, distances_km


@dataclass(frozen=True, slots=True)
class Union:
    """Everything in at least one of several areas, e.g. circles along a railway.

    The distance is that from the nearest part's start.
    """

    parts: tuple[Area, ...]

    def may_touch(self, blocks: Blocks) -> Bool:
        """False only for blocks that no part touches: array of shape (b,)."""
        touched = np.zeros(len(blocks.reaches), dtype=np.bool_)
        for part in self.parts:
            touched |= part.may_touch(blocks)
        return touched

    def measure(self, places: Places) -> tuple[Bool, Float64]:
        """Whether places lie in a part, and the least distance (km)."""
        inside = np.zeros(len(places), dtype=np.bool_)
        distances_km = np.full(len(places), np.inf)
        for part in self.parts:
            within, away_km = part.measure(places)
            inside |= within
            np.minimum(distances_km, away_km, out=distances_km)
        return inside, distances_km


def along(line: Sequence[Point], radius_km: float) -> Union:
    """Everything near a transport line: circles around its stops and between them.

    Circles stand at most a radius apart, so what lies within 0.86 radii of the line between two
    stops is inside too.  Nearest to any of them comes first.
    """
    circles = [Circle(stop, radius_km) for stop in line]
    for stop, following in pairwise(line):
        pieces = max(1, ceil(distance_km(stop, following) / max(radius_km, SHORTEST_STEP_KM)))
        ends = Places.of(
            np.array([(p.latitude, p.longitude) for p in (stop, following)], dtype=np.float64)
        ).vectors()
        for piece in range(1, pieces):
            x, y, z = ends[0] + (ends[1] - ends[0]) * piece / pieces
            between = Point(degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x)))
            circles.append(Circle(between, radius_km))
    return Union(tuple(circles))


@dataclass(frozen=True, slots=True)
class Without:
    """An area without another, e.g. a county that has asked not to be told."""

    area: Area
    excluded: Area

    def may_touch(self, blocks: Blocks) -> Bool:
        """False only for blocks that the area itself does not touch: array of shape (b,)."""
        return self.area.may_touch(blocks)

    def measure(self, places: Places) -> tuple[Bool, Float64]:
        """Whether places lie in the one and not in the other; distances (km) of the one."""
        inside, distances_km = self.area.measure(places)
        excluded, _ = self.excluded.measure(places)
        return inside & ~excluded, distances_km


def haversine_km(places: Places, point: Point) -> Float64:
    """Great-circle distances of places from a point, float64 array of shape (n,)."""
    latitude, longitude = np.radians([point.latitude, point.longitude])
    half_chord = (
        np.sin((places.latitudes - latitude) / 2) ** 2
        + places.cos_latitudes * np.cos(latitude) * np.sin((places.longitudes - longitude) / 2) ** 2
    )
    kilometres: Float64 = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, half_chord)))
    return kilometres
