"""Blood types as people write them, read into a ``Phenotype``.

Reads "O Rh-", "孟买型", "A₂B", "Jk(a-b-)", "R1R1", "CCDee", "KEL:-1,2", "熊猫血 抗-E" and
mixtures of them.  At every place the longest token wins.  What cannot be read is named in the
error together with what may have been meant; nothing is ever skipped or guessed.

``spelling`` writes types back.  Wiener's shorthand and Fisher and Race's letters are read as
the antigens that they show, not as genes: R1r is D+ C+ c+ E- e+.
"""

import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from reunite.blood.antigens import DERIVED, FAMILIES
from reunite.blood.declaration import Declaration
from reunite.blood.names import (
    ANTIBODY_SPELLINGS,
    EXAMPLES,
    ISBT_SYSTEMS,
    JOINT_ANTIBODIES,
    PAIRED,
    SPELLINGS,
    SYSTEM_NAMES,
    by_number,
)
from reunite.blood.phenotype import SUBGROUPS, Abo, HType, Phenotype, RhD
from reunite.kernel.errors import InvalidInputError

_MAX_PART = 40  # characters of what cannot be read that the error repeats
MAX_LENGTH = 500  # characters; a complete typing with every antibody has about 300


_SIGN: Final = (
    r"\s*(?P<sign>\(\s*[+-]\s*\)|[+-]|阳性?|阴性?|pos(?:itive)?(?![a-z])|neg(?:ative)?(?![a-z]))"
)
_END: Final = r"(?![A-Za-z0-9])"
_RH_MAY_FOLLOW: Final = r"(?=$|[^A-Za-z0-9]|[Rr][Hh])"
_TYPE: Final = r"(?:\s*(?:血型|亚型|型|血|group|type|phenotype|blood group|blood type))?"


def _negative(sign: str) -> bool:
    return sign.strip("() ").startswith(("-", "阴", "neg"))


def _any_of(spellings: dict[str, str] | tuple[str, ...]) -> str:
    return "|".join(re.escape(one) for one in sorted(spellings, key=len, reverse=True))


def _group(match: re.Match[str], facts: Declaration) -> None:
    written = match["group"]
    canonical = {s.lower(): s for s in SUBGROUPS}.get(written.replace("-", "").lower())
    if canonical:
        facts.set_group(SUBGROUPS[canonical], canonical)
    else:
        letters = written.upper().replace("0", "O").replace("顺式", "")
        facts.set_group(Abo[letters])
    if match["sign"]:
        facts.set_d(RhD.NEGATIVE if _negative(match["sign"]) else RhD.POSITIVE)


def _cis_ab(_: re.Match[str], facts: Declaration) -> None:
    facts.set_group(Abo.AB, "cisAB")


def _para_bombay(match: re.Match[str], facts: Declaration) -> None:
    facts.set_h(HType.PARA_BOMBAY)
    if match["group"]:
        facts.set_group(Abo[match["group"]])


def _bombay(_: re.Match[str], facts: Declaration) -> None:
    facts.set_h(HType.BOMBAY)


def _rh(match: re.Match[str], facts: Declaration) -> None:
    facts.set_d(RhD.NEGATIVE if _negative(match["sign"]) else RhD.POSITIVE)


def _panda(_: re.Match[str], facts: Declaration) -> None:
    facts.set_d(RhD.NEGATIVE)


def _variant(d: RhD) -> "_Handler":
    def handle(match: re.Match[str], facts: Declaration) -> None:
        # "Weak D negative": the variant was looked for and not found.
        tested_negative = match["sign"] and _negative(match["sign"])
        facts.set_d(RhD.NEGATIVE if tested_negative else d)

    return handle


def _letters(match: re.Match[str], facts: Declaration) -> None:
    """Fisher and Race: CCDee, or the genes CDe/cde; a letter shows an antigen."""
    written = match[0]
    for upper, lower in (("C", "c"), ("E", "e")):
        for letter in (upper, lower):
            facts.set_antigen(letter, carried=letter in written)
    if "D" in written or "d" in written:
        facts.set_antigen("D", carried="D" in written)


