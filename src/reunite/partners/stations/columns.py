"""Which column of a sheet is which fact, by what stands at its head."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum

from reunite.partners.stations.values import read_text

HEADER_ROWS = 20  # titles and notes above the header are skipped, no further
LEAST_COLUMNS = 2


class Column(StrEnum):
    """What a column may hold.  ``IGNORED`` is a choice that is remembered too."""

    NUMBER = "number"
    NAME = "name"
    OTHER_NAMES = "other_names"
    SEX = "sex"
    AGE = "age"
    BIRTH = "birth"
    HEIGHT = "height"
    FOUND_ON = "found_on"
    FOUND_PLACE = "found_place"
    HOME = "home"
    DIALECT = "dialect"
    MARKS = "marks"
    CLOTHING = "clothing"
    BELONGINGS = "belongings"
    STATEMENT = "statement"
    CONDITION = "condition"
    BLOOD = "blood_group"
    PHOTO = "photo"
    NOTE = "note"
    IGNORED = "ignored"


# Words that heads of columns contain, the surest first; earlier columns of the table win.
_WORDS: tuple[tuple[Column, tuple[str, ...]], ...] = (
    (Column.PHOTO, ("照片", "相片", "图片", "头像", "photo", "picture", "image")),
    (Column.NUMBER, (
        "救助编号", "档案编号", "登记编号", "人员编号", "编号", "档案号", "登记号", "number",
        "id",
    )),
    (Column.OTHER_NAMES, ("曾用名", "别名", "绰号", "小名", "其他姓名", "alias", "nickname")),
    (Column.BIRTH, ("出生", "生日", "birth", "dob")),
    (Column.AGE, ("年龄", "岁数", "估计年", "age")),
    (Column.SEX, ("性别", "sex", "gender")),
    (Column.FOUND_ON, (
        "救助时间", "救助日期", "入站时间", "入站日期", "进站时间", "发现时间", "发现日期",
                       "接收时间", "登记日期", "登记时间", "入院日期", "found_on", "found on",
                       "date found", "admitted", "admission")),
    (Column.FOUND_PLACE, (
        "发现地", "救助地", "发现位置", "流浪地", "拾到地", "捡拾地", "求助地", "found_place",
                          "found place", "place found", "location")),
    (Column.HOME, (
        "籍贯", "户籍", "家庭住址", "自述住址", "自称住址", "家乡", "疑似籍贯", "户口", "原籍",
                   "home", "address", "origin")),
    (Column.DIALECT, ("口音", "方言", "语言", "dialect", "accent", "language")),
    (Column.HEIGHT, ("身高", "height")),
    (Column.MARKS, (
        "体貌", "体表", "特征", "疤", "痣", "胎记", "外貌", "marks", "features", "scars",
    )),
    (Column.CLOTHING, ("衣着", "穿着", "服装", "衣物", "clothing", "wearing")),
    (Column.BELONGINGS, ("随身", "携带", "物品", "belongings", "possessions")),
    (Column.STATEMENT, ("自述", "自称", "口述", "陈述", "主诉", "statement", "says")),
    (Column.CONDITION, (
        "健康", "病", "精神状况", "智力", "残疾", "身体状况", "condition", "health",
    )),
    (Column.BLOOD, ("血型", "blood")),
    (Column.NAME, ("姓名", "名字", "称呼", "name")),
    (Column.NOTE, ("备注", "说明", "其他", "情况", "note", "remark", "comment")),
    (Column.FOUND_ON, ("日期", "时间", "date")),
    (Column.FOUND_PLACE, ("地点", "地址", "place")),
    (Column.NUMBER, ("序号", "no.", "no")),
)  # fmt: skip
# What one sheet can say only once.
_SHORT = frozenset({"id", "no", "no.", "age", "sex"})


def head_of(value: object) -> str:
    """A head as it is compared and remembered: no spaces, no marks of required fields."""
    plain = unicodedata.normalize("NFKC", read_text(value)).lower()
    return re.sub(r"[\s*：:＊_]+", " ", plain).strip()


def _match(head: str) -> tuple[int, Column] | None:
    """How sure a head is, smaller is surer, and what it most probably names."""
    squeezed = head.replace(" ", "")
    for order, (column, words) in enumerate(_WORDS):
        for word in words:
            plain = word.replace("_", " ")
            if head == plain if plain in _SHORT else plain in head or plain in squeezed:
                return order, column
    return None


def column_of(head: str) -> Column | None:
    """The fact that one head names; ``head`` comes from ``head_of``."""
    match = _match(head)
    return None if match is None else match[1]


def guess_columns(heads: Sequence[str], remembered: Mapping[str, Column]) -> dict[int, Column]:
    """Column by position.  What a partner chose before comes first; each fact is taken once.

    ``heads`` come from ``head_of``.
    """
    chosen = {place: remembered[head] for place, head in enumerate(heads) if head in remembered}
    taken = set(chosen.values())
    guesses = [
        (match, place)
        for place, head in enumerate(heads)
        if place not in chosen and head and (match := _match(head)) is not None
    ]
    for (_, column), place in sorted(guesses, key=lambda guess: (guess[0][0], guess[1])):
        if column not in taken:
            chosen[place] = column
            taken.add(column)
    return {place: column for place, column in chosen.items() if column is not Column.IGNORED}


def find_header(rows: Sequence[Sequence[object]], remembered: Mapping[str, Column]) -> int | None:
    """Which of the first rows is the header: the one that names most facts."""
    counts = [
        len(set(guess_columns([head_of(cell) for cell in row], remembered).values()))
        for row in rows[:HEADER_ROWS]
    ]
    best = max(counts, default=0)
    return counts.index(best) if best >= LEAST_COLUMNS else None
