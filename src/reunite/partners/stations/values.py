"""Sex, age, height and the like, as they stand in cells."""

import re
import unicodedata
from datetime import date

from reunite.kernel.people import Sex, YearRange
from reunite.partners.stations.dates import read_date
from reunite.partners.stations.numerals import CHINESE_NUMBER, read_number

OLDEST_YEARS = 120
ABOUT_YEARS = 3  # 约65岁
DECADE = 10
_NUMBER = rf"(\d{{1,3}}|{CHINESE_NUMBER}{{1,4}})"
_SPAN = re.compile(rf"{_NUMBER}\s*岁?\s*(?:-|—|–|~|～|至|到)\s*{_NUMBER}")
_DECADE_OLD = re.compile(r"([一二三四五六七八九\d])旬|([一二三四五六七八九]十|\d0)(?:多|来|几|余)")
_ONE = re.compile(_NUMBER)
_METRES = re.compile(r"^(\d)[米m.](\d{1,2})(?:米|m)?$")
_CENTIMETRES = re.compile(r"^(\d{2,3})(?:\.\d+)?\s*(?:cm|厘米|公分)?$", re.IGNORECASE)
_EMPTY = frozenset({"", "-", "—", "/", "无", "不详", "未知", "不明", "待查", "none", "null", "n/a"})


def read_text(value: object) -> str:
    """What stands in a cell; empty for the words that mean nothing is known."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFC", str(value if value is not None else ""))
    text = text.replace("\x00", "").replace("\u3000", " ").strip()
    return "" if text.lower() in _EMPTY else text


def read_sex(value: object) -> Sex:
    """Raises ValueError for what is no sex."""
    text = read_text(value).lower()
    if not text:
        return Sex.UNKNOWN
    if text[0] in "女f" or text in {"2", "母"}:
        return Sex.FEMALE
    if text[0] in "男m" or text in {"1", "公"}:
        return Sex.MALE
    raise ValueError("no sex")


def read_birth(value: object, today: date) -> YearRange | None:
    """Birth years of a date or a year of birth.  Raises ValueError."""
    if not read_text(value):
        return None
    born = read_date(value, today)
    if born is None:
        return None
    if not today.year - OLDEST_YEARS <= born.year <= today.year:
        raise ValueError("no birth")
    return YearRange(born.year, born.year)


def read_age(value: object, at: date) -> YearRange | None:
    """Birth years of an age: 65, 六十五岁, 约65岁, 60-70岁, 六十多岁, 七旬.  Raises ValueError."""
    text = unicodedata.normalize("NFKC", read_text(value))
    if not text:
        return None
    if span := _SPAN.search(text):
        youngest, oldest = read_number(span[1]), read_number(span[2])
    elif decade := _DECADE_OLD.search(text):
        youngest = read_number(decade[1] or decade[2])
        if youngest is not None and decade[1]:
            youngest *= DECADE
        oldest = None if youngest is None else youngest + DECADE - 1
    elif one := _ONE.search(text):
        age = read_number(one[1])
        about = ABOUT_YEARS if re.search("约|左右|估|多|上下", text) else 0
        youngest = None if age is None else max(0, age - about)
        oldest = None if age is None else age + about
        if age is not None and ("个月" in text or "月龄" in text):
            youngest, oldest = 0, max(1, age // 12)
    else:
        raise ValueError("no age")
    if youngest is None or oldest is None or not 0 <= youngest <= oldest <= OLDEST_YEARS:
        raise ValueError("no age")
    # Somebody of 65 was born 65 or 66 years ago.
    return YearRange(at.year - oldest - 1, at.year - youngest)


def read_height(value: object) -> int | None:
    """Centimetres of 162, 1.62, 1米62, 162cm.  Raises ValueError."""
    text = unicodedata.normalize("NFKC", read_text(value)).replace(" ", "").lower()
    text = text.replace("约", "").removesuffix("左右")
    if not text:
        return None
    if metres := _METRES.match(text):
        return int(metres[1]) * 100 + int(metres[2].ljust(2, "0"))
    if centimetres := _CENTIMETRES.match(text):
        return int(centimetres[1])
    raise ValueError("no height")