_WIENER: Final = {
    "R0": "Dce",
    "Ro": "Dce",
    "R1": "DCe",
    "R2": "DcE",
    "Rz": "DCE",
    "RZ": "DCE",
    "r''": "dcE",
    'r"': "dcE",
    "r'": "dCe",
    "ry": "dCE",
    "r": "dce",
}


def _wiener(match: re.Match[str], facts: Declaration) -> None:
    genes = _WIENER[match["first"]] + _WIENER[match["second"]]
    for name in ("C", "c", "D", "E", "e"):
        facts.set_antigen(name, carried=name in genes)


def _genes_of(pair_of_genes: str) -> "_Handler":
    """KK, Kk and kk; MM, MN and NN; SS, Ss and ss."""
    pair = tuple(pair_of_genes)

    def handle(match: re.Match[str], facts: Declaration) -> None:
        for name in pair:
            facts.set_antigen(name, carried=name in match[0])

    return handle


def _lacking(*names: str) -> "_Handler":
    def handle(_: re.Match[str], facts: Declaration) -> None:
        facts.negative.update(names)

    return handle


def _d_only(_: re.Match[str], facts: Declaration) -> None:
    facts.set_d(RhD.POSITIVE)
    facts.negative.update({"Rh17", *FAMILIES["Rh17"]})


def _gp_mur(match: re.Match[str], facts: Declaration) -> None:
    if match["sign"] and _negative(match["sign"]):
        facts.negative.add("Mur")
    else:
        facts.positive.update({"Mia", "Mur"})


def _pair(match: re.Match[str], facts: Declaration) -> None:
    prefix = match["prefix"].lower()
    stem = SYSTEM_NAMES.get(prefix, prefix.capitalize())
    for letter, sign in re.findall(r"([ab])\)?\s*([+-]|阳性?|阴性?)", match["parts"]):
        facts.set_antigen(stem + letter, carried=not _negative(sign))


def _antigen(match: re.Match[str], facts: Declaration) -> None:
    facts.set_antigen(SPELLINGS[match["name"]], carried=not _negative(match["sign"]))


def _bracketed(match: re.Match[str], facts: Declaration) -> None:
    """Xg(a-), LW(a+): the sign within the brackets."""
    name = SPELLINGS.get(f"{match['stem']}({match['letter']})")
    if name is None:
        raise _unreadable(match[0])
    facts.set_antigen(name, carried=not _negative(match["sign"]))


def _free_name(match: re.Match[str]) -> str:
    """An antigen that nobody listed; a listed one goes by its name, and A and B by the group."""
    if match["name"] in DERIVED:
        raise _unreadable(match[0])
    return SPELLINGS.get(match["name"], match["name"])


def _other(match: re.Match[str], facts: Declaration) -> None:
    facts.set_antigen(_free_name(match), carried=not _negative(match["sign"]))


def _numbers(match: re.Match[str], facts: Declaration) -> None:
    for number in match["numbers"].replace(" ", "").split(","):
        name = by_number(match["system"], number.lstrip("-"))
        if name is None:
            raise _unreadable(f"{match['system']}:{number}")
        facts.set_antigen(name, carried=not number.startswith("-"))


def _antibody(match: re.Match[str], facts: Declaration) -> None:
    for written in re.split(r"\s*\+\s*-?\s*", match["names"]):
        if written in JOINT_ANTIBODIES:
            facts.antibodies.update(JOINT_ANTIBODIES[written])
        else:
            facts.antibodies.add(ANTIBODY_SPELLINGS[written])


def _other_antibody(match: re.Match[str], facts: Declaration) -> None:
    facts.antibodies.add(_free_name(match))


def _nothing(_: re.Match[str], __: Declaration) -> None:
    """Said in so many words, and no fact about the type."""


_Handler = Callable[[re.Match[str], Declaration], None]

_GROUPS: Final = _any_of(tuple({*SUBGROUPS, "AB", "A", "B", "O", "0"} - {"cisAB"}))
_PAIRED: Final = "|".join((*PAIRED, *SYSTEM_NAMES))
_BRACKETED: Final = tuple({name[:-3] for name in SPELLINGS if name.endswith(("(a)", "(b)"))})
_PART: Final = r"\(?[ab]\)?\s*(?:[+-]|阳性?|阴性?)"
_ANTIBODY: Final = f"(?:{_any_of(ANTIBODY_SPELLINGS | dict.fromkeys(JOINT_ANTIBODIES, ''))})"
_GENE: Final = r"(?:[Dd][Cc][Ee]|[Cc][Dd][Ee])"
_HAPLOTYPE: Final = _any_of(tuple(_WIENER))
# As it was given, capital or small.
_FREE: Final = r"(?P<name>H[PL]A-[A-Za-z0-9]{1,9}|[A-Za-z][A-Za-z0-9.()]{0,19})"

