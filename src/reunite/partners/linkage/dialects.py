"""Dialects and languages as people name them, and where they are spoken.

Groups after the Language Atlas of China (1987, 2012); provinces in GeoNames' admin1 numbers.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from reunite.partners.linkage.sounds import simplified

# group: words for it, provinces where it is at home
_GROUPS: tuple[tuple[str, tuple[str, ...], tuple[int, ...]], ...] = (
    ("southwestern",
     ("四川", "川", "重庆", "贵州", "云南", "西南官话", "武汉", "湖北", "sichuan", "chongqing"),
     (32, 33, 18, 29, 12)),
    ("xiang", ("湖南", "长沙", "湘", "hunan", "xiang"), (11,)),
    ("yue", ("粤", "广东", "广州", "白话", "广西", "cantonese", "yue"), (30, 16)),
    ("hakka", ("客家", "客话", "梅州", "hakka"), (30, 7, 3)),
    ("min",
     ("闽", "福建", "潮汕", "潮州", "海南话", "莆田",
      "hokkien", "min nan", "teochew"), (7, 30, 31)),
    ("gan", ("赣", "江西", "南昌", "gan"), (3,)),
    ("wu",
     ("吴语", "吴", "浙江", "温州", "上海", "苏州", "宁波",
      "杭州", "江浙", "wu", "shanghai"), (2, 23, 4)),
    ("jianghuai", ("江淮", "南京", "扬州", "江苏", "安徽", "合肥"), (4, 1)),
    ("jin", ("晋语", "山西", "太原", "晋", "内蒙古"), (24, 20)),
    ("zhongyuan",
     ("河南", "中原", "陕西", "关中", "西安", "豫", "henan", "shaanxi"), (9, 26, 1, 25)),
    ("jilu",
     ("河北", "山东", "济南", "胶辽", "青岛", "天津", "鲁", "shandong", "hebei"), (10, 25, 28)),
    ("lanyin", ("甘肃", "兰州", "宁夏", "青海", "兰银", "西北"), (15, 21, 6, 13)),
    ("northeastern",
     ("东北", "辽宁", "吉林", "黑龙江", "沈阳", "哈尔滨", "dongbei"), (19, 5, 8, 20)),
    ("uyghur", ("维吾尔", "维语", "新疆", "哈萨克", "uyghur", "kazakh"), (13,)),
    ("tibetan", ("藏语", "藏族", "西藏", "康巴", "安多", "tibetan"), (14, 6, 32, 15)),
    ("mongolian", ("蒙语", "蒙古语", "mongolian"), (20,)),
    ("yi", ("彝语", "彝族"), (32, 29, 18)),
    ("zhuang", ("壮语", "壮族"), (16,)),
    ("korean", ("朝鲜语", "朝鲜族", "韩语", "korean"), (5, 8)),
    ("standard", ("普通话", "北京", "国语", "mandarin", "putonghua"), (22,)),
)  # fmt: skip
_INSIDE = {
    33: "重庆", 32: "四川", 12: "湖北", 18: "贵州", 29: "云南", 11: "湖南", 30: "广东", 16: "广西",
    7: "福建", 3: "江西", 2: "浙江", 23: "上海", 4: "江苏", 1: "安徽", 24: "山西", 20: "内蒙古",
    9: "河南", 26: "陕西", 10: "河北", 25: "山东", 28: "天津", 15: "甘肃", 21: "宁夏", 6: "青海",
    19: "辽宁", 5: "吉林", 8: "黑龙江", 13: "新疆", 14: "西藏", 22: "北京", 31: "海南",
}  # fmt: skip
_OTHER = re.compile(r"(话|口音|方言|腔|语|人|dialect|accent)$")
_BY_PROVINCE: dict[int, frozenset[str]] = {
    province: frozenset(group for group, _, where in _GROUPS if province in where)
    for province in _INSIDE
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """``group`` is empty for words that are not understood; ``province`` 0 where none is named."""

    group: str
    province: int
    word: str


@lru_cache(maxsize=8192)
def read_dialect(text: str) -> Dialect | None:
    """The dialect that a field names; None where it is empty."""
    plain = simplified(unicodedata.normalize("NFKC", text).strip()).lower()
    if not plain:
        return None
    word = _OTHER.sub("", plain)
    province = next((code for code, name in _INSIDE.items() if name in plain), 0)
    hits = [(len(key), group) for group, words, _ in _GROUPS for key in words if key in plain]
    return Dialect(max(hits)[1] if hits else "", province, word)


def at_home_in(dialect: Dialect, province: int) -> bool:
    """Whether somebody from this province would speak so."""
    return dialect.province == province or dialect.group in _BY_PROVINCE.get(province, frozenset())
