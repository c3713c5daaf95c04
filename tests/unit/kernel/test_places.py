"""Points, cells, distances, towns, and where nobody can be."""

from math import inf, nan
from pathlib import Path

import h3
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reunite.kernel import land
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.places import (
    EARTH_RADIUS_KM,
    VOLUNTEER_CELL_RESOLUTION,
    Point,
    _chinese_name,
    cell_of,
    centre_of,
    distance_km,
    find_town,
    is_at_sea,
    list_towns,
    nearest_town,
    require_on_land,
)

HANGZHOU = Point(30.2741, 120.1551)
HALF_ROUND_KM = 20016.0  # half the circumference of the earth
WIDEST_CELL_KM = 0.35  # from the centre to a corner of any cell of resolution 9

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (nan, 120.0),
        (30.0, nan),
        (inf, 120.0),
        (-inf, 120.0),
        (30.0, inf),
        (30.0, -inf),
        (90.0001, 0.0),
        (-90.0001, 0.0),
        (0.0, 180.0001),
        (0.0, -180.0001),
        (HANGZHOU.longitude, HANGZHOU.latitude),
    ],
)
def test_coordinates_off_the_globe_are_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInputError, match="place_out_of_range"):
        Point(latitude, longitude)


@pytest.mark.parametrize("corner", [(90, 180), (-90, -180), (90, -180), (0, 0)])
def test_the_edges_of_the_globe_are_places(corner: tuple[float, float]) -> None:
    assert Point(*corner).latitude == corner[0]


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        (HANGZHOU, HANGZHOU, 0.0),
        (HANGZHOU, Point(31.2304, 121.4737), 164.5),  # Shanghai
        (HANGZHOU, Point(39.9042, 116.4074), 1126.0),  # Beijing
        (Point(0, 179.9), Point(0, -179.9), 22.24),
        (Point(90, 0), Point(-90, 77), HALF_ROUND_KM),
        (Point(90, 10), Point(90, -170), 0.0),
    ],
)
def test_known_distances(a: Point, b: Point, km: float) -> None:
    assert distance_km(a, b) == pytest.approx(km, rel=0.005, abs=1e-6)


@given(points, points, points)
def test_distance_is_a_metric(a: Point, b: Point, c: Point) -> None:
    assert distance_km(a, b) == pytest.approx(distance_km(b, a), abs=1e-6)
    assert 0 <= distance_km(a, b) <= np.pi * EARTH_RADIUS_KM + 1e-6
    assert distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-4
    assert distance_km(a, a) == 0


@given(points)
@example(Point(90, 0))
@example(Point(-90, 180))
@example(Point(0, 180))
@example(Point(0, -180))
def test_a_cell_keeps_a_place_to_within_its_size(point: Point) -> None:
    cell = cell_of(point)
    assert distance_km(point, centre_of(cell)) < WIDEST_CELL_KM
    assert cell_of(centre_of(cell)) == cell
    assert 0 < cell < 2**63
    assert h3.get_resolution(h3.int_to_str(cell)) == VOLUNTEER_CELL_RESOLUTION


@pytest.mark.parametrize(
    ("where", "latitude", "longitude"),
    [
        ("Hangzhou", 30.2741, 120.1551),
        ("West Lake", 30.245, 120.14),
        ("Lake Tai", 31.2, 120.2),
        ("Putuoshan", 29.99, 122.38),
        ("Miaozihu of the Zhongjie islands", 30.19, 122.69),
        ("Huaniao", 30.86, 122.67),
        ("Gouqi", 30.72, 122.77),
        ("Yushan islands", 28.88, 122.26),
        ("Gulangyu", 24.447, 118.065),
        ("Weizhou", 21.05, 109.12),
        ("Yongxing", 16.83, 112.34),
        ("Yangshan harbour", 30.63, 122.06),
        ("Dalian harbour", 38.93, 121.65),
        ("Tianjin harbour", 38.97, 117.79),
        ("Zhoushan harbour", 30.0, 122.1),
        ("the Bund", 31.24, 121.49),
        ("Taveuni, on the antimeridian", -16.8, 180.0),
        ("Taveuni, from the other side", -16.8, -180.0),
        ("South Pole", -90.0, 0.0),
    ],
)
def test_people_can_be(where: str, latitude: float, longitude: float) -> None:
    point = Point(latitude, longitude)
    assert not is_at_sea(point), where
    assert require_on_land(point, "place") is point


@pytest.mark.parametrize(
    ("where", "latitude", "longitude"),
    [
        ("mid Pacific", 0.0, -160.0),
        ("Pacific, on the antimeridian", 30.0, 180.0),
        ("off Shanghai", 31.2, 123.5),
        ("an empty form", 0.0, 0.0),
        ("Kashgar the wrong way round", 75.99, 39.47),
        ("Urumqi the wrong way round", 87.6, 43.8),
        ("North Pole", 90.0, 0.0),
    ],
)
def test_nobody_can_be(where: str, latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_on_land(Point(latitude, longitude), "seen_place")
    assert caught.value.code == "place_at_sea", where
    assert caught.value.details == {"field": "seen_place"}


@given(points, st.floats(0, 50), st.floats(0, 50))
def test_land_within_a_radius_lies_within_a_larger_one(point: Point, a: float, b: float) -> None:
    near = land.is_land_within(point.latitude, point.longitude, min(a, b))
    assert land.is_land_within(point.latitude, point.longitude, max(a, b)) or not near


def test_without_the_map_it_is_said_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(land, "find_spec", lambda _: None)
    with pytest.raises(RuntimeError, match="global-land-mask"):
        land._land_squares.__wrapped__()


def test_a_map_of_another_layout_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    np.savez_compressed(
        tmp_path / "globe_combined_mask_compressed.npz", mask=np.zeros((3, 4), dtype=np.bool_)
    )
    monkeypatch.setattr(land, "find_spec", lambda _: Spec())
    with pytest.raises(RuntimeError, match="layout"):
        land._land_squares.__wrapped__()


def test_towns_are_listed_by_population_with_names_in_both_languages() -> None:
    towns = list_towns()
    assert len(towns) > 2000
    assert [t.population for t in towns] == sorted((t.population for t in towns), reverse=True)
    assert len({t.geonames_id for t in towns}) == len(towns)
    hangzhou = nearest_town(HANGZHOU)
    assert hangzhou.name(Language.EN) == "Hangzhou"
    assert hangzhou.name(Language.ZH) in {"杭州", "杭州市"}
    assert find_town(hangzhou.geonames_id) == hangzhou
    assert find_town(-1) is None


@settings(deadline=None)  # the first one reads the list
@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
def test_no_town_is_nearer_than_the_nearest(latitude: float, longitude: float) -> None:
    here = Point(latitude, longitude)
    nearest = distance_km(here, nearest_town(here).point)
    assert nearest <= min(distance_km(here, town.point) for town in list_towns()[::7]) + 1e-6


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "Foshan"),
        (["", "Fatshan", "ふつさん"], "Foshan"),
        (["佛山", "佛山市"], "佛山市"),
        (["仏山市", "佛山市"], "佛山市"),
        (["仏山"], "仏山"),
        (["禅城", "佛山地区"], "佛山地区"),
    ],
)
def test_the_official_simplified_name_is_preferred(names: list[str], expected: str) -> None:
    assert _chinese_name(names, "Foshan") == expected
