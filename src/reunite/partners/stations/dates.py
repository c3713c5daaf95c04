"""Dates as stations write them: digits, Chinese numerals, the lunar calendar, Excel's numbers."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from math import isfinite

from lunardate import LunarDate

from reunite.partners.stations.numerals import CHINESE_NUMBER, read_number

EXCEL_EPOCH = date(1899, 12, 30)  # its day 60, 29 February 1900, never was
LEAST_SERIAL, MOST_SERIAL = 7000, 60000  # 1919 to 2064: smaller numbers are ages or years
EARLIEST_YEAR, LATEST_YEAR = 1900, 2099
TWO_DIGIT_CENTURY = 2000

_NUMBER = rf"(\d{{1,4}}|{CHINESE_NUMBER}{{1,5}})"
_YMD = re.compile(rf"{_NUMBER}\s*[年/.\-]\s*(闰?){_NUMBER}\s*[月/.\-]\s*{_NUMBER}\s*[日号]?")
_YM = re.compile(rf"{_NUMBER}\s*[年/.\-]\s*(闰?){_NUMBER}\s*月?$")
_COMPACT = re.compile(r"^(19\d\d|20\d\d)(\d\d)(\d\d)$")
_YEAR = re.compile(rf"^{_NUMBER}\s*年?$")
_LUNAR = re.compile(r"农历|阴历|旧历|lunar", re.IGNORECASE)
_LUNAR_WORDS = re.compile(r"腊月|正月|冬月|初[一二三四五六七八九十]|廿")
_MONTHS = {"正": 1, "冬": 11, "腊": 12, "元": 1}
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_SEXAGENARY = re.compile(rf"[{_STEMS}][{_BRANCHES}]年")


def read_date(value: object, today: date) -> date | None:
    """The day that a cell names; None for an empty one.

    A lunar date is turned into ours.  A month alone is its first day, a year alone 1 January.
    Raises ValueError for what is no date, or is no day of its calendar.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(float(value))
    text = unicodedata.normalize("NFKC", str(value or "")).strip()
    if text in {"", "-", "无", "不详", "未知"}:
        return None
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _from_number(float(text))
    return _from_text(text, today)


def _from_number(number: float) -> date:
    if not isfinite(number):
        raise ValueError("no date")
    if LEAST_SERIAL <= number <= MOST_SERIAL:
        return EXCEL_EPOCH + timedelta(days=int(number))
    if EARLIEST_YEAR <= number <= LATEST_YEAR:
        return date(int(number), 1, 1)
    compact = _COMPACT.match(str(int(number)))
    if compact is None:
        raise ValueError("no date")
    return date(*(int(part) for part in compact.groups()))


def _from_text(text: str, today: date) -> date:
    text = re.sub(r"\s+\d{1,2}[:：时点].*$|T\d\d:.*$|(星期|周)[一二三四五六日天].*$", "", text)
    text = re.sub(r"[上下中]午.*$|约|大约|左右|前后", "", text).strip()
    lunar = bool(_LUNAR.search(text) or _LUNAR_WORDS.search(text))
    text = _LUNAR.sub("", text).strip(" :：()（）")
    text = _SEXAGENARY.sub(lambda found: f"{_sexagenary_year(found[0], today)}年", text)
    if compact := _COMPACT.match(text):
        return date(*(int(part) for part in compact.groups()))
    if found := _YMD.search(text):
        year, month, day = _year(found[1]), _month(found[3]), read_number(found[4])
        leap = bool(found[2])
    elif found := _YM.search(text):
        year, month, day, leap = _year(found[1]), _month(found[3]), 1, bool(found[2])
    elif found := _YEAR.search(text):
        year, month, day, leap = _year(found[1]), 1, 1, False
    else:
        raise ValueError("no date")
    if year is None or month is None or day is None:
        raise ValueError("no date")
    if lunar or leap:
        solar: date = LunarDate(year, month, day, leap).to_solar_date()
        return solar
    return date(year, month, day)


def _year(text: str) -> int | None:
    year = read_number(text)
    if year is not None and year < 100:  # noqa: PLR2004  (98年, 19年)
        year += TWO_DIGIT_CENTURY if year <= 40 else TWO_DIGIT_CENTURY - 100  # noqa: PLR2004
    if year is None or not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError("no year")
    return year


def _month(text: str) -> int | None:
    return _MONTHS.get(text) or read_number(text)


def _sexagenary_year(text: str, today: date) -> int:
    """The last year of this name, e.g. 2019 of 己亥年; 1984 was 甲子."""
    stem, branch = _STEMS.index(text[0]), _BRANCHES.index(text[1])
    place = next(n for n in range(60) if n % 10 == stem and n % 12 == branch)
    return max(y for y in range(1864 + place, today.year + 1, 60))
