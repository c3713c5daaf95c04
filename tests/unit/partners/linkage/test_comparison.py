"""What two records say together: bits, reasons, contradictions."""

from dataclasses import replace
from datetime import date, timedelta
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.kernel.people import Sex, YearRange
from reunite.kernel.places import Point
from reunite.partners.linkage.comparison import Bearing, Weight, posterior, weigh
from reunite.partners.linkage.description import Description, read_description
from reunite.partners.linkage.dialects import read_dialect
from reunite.partners.linkage.frequencies import Frequencies
from reunite.partners.linkage.marks import Mark, read_marks
from reunite.partners.linkage.weights import weights

CHENGDU, CHONGQING, SHANGHAI = Point(30.66, 104.06), Point(29.56, 106.55), Point(31.23, 121.47)
LOST = date(2026, 3, 1)
FAMILY = Description(
    names=("王秀珍",),
    sex=Sex.FEMALE,
    birth_years=YearRange(1948, 1948),
    height_cm=156,
    marks="左手背有烫伤疤，缺门牙",
    dialect="四川话",
    blood_group="AB",
    place=CHENGDU,
    region=32,
    home_regions=frozenset({32}),
    seen_on=LOST,
)
STATION = Description(
    names=("王秀真",),
    sex=Sex.FEMALE,
    birth_years=YearRange(1944, 1954),
    height_cm=158,
    marks="前牙掉了两颗",
    dialect="重庆口音",
    blood_group="AB型",
    place=CHONGQING,
    region=33,
    seen_on=LOST + timedelta(days=9),
)


def weight(missing: Description, found: Description, face: float | None = None) -> Weight:
    return weigh(read_description(missing), read_description(found), Frequencies(), face)


def fact(name: str, missing: Description, found: Description) -> tuple[str, Bearing]:
    said = {one.fact: one for one in weight(missing, found).evidence}[name]
    return said.level, said.bearing


def test_one_person_in_another_province_stands_out() -> None:
    both = weight(FAMILY, STATION)
    assert both.bits > 15
    assert not both.contradictions
    assert {one.fact for one in both.evidence} == {
        "name", "sex", "birth_year", "height", "place", "time", "dialect", "marks", "blood_group",
    }  # fmt: skip
    assert posterior(both.bits, 1000) > 0.5


def test_a_stranger_does_not() -> None:
    stranger = replace(
        STATION, names=("李建国",), sex=Sex.MALE, birth_years=YearRange(1990, 1995),
        marks="右腿有手术疤", blood_group="O", dialect="东北话", place=SHANGHAI,
    )  # fmt: skip
    both = weight(FAMILY, stranger)
    assert both.bits < -10
    assert {one.fact for one in both.contradictions} >= {"name", "sex", "birth_year", "blood_group"}


def test_records_that_know_nothing_say_nothing() -> None:
    assert weight(Description(), Description()) == Weight(())
    assert weight(FAMILY, Description()) == Weight(())


def test_found_before_being_lost_contradicts() -> None:
    early = replace(STATION, seen_on=LOST - timedelta(days=300))
    assert fact("time", FAMILY, early) == ("before", Bearing.CONTRADICTS)
    midnight = replace(STATION, seen_on=LOST - timedelta(days=1))
    assert fact("time", FAMILY, midnight) == ("days", Bearing.SUPPORTS)


def test_children_grow() -> None:
    child = replace(FAMILY, birth_years=YearRange(2018, 2018), height_cm=120)
    later = replace(
        STATION, birth_years=YearRange(2018, 2019), height_cm=150, seen_on=date(2026, 12, 1)
    )
    assert "height" not in {one.fact for one in weight(child, later).evidence}


@pytest.mark.parametrize("cm", [40, 100, 140, 175, 198, 250])
def test_heights_far_apart_never_speak_for_a_pair(cm: int) -> None:
    assert fact("height", FAMILY, replace(STATION, height_cm=cm))[1] is Bearing.CONTRADICTS
    assert fact("height", FAMILY, replace(STATION, height_cm=158))[0] == "agrees"


def test_years_of_birth_a_century_apart_can_be_weighed() -> None:
    ancient = replace(STATION, birth_years=YearRange(1880, 1880))
    child = replace(FAMILY, birth_years=YearRange(2020, 2020))
    assert fact("birth_year", child, ancient) == ("differs", Bearing.CONTRADICTS)


def test_a_dialect_speaks_of_the_home() -> None:
    silent = replace(STATION, dialect="", home_regions=frozenset())
    assert "dialect" not in {one.fact for one in weight(FAMILY, silent).evidence}
    from_there = replace(silent, home_regions=frozenset({32}))
    assert fact("dialect", FAMILY, from_there) == ("home_agrees", Bearing.SUPPORTS)
    elsewhere = replace(silent, home_regions=frozenset({19}))
    assert fact("dialect", FAMILY, elsewhere) == ("home_differs", Bearing.CONTRADICTS)


