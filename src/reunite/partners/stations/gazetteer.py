"""From an address in words to a province and a point: the longest town that it names.

A town's centre is enough to compare records; nothing finer is guessed.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from reunite.kernel.places import Point, Town, list_towns

# GeoNames admin1 numbers of China.
PROVINCES = {
    "安徽": 1, "浙江": 2, "江西": 3, "江苏": 4, "吉林": 5, "青海": 6, "福建": 7, "黑龙江": 8,
    "河南": 9, "河北": 10, "湖南": 11, "湖北": 12, "新疆": 13, "西藏": 14, "甘肃": 15, "广西": 16,
    "贵州": 18, "辽宁": 19, "内蒙古": 20, "宁夏": 21, "北京": 22, "上海": 23, "山西": 24,
    "山东": 25, "陕西": 26, "天津": 28, "云南": 29, "广东": 30, "海南": 31, "四川": 32, "重庆": 33,
}  # fmt: skip
_SUFFIX = re.compile(r"(市|县|区|州|盟|旗|镇|自治州|自治县)$")


@dataclass(frozen=True, slots=True)
class Located:
    """What an address tells.  ``region`` 0 and no point where it names no known place."""

    region: int = 0
    point: Point | None = None


@cache
def _towns() -> dict[str, list[Town]]:
    table: dict[str, list[Town]] = {}
    for town in list_towns("CN"):
        for name in {town.name_zh, _SUFFIX.sub("", town.name_zh), town.name_en.lower()}:
            if len(name) > 1 and town.admin1_code.isdigit():
                table.setdefault(name, []).append(town)
    return table


@lru_cache(maxsize=65536)
def locate(text: str) -> Located:
    """Province and town of an address, e.g. of 四川省达州市渠县人民路3号."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if not plain:
        return Located()
    named = [(plain.find(name), code) for name, code in PROVINCES.items() if name in plain]
    region = min(named)[1] if named else 0
    # The later a town is named, the smaller it is; of namesakes the one in the province named.
    best: tuple[int, int, Town] | None = None
    for start in range(len(plain)):
        for length in range(min(8, len(plain) - start), 1, -1):
            towns = _towns().get(plain[start : start + length])
            if not towns:
                continue
            fitting = [t for t in towns if not region or int(t.admin1_code) == region]
            if fitting and (best is None or start > best[0]):
                best = (start, length, fitting[0])
            break
    if best is None:
        return Located(region)
    return Located(region or int(best[2].admin1_code), best[2].point)