_TOKENS: Final[tuple[tuple[re.Pattern[str], _Handler], ...]] = tuple(
    (re.compile(pattern), handler)
    for pattern, handler in (
        # Small letters only at the very beginning: "Jk(a-) b-" is no group B.
        (rf"(?P<group>{_GROUPS}|\A(?:ab|[abo])){_RH_MAY_FOLLOW}{_TYPE}(?:{_SIGN})?", _group),
        (rf"(?:(?i:cis)-?\s?AB|顺式AB){_RH_MAY_FOLLOW}{_TYPE}", _cis_ab),
        (
            (
                rf"(?:(?i:para-?\s?bombay)(?:\s(?=(?:AB|A|B|O){_RH_MAY_FOLLOW}))?|[类副拟]孟买)"
                rf"(?P<group>(?:AB|A|B|O){_RH_MAY_FOLLOW})?{_TYPE}"
            ),
            _para_bombay,
        ),
        (rf"(?P<group>AB|A|B)h{_RH_MAY_FOLLOW}{_TYPE}", _para_bombay),
        (
            (
                rf"(?:(?i:bombay)|孟买|Oh{_RH_MAY_FOLLOW}|hh{_RH_MAY_FOLLOW}){_TYPE}"
                r"(?:\s*\(\s*(?:Oh|hh)\s*\))?"
            ),
            _bombay,
        ),
        (rf"(?i:rh)o?\s*(?:因子)?\s*(?:\(\s*D\s*\)|-?\s?D)?{_SIGN}", _rh),
        (rf"D\s?{_SIGN}", _rh),
        (r"熊猫血|(?i:panda blood)", _panda),
        (
            rf"(?:弱D|D弱|(?i:weak)\s*D|D\s?(?i:weak)|Du){_END}{_TYPE}(?:{_SIGN})?",
            _variant(RhD.WEAK),
        ),
        (rf"(?:部分D|不完全D|(?i:partial)\s*D){_END}{_TYPE}(?:{_SIGN})?", _variant(RhD.PARTIAL)),
        (rf"(?:DEL|Del|D-?el|放散型D?){_END}{_TYPE}(?:{_SIGN})?", _variant(RhD.DEL)),
        (rf"[Dd]{{0,2}}(?:CC|Cc|cC|cc)[Dd]{{0,2}}(?:EE|Ee|eE|ee)(?:DD|Dd|dd)?{_END}", _letters),
        (rf"{_GENE}\s*/\s*{_GENE}{_END}", _letters),
        (rf"(?P<first>{_HAPLOTYPE})\s*/?\s*(?P<second>{_HAPLOTYPE}){_END}", _wiener),
        (r"-?D--(?:\s*/\s*-?D--)?|-D-(?:\s*/\s*-D-)?", _d_only),
        (rf"(?i:rh)[ -]?(?:(?i:null)|缺失){_TYPE}|黄金血|(?i:golden blood)", _lacking("Rh29")),
        (rf"K[0o]{_END}|(?i:kell)[ -]?(?i:null){_END}", _lacking("Ku")),
        (rf"(?:Jk|JK|jk)[ -]?(?i:null){_END}", _lacking("Jk3")),
        (rf"(?:Fy|FY|fy)[ -]?(?i:null){_END}", _lacking("Fy3")),
        (rf"(?:Lu|LU|lu)[ -]?(?i:null){_END}", _lacking("Lu3")),
        (rf"p{_END}(?!\s?[+-]){_TYPE}|PP1Pk\s?-|Tj\(a-\)", _lacking("P", "P1", "Pk")),
        (rf"KK{_END}|Kk{_END}|kk{_END}", _genes_of("Kk")),
        (r"(?:MM|MN|NN)(?=$|[^A-Za-z0-9]|[Ss][Ss])", _genes_of("MN")),
        (rf"(?:SS|Ss|ss){_END}", _genes_of("Ss")),
        (rf"(?:GP\.?\s?Mur|(?i:mi)\.?\s?III){_TYPE}(?:{_SIGN})?", _gp_mur),
        (
            rf"(?P<prefix>(?i:{_PAIRED}))\s*(?P<parts>\(?\s*{_PART}(?:\s*,?\s*{_PART})*\s*\)?)",
            _pair,
        ),
        (rf"(?P<name>{_any_of(SPELLINGS)}){_SIGN}", _antigen),
        (rf"(?P<stem>{_any_of(_BRACKETED)})\s?\((?P<letter>[ab])\s*(?P<sign>[+-])\)", _bracketed),
        (
            rf"(?P<system>{'|'.join(ISBT_SYSTEMS)})\s*:\s*(?P<numbers>-?\d+(?:\s*,\s*-?\d+)*)",
            _numbers,
        ),
        (
            (
                rf"(?:(?i:anti)|抗)\s*-?\s*(?P<names>{_ANTIBODY}(?:\s*\+\s*-?\s*{_ANTIBODY})*)"
                r"(?![A-Za-z0-9(])(?:\s*抗体)?"
            ),
            _antibody,
        ),
        (rf"(?:(?i:other)|其他)\s*:\s*{_FREE}(?P<sign>[+-])", _other),
        (rf"(?:(?i:anti)|抗)\s*-?\s*(?:other|其他)\s*:\s*{_FREE}", _other_antibody),
        (
            r"无(?:意外)?抗体|抗体筛查?阴性|(?i:no antibodies|antibody screen neg(?:ative)?)",
            _nothing,
        ),
    )
)
_BETWEEN: Final = re.compile(r"(?:[\s,;.、。/&|()]|和|及|(?i:and\b|with\b)|伴|血型[::]?)+")
_WORD: Final = re.compile(r"[^\s,;、。]+")