@pytest.mark.parametrize(
    ("missing", "found", "level"),
    [
        ("A", "A+", "agrees"),
        ("A", "B", "differs"),
        ("O+", "O型Rh阴性", "rhesus_differs"),
    ],
)
def test_blood(missing: str, found: str, level: str) -> None:
    a, b = replace(FAMILY, blood_group=missing), replace(STATION, blood_group=found)
    assert fact("blood_group", a, b)[0] == level


def test_nearness_speaks_and_distance_hardly_contradicts() -> None:
    near, far = replace(STATION, place=CHENGDU), replace(STATION, place=SHANGHAI)
    bits = [
        next(one.bits for one in weight(FAMILY, other).evidence if one.fact == "place")
        for other in (near, STATION, far)
    ]
    assert bits[0] > bits[1] > bits[2] > -3
    only_province = replace(STATION, place=None, region=32)
    assert fact("place", FAMILY, only_province) == ("province", Bearing.SUPPORTS)


def test_faces_of_small_children_say_little() -> None:
    adult = weight(FAMILY, STATION, 0.55).bits - weight(FAMILY, STATION).bits
    child = replace(FAMILY, birth_years=YearRange(2023, 2023))
    small = weight(child, STATION, 0.55).bits - weight(child, STATION).bits
    assert adult > 8
    assert abs(small) < 2


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("左手背有烫伤疤", {Mark("burn", "hand", "L")}),
        ("缺门牙；走路一瘸一拐", {Mark("teeth"), Mark("limp")}),
        ("眉心黑痣一顆", {Mark("mole", "eyebrow")}),
        ("scar on the right knee", {Mark("scar", "leg", "R")}),
        ("爱笑", set()),
        ("", set()),
    ],
)
def test_marks_in_any_words(text: str, marks: set[Mark]) -> None:
    assert read_marks(text) == marks


def test_a_mark_that_both_name_speaks() -> None:
    scald = replace(STATION, marks="左手有烫伤")
    assert fact("marks", replace(FAMILY, marks="左手背烫伤疤"), scald)[0] == "agrees"
    other_hand = replace(STATION, marks="额头有痣")
    assert fact("marks", replace(FAMILY, marks="左手背烫伤疤"), other_hand)[0] == "differs"


@pytest.mark.parametrize(
    ("text", "group", "province"),
    [
        ("四川话", "southwestern", 32),
        ("重慶口音", "southwestern", 33),
        ("粤语", "yue", 0),
        ("什么话", "", 0),
    ],
)
def test_dialects(text: str, group: str, province: int) -> None:
    dialect = read_dialect(text)
    assert dialect is not None
    assert (dialect.group, dialect.province) == (group, province)


def test_dialects_that_a_province_shares_are_related() -> None:
    hakka, cantonese = replace(FAMILY, dialect="客家话"), replace(STATION, dialect="广东话")
    assert fact("dialect", hakka, cantonese)[0] == "related"


def test_every_number_has_its_source() -> None:
    table = weights()
    blocks = [
        block
        for block in (*table.values(), *table["names"].values())
        if block is not table["names"]
    ]
    assert all(block["source"] for block in blocks)


NAMES = ["王秀珍", "阿珍", "Li Wei", "古丽·帕提", "不详", "李"]
years = st.none() | st.builds(
    lambda first, width: YearRange(first, first + width),
    st.integers(1900, 2026),
    st.integers(0, 20),
)
descriptions = st.builds(
    Description,
    names=st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
    sex=st.sampled_from(Sex),
    birth_years=years,
    height_cm=st.none() | st.integers(50, 210),
    marks=st.sampled_from(["", "左手有疤", "额头有痣，驼背", "爱笑"]),
    dialect=st.sampled_from(["", "四川话", "粤语", "火星话"]),
    blood_group=st.sampled_from(["", "A", "O+", "x"]),
    place=st.sampled_from([None, CHENGDU, SHANGHAI]),
    region=st.sampled_from([0, 23, 32]),
    home_regions=st.frozensets(st.sampled_from([23, 32]), max_size=2),
    seen_on=st.none() | st.dates(date(1990, 1, 1), date(2026, 6, 1)),
)  # fmt: skip


@settings(deadline=None)
@given(descriptions, descriptions, st.none() | st.floats(-1, 1))
def test_any_two_records_can_be_weighed(a: Description, b: Description, face: float | None) -> None:
    both = weight(a, b, face)
    assert isfinite(both.bits)
    assert -60 < both.bits < 80
    assert 0 <= posterior(both.bits, 1_000_000) <= 1
    assert {one.fact for one in both.contradictions} <= {one.fact for one in both.evidence}


@settings(deadline=None)
@given(descriptions)
def test_a_description_never_speaks_against_itself(a: Description) -> None:
    assert not [one for one in weight(a, a).contradictions if one.fact != "height"]
