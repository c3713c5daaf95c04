"""What a written name says: surname, given name, or only what somebody is called.

Names reach us as a family writes them and as a clerk hears them: in other characters of the
same sound, in a dialect's sounds, in traditional characters, as 小王 or 阿珍, in several parts
(买买提·吐尔逊), in pinyin.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from reunite.partners.linkage.sounds import HAN, merged_all, simplified, sounds_of, split_pinyin
from reunite.partners.linkage.surnames import COMPOUND_SURNAMES, SURNAMES

NO_NAME = re.compile(
    r"^(不详|不明|未知|无|无名|无名氏|无名(男|女)?|不知道|不会说|说不清|暂无|佚名|待查|男|女|"
    r"unknown|n/?a|"
    r"none|no name|-+|\?+|？+)$",
    re.IGNORECASE,
)
# Forms of address that follow a surname.
TITLES = re.compile(
    r"(某某|某|姓|氏|大爷|大妈|大娘|大叔|大婶|大伯|奶奶|爷爷|婆婆|公公|老太太|老太|老头|老汉|老人|阿姨|"
    r"叔叔|先生|女士|小姐|师傅|老师|同志|老)$"
)
CALLED = "小阿老大"
DOTS = re.compile(r"[·•‧・･∙⋅.]")
ASIDE = re.compile(r"[(（\[【].*?[)）\]】]")
LONGEST_HAN_NAME = 4  # of a surname and a given name; longer ones are minority or foreign names
# Short forms of English given names; common knowledge, the most frequent ones only.
ENGLISH_SHORT = {
    "bob": "robert", "rob": "robert", "bill": "william", "will": "william", "dick": "richard",
    "rick": "richard", "jim": "james", "jack": "john", "johnny": "john", "mike": "michael",
    "tom": "thomas", "tony": "anthony", "dave": "david", "steve": "steven", "joe": "joseph",
    "liz": "elizabeth", "beth": "elizabeth", "betty": "elizabeth", "kate": "katherine",
    "kathy": "katherine", "cathy": "katherine", "peggy": "margaret", "maggie": "margaret",
    "sue": "susan", "sally": "sarah", "molly": "mary", "polly": "mary", "nancy": "ann",
    "anne": "ann", "anna": "ann", "ted": "edward", "ed": "edward", "harry": "henry",
    "charlie": "charles", "chuck": "charles", "sam": "samuel", "dan": "daniel", "ben": "benjamin",
    "alex": "alexander", "andy": "andrew", "pat": "patricia", "jenny": "jennifer",
}  # fmt: skip


class NameKind(StrEnum):
    """How much of a name is there."""

    NONE = "none"
    FULL = "full"
    SURNAME = "surname"  # 王大爷, 李某
    CALLED = "called"  # 阿珍, 小王, 明明: one character, of whichever part
    GIVEN = "given"
    PARTS = "parts"  # several parts in Chinese characters
    LATIN = "latin"  # letters that are no pinyin


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it can be compared."""

    kind: NameKind
    surname: str = ""  # simplified; empty where only the sound is known
    given: str = ""  # simplified; of ``CALLED`` its one character
    surname_sounds: tuple[str, ...] = ()
    given_sounds: tuple[str, ...] = ()
    surname_merged: tuple[str, ...] = ()
    given_merged: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # of PARTS and LATIN
    is_sound_only: bool = False  # written in pinyin


NOBODY = Name(NameKind.NONE)


@lru_cache(maxsize=262144)
def read_name(text: str) -> Name:
    """What a name field says.  Hits: 欧阳·… is a surname, 王大爷 only one, Zhang Wei is pinyin."""
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = ASIDE.sub("", plain).strip(" 　,，;；:：'\"")
    if not plain or NO_NAME.match(plain):
        return NOBODY
    if not HAN.search(plain):
        return _latin(plain)
    plain = simplified(plain)
    pieces = [piece for piece in re.split(rf"{DOTS.pattern}|\s", plain) if piece]
    if DOTS.search(plain) and len(pieces) > 1:
        return _parts(tuple(pieces))
    plain = "".join(HAN.findall(plain))
    return _called(plain) or _titled(plain) or _ordinary(plain, tuple(pieces))


def _name(kind: NameKind, surname: str, given: str) -> Name:
    surname_sounds = sounds_of(surname, surname=True)
    given_sounds = sounds_of(given)
    return Name(
        kind,
        surname,
        given,
        surname_sounds,
        given_sounds,
        merged_all(surname_sounds),
        merged_all(given_sounds),
    )


def _called(plain: str) -> Name | None:
    """阿珍, 小王, 老李, 明明."""
    if len(plain) != 2:  # noqa: PLR2004
        return None
    if plain[0] == plain[1]:
        return _name(NameKind.CALLED, "", plain[1])
    if plain[0] == "老" and plain[1] in SURNAMES:
        return _name(NameKind.SURNAME, plain[1], "")
    if plain[0] in CALLED:
        return _name(NameKind.CALLED, "", plain[1])
    return None


def _titled(plain: str) -> Name | None:
    """王大爷, 李某某."""
    rest = TITLES.sub("", plain)
    if rest != plain and (rest in SURNAMES or rest in COMPOUND_SURNAMES):
        return _name(NameKind.SURNAME, rest, "")
    return _name(NameKind.SURNAME, plain, "") if len(plain) == 1 else None


def _ordinary(plain: str, pieces: tuple[str, ...]) -> Name:
    if len(plain) > LONGEST_HAN_NAME:
        return _parts(pieces)
    if plain[:2] in COMPOUND_SURNAMES and len(plain) > 2:  # noqa: PLR2004
        return _name(NameKind.FULL, plain[:2], plain[2:])
    if len(plain) == LONGEST_HAN_NAME:
        # Either two surnames (a wife's before her own) or a name of another people.
        if plain[0] in SURNAMES and plain[1] in SURNAMES:
            return _name(NameKind.FULL, plain[0], plain[2:])
        return _parts(pieces)
    if len(plain) == 2 and plain[0] not in SURNAMES:  # noqa: PLR2004
        return _name(NameKind.GIVEN, "", plain)
    return _name(NameKind.FULL, plain[0], plain[1:])


def _parts(pieces: tuple[str, ...]) -> Name:
    sounds = tuple("".join(sounds_of(piece)) for piece in pieces)
    joined = tuple("".join(merged_all(sounds_of(piece))) for piece in pieces)
    return Name(NameKind.PARTS, "", "", (), sounds, (), joined, pieces)


def _latin(plain: str) -> Name:
    words = tuple(re.findall(r"[a-zü]+", plain.lower().replace("'", "").replace("v", "ü")))
    words = tuple(word.replace("ü", "v") for word in words)
    split = tuple(split_pinyin(word) for word in words)
    sounds = tuple(syllable for syllables in split for syllable in syllables)
    if words and all(split) and 1 < len(sounds) <= LONGEST_HAN_NAME:
        # "Wei Zhang": the surname is the word that is one, where only one of them is.
        if len(words) == 2 and len(split[1]) == 1 and len(split[0]) > 1:  # noqa: PLR2004
            sounds = (*split[1], *split[0])
        first, rest = sounds[:1], sounds[1:]
        return Name(
            NameKind.FULL, "", "", first, rest, merged_all(first), merged_all(rest),
            is_sound_only=True,
        )  # fmt: skip
    long = tuple(sorted(ENGLISH_SHORT.get(word, word) for word in words))
    return Name(NameKind.LATIN, "", "", (), long, (), long, long) if long else NOBODY
