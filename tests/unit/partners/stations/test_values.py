"""Cells as stations fill them in."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.kernel.people import Sex, YearRange
from reunite.partners.stations.dates import read_date
from reunite.partners.stations.gazetteer import locate
from reunite.partners.stations.numerals import read_number
from reunite.partners.stations.values import read_age, read_birth, read_height, read_sex, read_text

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2019-03-05", (2019, 3, 5)),
        ("2019/3/5", (2019, 3, 5)),
        ("2019.3.5", (2019, 3, 5)),
        ("20190305", (2019, 3, 5)),
        (20190305, (2019, 3, 5)),
        (43529, (2019, 3, 5)),
        (43529.75, (2019, 3, 5)),
        ("43529", (2019, 3, 5)),
        ("2019年3月5日", (2019, 3, 5)),
        ("２０１９年３月５日", (2019, 3, 5)),
        ("2019年3月5日 14:30", (2019, 3, 5)),
        ("2019-03-05T14:30:00", (2019, 3, 5)),
        ("2019年3月5日下午", (2019, 3, 5)),
        ("约2019年3月5日", (2019, 3, 5)),
        ("二〇一九年三月五日", (2019, 3, 5)),
        ("二零一九年十二月三十一日", (2019, 12, 31)),
        ("19年3月5号", (2019, 3, 5)),
        ("98年3月5日", (1998, 3, 5)),
        ("2019年3月", (2019, 3, 1)),
        ("2019", (2019, 1, 1)),
        (2019, (2019, 1, 1)),
        (datetime(2019, 3, 5, 8, 0), (2019, 3, 5)),  # noqa: DTZ001  (spreadsheets know no zones)
        (date(2019, 3, 5), (2019, 3, 5)),
        ("农历2019年正月初一", (2019, 2, 5)),
        ("2019年正月初一", (2019, 2, 5)),
        ("农历二〇一九年腊月廿三", (2020, 1, 17)),
        ("2020年闰四月初一", (2020, 5, 23)),
        ("己亥年正月初一", (2019, 2, 5)),
        ("阴历2019年8月15", (2019, 9, 13)),
    ],
)
def test_dates(value: object, day: tuple[int, int, int]) -> None:
    assert read_date(value, TODAY) == date(*day)


@pytest.mark.parametrize("value", ["", None, "-", "不详"])
def test_no_date(value: object) -> None:
    assert read_date(value, TODAY) is None


@pytest.mark.parametrize(
    "value",
    ["昨天", "2019-13-01", "2019年2月30日", "年月日", 65, "农历2019年正月三十五", "1019-01-01"],
)
def test_what_is_no_date(value: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_date(value, TODAY)


@pytest.mark.parametrize(
    ("text", "number"),
    [("65", 65), ("六十五", 65), ("十", 10), ("廿三", 23), ("初五", 5), ("二〇一九", 2019),
     ("一百零二", 102), ("", None), ("x", None), ("贰拾", 20)],
)  # fmt: skip
def test_numerals(text: str, number: int | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("65", 1960, 1961),
        (65.0, 1960, 1961),
        ("65岁", 1960, 1961),
        ("六十五岁", 1960, 1961),
        ("约65岁", 1957, 1964),
        ("60-70岁", 1955, 1966),
        ("60至70", 1955, 1966),
        ("六十多岁", 1956, 1966),
        ("七旬老人", 1946, 1956),
        ("8个月", 2024, 2026),
    ],
)
def test_ages(text: object, first: int, last: int) -> None:
    assert read_age(text, TODAY) == YearRange(first, last)


@pytest.mark.parametrize("text", ["老年", "300", "70-60"])
def test_no_ages(text: str) -> None:
    with pytest.raises(ValueError, match="no age"):
        read_age(text, TODAY)


@pytest.mark.parametrize(
    ("text", "cm"),
    [("162", 162), (162.0, 162), ("162cm", 162), ("1.62", 162), ("1米62", 162), ("1.6米", 160),
     ("约160厘米左右", 160), ("", None)],
)  # fmt: skip
def test_heights(text: object, cm: int | None) -> None:
    assert read_height(text) == cm


def test_sexes_and_births() -> None:
    assert [read_sex(x) for x in ("男", "女性", "F", "male", "")] == [
        Sex.MALE, Sex.FEMALE, Sex.FEMALE, Sex.MALE, Sex.UNKNOWN,
    ]  # fmt: skip
    assert read_birth("1948年", TODAY) == YearRange(1948, 1948)
    assert read_birth(1948, TODAY) == YearRange(1948, 1948)
    for bad in ("2031年", "1700"):
        with pytest.raises(ValueError, match=r"no"):
            read_birth(bad, TODAY)
    with pytest.raises(ValueError, match="no sex"):
        read_sex("xx")


@pytest.mark.parametrize(
    ("text", "region", "near"),
    [
        ("四川省达州市渠县人民路3号", 32, (31.2, 107.4)),
        ("杭州火车站", 2, (30.27, 120.16)),
        ("重庆市万州区", 33, (30.8, 108.4)),
        ("广东省", 30, None),
        ("某地", 0, None),
        ("", 0, None),
    ],
)
def test_places(text: str, region: int, near: tuple[float, float] | None) -> None:
    place = locate(text)
    assert place.region == region
    if near is None:
        assert place.point is None
    else:
        assert place.point is not None
        assert abs(place.point.latitude - near[0]) < 0.6
        assert abs(place.point.longitude - near[1]) < 0.6


@settings(deadline=None)
@given(st.text(max_size=30) | st.floats() | st.integers() | st.none() | st.booleans())
def test_anything_may_stand_in_a_cell(value: object) -> None:
    for reader in (
        lambda x: read_date(x, TODAY),
        read_sex,
        lambda x: read_age(x, TODAY),
        lambda x: read_birth(x, TODAY),
        read_height,
        read_text,
    ):
        try:
            reader(value)
        except ValueError:
            continue
