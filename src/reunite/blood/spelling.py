"""Blood types written out, for people; ``notation.parse_phenotype`` reads every one back."""

from typing import Final

from reunite.blood.antigens import ANTIGENS, DERIVED, FAMILIES, Status, label_of, order_of
from reunite.blood.names import PAIRED, UNLISTED
from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.kernel.languages import Language

_D: Final = {
    Language.EN: {
        RhD.NEGATIVE: "RhD-",
        RhD.POSITIVE: "RhD+",
        RhD.WEAK: "weak D",
        RhD.PARTIAL: "partial D",
        RhD.DEL: "DEL",
    },
    Language.ZH: {
        RhD.NEGATIVE: "Rh阴性",
        RhD.POSITIVE: "Rh阳性",
        RhD.WEAK: "弱D",
        RhD.PARTIAL: "部分D",
        RhD.DEL: "DEL型",
    },
}
# Null types that have a name of their own: the antigen that is lacking, and the name.
_NULL_NAMES: Final = {"Rh29": "Rhnull", "Ku": "K0"}
_P_NULL: Final = frozenset({"P", "P1", "Pk"})


def format_phenotype(phenotype: Phenotype, language: Language) -> str:
    """The type in a line: group, RhD, antigens in the order of the table, antibodies.

    Nothing that follows from what is written is repeated.  An empty string means that nothing
    is known.
    """
    words = [_group(phenotype, language)]
    positive, negative = set(phenotype.positive), set(phenotype.negative)
    rh_null = "Rh29" in negative
    if "Rh17" in negative and not rh_null and phenotype.d is RhD.POSITIVE:
        words.append("D--")
        negative -= {"Rh17", *FAMILIES["Rh17"]}
        positive.discard("Rh29")
    elif not rh_null:
        words.append(_D[language].get(phenotype.d, ""))
    words += _null_names(negative)
    _drop_implied(phenotype, positive, negative)
    words += _signed(positive, negative)
    words += _antibodies(phenotype.antibodies, language)
    return " ".join(word for word in words if word)


def _group(phenotype: Phenotype, language: Language) -> str:
    zh = language is Language.ZH
    if phenotype.h is HType.BOMBAY:
        return "孟买型(Oh)" if zh else "Bombay (Oh)"
    group = phenotype.subgroup or ("" if phenotype.abo is Abo.UNKNOWN else phenotype.abo.name)
    if group == "cisAB":
        group = "顺式AB" if zh else "cis-AB"
    if zh and group:
        group += "型"
    if phenotype.h is HType.PARA_BOMBAY:
        return f"{group} 类孟买".strip() if zh else f"{group} para-Bombay".strip()
    return group


def _null_names(negative: set[str]) -> list[str]:
    words = []
    for antigen, name in _NULL_NAMES.items():
        if antigen in negative:
            words.append(name)
            negative -= {antigen, *FAMILIES[antigen], *_members_of_members(antigen)}
    if negative >= _P_NULL:
        words.append("p")
        negative -= _P_NULL
    return words


def _members_of_members(antigen: str) -> set[str]:
    return {one for member in FAMILIES[antigen] for one in FAMILIES.get(member, ())}


def _drop_implied(phenotype: Phenotype, positive: set[str], negative: set[str]) -> None:
    """Leave out the family antigens that the members or the RhD result tell already."""
    for parent, members in FAMILIES.items():
        carried = positive.intersection(members) or (
            "D" in members and phenotype.status("D") is Status.POSITIVE
        )
        if carried:
            positive.discard(parent)
        if parent in {"Fy3", "Jk3", "Lu3"} and negative.issuperset(members):
            negative.discard(parent)
    # Rh29 follows from Rh17, which may just have been left out.
    if "Rh29" in positive and ("Rh17" in positive or any(m in positive for m in FAMILIES["Rh17"])):
        positive.discard("Rh29")


def _signed(positive: set[str], negative: set[str]) -> list[str]:
    words: list[str] = []
    open_stem = ""
    for name in sorted(positive | negative, key=order_of):
        sign = "+" if name in positive else "-"
        stem, letter = name[:-1], name[-1]
        if stem in PAIRED and letter in "ab":
            if stem == open_stem:
                words[-1] = f"{words[-1][:-1]}{letter}{sign})"
            else:
                words.append(f"{stem}({letter}{sign})")
            open_stem = stem
            continue
        open_stem = ""
        written = _written(name)
        bracketed = written.endswith(")") and not written.startswith("other:")
        words.append(f"{written[:-1]}{sign})" if bracketed else f"{written}{sign}")
    return words


def _written(name: str) -> str:
    known = name in ANTIGENS or name in UNLISTED or name in DERIVED
    return label_of(name) if known else f"other:{name}"


def _antibodies(antibodies: frozenset[str], language: Language) -> list[str]:
    prefix = "抗-" if language is Language.ZH else "anti-"
    return [prefix + _written(name) for name in sorted(antibodies, key=order_of)]


_WIENER_NAMES: Final = {
    # D, C, c, E, e: the commonest genes that show these.
    "++--+": "R1R1",
    "+++-+": "R1r",
    "+++++": "R1R2",
    "+-++-": "R2R2",
    "+-+++": "R2r",
    "+-+-+": "R0r",
    "++-++": "R1Rz",
    "++++-": "R2Rz",
    "++-+-": "RzRz",
    "--+-+": "rr",
    "-++-+": "r'r",
    "--+++": 'r"r',
    "-+--+": "r'r'",
    "--++-": 'r"r"',
}


def wiener_name(phenotype: Phenotype) -> str | None:
    """Wiener's shorthand of the likeliest genes, e.g. R1r; None unless all five are known."""
    signs = ""
    for name in ("D", "C", "c", "E", "e"):
        status = phenotype.status(name)
        if status is Status.UNKNOWN:
            return None
        signs += "+" if status is Status.POSITIVE else "-"
    return _WIENER_NAMES.get(signs)
