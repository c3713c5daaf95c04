"""Whole numbers as they stand in Chinese records: 65, ６５, 六十五, 二〇一九, 廿三."""

import re

_DIGITS = {d: n for n, d in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "○": 0, "O": 0}
_DIGITS |= dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True))
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000}
CHINESE_NUMBER = "[〇零○一二两三四五六七八九十百千廿卅初正冬腊壹贰叁肆伍陆柒捌玖拾佰元]"


def read_number(text: str) -> int | None:
    """The number that a text is; None where it is none."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    text = text.replace("廿", "二十").replace("卅", "三十").removeprefix("初")
    if not text or any(character not in _DIGITS and character not in _UNITS for character in text):
        return None
    if not any(character in _UNITS for character in text):
        return int("".join(str(_DIGITS[character]) for character in text))
    total, digit = 0, None
    for character in text:
        if character in _UNITS:
            total += _UNITS[character] * (1 if digit is None else digit)
            digit = None
        else:
            digit = _DIGITS[character]
    return total + (digit or 0)
