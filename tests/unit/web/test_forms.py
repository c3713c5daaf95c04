from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from reunite.kernel.datum import Datum, to_wgs84
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module, YearRange
from reunite.kernel.places import Point, distance_km
from reunite.web.ages import age_span, is_small_child, likely_birth_years, year_span
from reunite.web.forms import Form, at_field
from reunite.web.towns import find_typed_town, read_place, suggest_towns

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_times_are_the_readers_and_stored_in_utc() -> None:
    form = Form.of(seen_at="2026-03-05T14:30")
    assert form.moment("seen_at", SHANGHAI) == datetime(2026, 3, 5, 6, 30, tzinfo=UTC)


def test_nothing_typed_is_nothing() -> None:
    form = Form()
    assert form.text("a") == ""
    assert form.integer("a") is None
    assert form.decimal("a") is None
    assert form.moment("a", SHANGHAI) is None
    assert form.point() is None
    assert form.choices("a", Module) == frozenset()
    assert form.choice("a", Module, Module.ELDER) is Module.ELDER
    assert not form.flag("a")
    with pytest.raises(InvalidInputError, match="required"):
        form.required("a")


def test_a_character_that_no_text_has_is_dropped() -> None:
    assert Form.of(name="a\x00b").text("name") == "ab"


def test_the_field_at_fault_is_named() -> None:
    with pytest.raises(InvalidInputError) as caught, at_field("photo"):
        raise InvalidInputError("photo_empty")
    assert caught.value.details["field"] == "photo"


def test_towns_by_either_name() -> None:
    for typed in ("杭州", "杭州市", "Hangzhou", " hangzhou "):
        town = find_typed_town(typed, "CN")
        assert town is not None
        assert town.name_en == "Hangzhou"
    assert find_typed_town("Nowhereville", "CN") is None
    assert suggest_towns("", "CN", Language.ZH) == []


def test_coordinates_count_more_than_the_town() -> None:
    point, label = read_place(
        Form.of(town="杭州", place_label="西湖", latitude="30.25", longitude="120.14"),
        "CN",
        Language.ZH,
    )
    assert point is not None
    assert point.latitude == 30.25
    assert label.startswith("杭州")
    assert label.endswith(" 西湖")


def test_coordinates_of_chinese_maps_are_converted() -> None:
    typed = {"latitude": "30.25", "longitude": "120.14"}
    measured = Form.of(**typed).point()
    assert measured == Form.of(**typed, datum="wgs84").point() == Point(30.25, 120.14)
    for datum in (Datum.GCJ02, Datum.BD09):
        point = Form.of(**typed, datum=datum.value).point()
        assert point == to_wgs84(Point(30.25, 120.14), datum)
        assert 0.2 < distance_km(point, measured) < 2
    with pytest.raises(InvalidInputError, match="choice_unknown"):
        Form.of(**typed, datum="mars").point()


def test_ages() -> None:
    born = YearRange(2013, 2016)
    assert year_span(born) == "2013\N{EN DASH}2016"
    assert year_span(YearRange(2015, 2015)) == "2015"
    assert age_span(born, 2020) == "4\N{EN DASH}7"
    assert age_span(born, None) == age_span(None, 2020) == year_span(None) == ""
    assert is_small_child(born, 2020)
    assert not is_small_child(born, 2023)
    assert not is_small_child(None, 2023)
    assert likely_birth_years((6, 8), 2026) == YearRange(2017, 2020)
