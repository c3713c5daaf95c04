"""How Chinese characters sound, and which sounds the dialects do not tell apart."""

import re
from functools import cache, lru_cache
from typing import Any

from opencc import OpenCC

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_TO_SIMPLIFIED = OpenCC("t2s")
# Surnames are read otherwise than the same characters in words.
# Source: the readings that Unihan gives as kMandarin of surnames (单 Shàn, 仇 Qiú, …).
SURNAME_READINGS = {
    "单": "shan", "仇": "qiu", "解": "xie", "曾": "zeng", "查": "zha", "盖": "ge", "乐": "yue",
    "区": "ou", "朴": "piao", "任": "ren", "尉": "wei", "翟": "zhai", "冼": "xian", "覃": "qin",
    "员": "yun", "种": "chong", "缪": "miao", "宓": "fu", "折": "she", "黑": "he", "洗": "xian",
}  # fmt: skip
# Mergers, in the order in which they are applied.  Sources: 袁家骅《汉语方言概要》 (1960) and
# the Language Atlas of China (1987): retroflex and dental sibilants fall together south of the
# Yangtze and in much of the north-east, n- and l- in the south-west, Hunan and Hubei, f- and
# hu- in Min, Xiang and Hakka, -ing/-in and -eng/-en from Wu to the south-west, r- and l- in
# Jiang-Huai and Min.
_INITIALS = (
    (re.compile(r"^zh"), "z"),
    (re.compile(r"^ch"), "c"),
    (re.compile(r"^sh"), "s"),
    (re.compile(r"^hu(?=[aio])"), "f"),
    (re.compile(r"^hun$"), "fen"),
    (re.compile(r"^hu$"), "fu"),
    (re.compile(r"^[nr]"), "l"),
)
_FINALS = ((re.compile(r"ing$"), "in"), (re.compile(r"eng$"), "en"), (re.compile(r"fi$"), "fei"))


@cache
def _pinyin() -> Any:
    """The readings: half a second to load, which a command that reads no name need not wait."""
    import pypinyin  # noqa: PLC0415

    return pypinyin


@lru_cache(maxsize=65536)
def simplified(text: str) -> str:
    """``text`` in simplified characters."""
    return str(_TO_SIMPLIFIED.convert(text))


@lru_cache(maxsize=65536)
def sound_of(character: str) -> str:
    """The commonest reading of one character without its tone, e.g. ``xing`` of 行."""
    pinyin = _pinyin()
    read = pinyin.lazy_pinyin(character, style=pinyin.Style.NORMAL, errors="ignore")
    return str(read[0]).replace("ü", "v") if read else character.lower()


def sounds_of(text: str, *, surname: bool = False) -> tuple[str, ...]:
    """Readings of every character; those of a surname as a surname."""
    if surname and text in SURNAME_READINGS:
        return (SURNAME_READINGS[text],)
    return tuple(sound_of(character) for character in text)


@lru_cache(maxsize=8192)
def merged(sound: str) -> str:
    """What is left of a syllable where the dialects' mergers are all made at once."""
    for pattern, instead in (*_INITIALS, *_FINALS):
        sound = pattern.sub(instead, sound)
    return sound


def merged_all(sounds: tuple[str, ...]) -> tuple[str, ...]:
    """``merged`` of every syllable."""
    return tuple(merged(sound) for sound in sounds)


def _all_syllables() -> frozenset[str]:
    readings = _pinyin().pinyin_dict.pinyin_dict
    common = [chr(code) for code in range(0x4E00, 0x9FA6) if code in readings]
    return frozenset(sound for sound in map(sound_of, common) if sound.isascii())


@lru_cache(maxsize=1)
def syllables() -> frozenset[str]:
    """Every syllable of Mandarin without tones."""
    return _all_syllables()


@lru_cache(maxsize=8192)
def split_pinyin(word: str) -> tuple[str, ...]:
    """The syllables of ``zhangwei``, longest first; empty where it is no pinyin."""
    if not word:
        return ()
    known = syllables()
    for length in range(min(6, len(word)), 0, -1):
        if word[:length] in known and (length > 1 or word[0] in "aeo"):
            if length == len(word):
                return (word,)
            rest = split_pinyin(word[length:])
            if rest:
                return (word[:length], *rest)
    return ()
