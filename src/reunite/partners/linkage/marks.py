"""What a description of scars, moles and infirmities says, whichever words it uses."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from reunite.partners.linkage.sounds import simplified

# Parts of the body, longest words first; sides are read apart.
_PARTS = (
    ("eyebrow", ("眉心", "眉角", "眉毛", "眉间", "眉", "eyebrow")),
    ("chin", ("下巴", "下颌", "颏", "chin", "jaw")),
    ("forehead", ("额头", "前额", "脑门", "额", "forehead")),
    ("ear", ("耳后", "耳朵", "耳垂", "耳", "ear")),
    ("nose", ("鼻子", "鼻梁", "鼻", "nose")),
    ("mouth", ("嘴唇", "嘴角", "嘴", "唇", "lip", "mouth")),
    ("eye", ("眼皮", "眼角", "眼睛", "眼", "eye")),
    ("neck", ("脖子", "颈", "脖", "neck")),
    ("head", ("头顶", "后脑", "头皮", "头部", "head")),
    ("face", ("脸颊", "脸", "面部", "面颊", "腮", "cheek", "face")),
    ("finger", ("手指", "食指", "拇指", "中指", "小指", "无名指", "finger", "thumb")),
    ("hand", ("手背", "手掌", "手腕", "手心", "虎口", "手", "hand", "wrist", "palm")),
    ("arm", ("胳膊", "手臂", "小臂", "大臂", "前臂", "上臂", "臂", "肘", "arm", "elbow")),
    ("shoulder", ("肩膀", "肩", "shoulder")),
    ("chest", ("胸口", "胸", "锁骨", "chest")),
    ("belly", ("肚脐", "肚子", "小腹", "腹", "肚", "belly", "abdomen", "stomach")),
    ("back", ("后背", "背部", "背上", "脊背", "腰", "back", "waist")),
    ("buttock", ("臀", "屁股", "buttock")),
    ("foot", ("脚背", "脚踝", "脚趾", "脚", "足", "foot", "ankle", "toe")),
    ("leg", ("小腿", "大腿", "膝盖", "膝", "腿", "leg", "knee", "thigh")),
)
_KINDS = (
    ("birthmark", ("胎记", "胎痕", "birthmark")),
    ("burn", ("烫伤", "烧伤", "烫疤", "burn", "scald")),
    ("surgery", ("手术", "开过刀", "开刀", "切口", "surgery", "operation")),
    ("mole", ("黑痣", "红痣", "痦子", "痣", "mole")),
    ("tattoo", ("纹身", "刺青", "文身", "tattoo")),
    ("scar", ("刀疤", "伤疤", "疤痕", "瘢痕", "疤", "缝针", "缝过", "伤痕", "scar", "stitches")),
)
# Traits of the whole person: no part of the body need be named.
_TRAITS = (
    ("limp", ("跛", "瘸", "腿脚不便", "腿脚不好", "拄拐", "limp", "lame")),
    ("teeth", ("门牙", "前牙", "缺牙", "掉牙", "牙齿", "tooth", "teeth")),
    ("stoop", ("驼背", "背驼", "腰弯", "弯腰", "佝偻", "stoop", "hunch")),
    ("deaf", ("耳聋", "聋", "听力", "耳背", "听不", "deaf", "hearing")),
    ("extra_finger", ("六指", "六根", "多一根", "多指", "extra finger")),
    ("lost_finger", ("断指", "缺指", "手指残缺", "指缺", "缺一节", "missing finger")),
    ("blind", ("白内障", "失明", "看不见", "眼瞎", "盲", "独眼", "blind", "cataract")),
    ("mute", ("哑", "不会说话", "不能说话", "mute")),
    ("lost_limb", ("截肢", "缺臂", "断臂", "假肢", "amputat")),
    ("hemiplegia", ("偏瘫", "半身不遂", "瘫痪", "轮椅", "paralys", "wheelchair")),
    ("harelip", ("兔唇", "唇裂", "cleft")),
)
_BETWEEN = re.compile(r"[，,。;；、\n/|]+|(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])")
_PAIRED = frozenset({"hand", "arm", "leg", "foot", "ear", "eye", "shoulder", "finger", "face"})


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark.  ``side`` is L, R or empty; ``part`` is empty for traits of the whole person."""

    kind: str
    part: str = ""
    side: str = ""

    def __str__(self) -> str:
        return "_".join(word for word in (self.side.lower(), self.part, self.kind) if word)


@lru_cache(maxsize=65536)
def read_marks(text: str) -> frozenset[Mark]:
    """Every mark that a text names; what cannot be read is left to people."""
    plain = simplified(unicodedata.normalize("NFKC", text)).lower()
    found: set[Mark] = set()
    for clause in _BETWEEN.split(plain):
        found |= _read_clause(clause)
    return frozenset(found)


def _first(clause: str, table: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return next((code for code, words in table if any(word in clause for word in words)), "")


def _read_clause(clause: str) -> set[Mark]:
    found = {Mark(code) for code, words in _TRAITS if any(word in clause for word in words)}
    kind = _first(clause, _KINDS)
    if kind:
        part = _first(clause, _PARTS)
        side = ""
        if part in _PAIRED:
            side = "L" if "左" in clause or "left" in clause else ""
            side = "R" if "右" in clause or "right" in clause else side
        found.add(Mark(kind, part, side))
    return found


def likeness(a: Mark, b: Mark) -> float:
    """How far two marks may be one: 1 the same, .7 a neighbouring word, 0 none."""
    if a.kind != b.kind and {a.kind, b.kind} - {"scar", "burn", "surgery"}:
        return 0.0
    if a.part != b.part:
        near = frozenset({a.part, b.part})
        return 0.7 if near in _NEAR or "" in near else 0.0
    if a.side and b.side and a.side != b.side:
        return 0.3  # left and right are confused, the camera's mirror helping
    return 1.0 if a.kind == b.kind else 0.7


_NEAR = frozenset(
    frozenset(pair)
    for pair in (
        ("hand", "arm"), ("hand", "finger"), ("leg", "foot"), ("face", "forehead"),
        ("face", "eyebrow"), ("eyebrow", "forehead"), ("face", "chin"), ("neck", "chin"),
        ("chin", "mouth"), ("eye", "eyebrow"), ("head", "forehead"), ("neck", "ear"),
        ("back", "shoulder"), ("chest", "belly"), ("belly", "back"),
    )
)  # fmt: skip