def parse_phenotype(text: str) -> Phenotype:
    """The blood type that ``text`` says.

    Raises InvalidInputError: ``required`` when nothing is said, ``blood_notation_unreadable``
    with the ``part`` at fault, ``blood_notation_misspelt`` with a ``suggestion`` as well, and
    what ``Phenotype`` raises for types that cannot be.
    """
    written = _normalised(text)
    if len(written) > MAX_LENGTH:
        raise InvalidInputError("text_too_long", field="phenotype", maximum=MAX_LENGTH)
    facts, at = Declaration(), _after_separators(written, 0)
    if at == len(written):
        raise InvalidInputError("required", field="phenotype")
    while at < len(written):
        best, handler = _longest(written, at)
        if best is None:
            word = _WORD.match(written, at)
            raise _unreadable(word[0] if word else written[at])
        handler(best, facts)
        at = _after_separators(written, best.end())
    return facts.phenotype()


def _normalised(text: str) -> str:
    """One way of writing digits, brackets, signs and primes: A₂B, Jk（a−b−）, r′."""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"[‐‑‒–—―−]", "-", plain)
    plain = re.sub(r"[’‘′´`]", "'", plain)
    return re.sub(r"[“”″]", '"', plain).strip()


def _after_separators(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _longest(text: str, at: int) -> tuple[re.Match[str] | None, _Handler]:
    best: re.Match[str] | None = None
    chosen: _Handler = _nothing
    for pattern, handler in _TOKENS:
        match = pattern.match(text, at)
        if match and (best is None or match.end() > best.end()):
            best, chosen = match, handler
    return best, chosen


def _unreadable(part: str) -> InvalidInputError:
    part = part[:_MAX_PART]
    meant = _suggestion(part.lower())
    if not meant:
        return InvalidInputError("blood_notation_unreadable", field="phenotype", part=part)
    return InvalidInputError(
        "blood_notation_misspelt", field="phenotype", part=part, suggestion=meant
    )


@lru_cache(maxsize=4096)  # a file of donors makes the same mistake ten thousand times
def _suggestion(small: str) -> str:
    """What may have been meant; "" where nothing is near."""
    by_small = {example.lower(): example for example in EXAMPLES}
    # Of one or two characters anything is a neighbour.
    close = get_close_matches(small, by_small, n=1, cutoff=0.6) if small[2:] else []
    return by_small[close[0]] if close else ""
