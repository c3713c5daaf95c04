"""How far two names may be one person's, from the same characters down to another name."""

from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from reunite.partners.linkage.frequencies import Frequencies
from reunite.partners.linkage.names import Name, NameKind
from reunite.partners.linkage.weights import bits, weights

ALIKE = 82.0  # of 100, similarity of the sounds of one part of a minority or foreign name
# Shares of strangers: one common character among the usual three, and a part of a name in common.
U_CHARACTER = {"exact": 0.025, "sound": 0.04, "merged": 0.06}
U_ONE_CHARACTER = 0.03
U_PARTS = {1: 0.02, 2: 0.003}


@dataclass(frozen=True, slots=True)
class NameAgreement:
    """``level`` is a code that the interface puts into words."""

    level: str
    bits: float


UNKNOWN = NameAgreement("unknown", 0.0)


def compare_names(
    missing: tuple[Name, ...], found: tuple[Name, ...], frequencies: Frequencies
) -> NameAgreement:
    """The best agreement between any two names; ``UNKNOWN`` where a side has none."""
    best: NameAgreement | None = None
    for a in missing:
        for b in found:
            agreement = _compare(a, b, frequencies)
            if best is None or agreement.bits > best.bits:
                best = agreement
    return best or UNKNOWN


def _compare(a: Name, b: Name, frequencies: Frequencies) -> NameAgreement:
    kinds = {a.kind, b.kind}
    if NameKind.NONE in kinds:
        return UNKNOWN
    if kinds <= {NameKind.PARTS, NameKind.LATIN} and len(kinds) == 1:
        return _parts(a, b)
    if NameKind.LATIN in kinds:
        return UNKNOWN
    if NameKind.PARTS in kinds:
        return _parts(a, b)
    if NameKind.CALLED in kinds:
        return _called(a, b) if a.kind is NameKind.CALLED else _called(b, a)
    if NameKind.SURNAME in kinds:
        return _surname(a, b, frequencies)
    if NameKind.GIVEN in kinds:
        return _given(a, b, frequencies)
    return _full(a, b, frequencies)


def _full(a: Name, b: Name, frequencies: Frequencies) -> NameAgreement:
    m = weights()["names"]["full"]
    spelled = not (a.is_sound_only or b.is_sound_only)
    if spelled and a.surname == b.surname and a.given == b.given:
        u = frequencies.surname(a) * frequencies.given(a)
        return NameAgreement("exact", bits(m["exact"], u))
    if a.surname_sounds == b.surname_sounds and a.given_sounds == b.given_sounds:
        u = frequencies.surname_sound(a) * frequencies.given_sound(a)
        return NameAgreement("same_sound", bits(m["same_sound"], u))
    same_surname = a.surname_merged == b.surname_merged
    if same_surname and a.given_merged == b.given_merged:
        u = frequencies.surname_merged(a) * frequencies.given_merged(a)
        return NameAgreement("merged_sound", bits(m["merged_sound"], u))
    if a.given_merged and a.given_merged == b.given_merged:
        return NameAgreement("given_only", bits(m["given_only"], frequencies.given_merged(a)))
    if same_surname:
        u = frequencies.surname_merged(a)
        # A sibling shares one character of the given name more often than a clerk errs in one.
        if len(a.given_merged) == len(b.given_merged) == 2 and any(  # noqa: PLR2004
            x == y for x, y in zip(a.given_merged, b.given_merged, strict=True)
        ):
            return NameAgreement("one_character", bits(m["one_character"], u * U_ONE_CHARACTER))
        return NameAgreement("surname_only", min(0.0, bits(m["surname_only"], u)))
    return NameAgreement("different", bits(m["different"], 1.0))


def _partial(level: str, u: float) -> NameAgreement:
    return NameAgreement(level, bits(weights()["names"]["partial"]["agrees"], u))


def _differs() -> NameAgreement:
    return NameAgreement("different", bits(weights()["names"]["partial"]["differs"], 1.0))


def _surname(a: Name, b: Name, frequencies: Frequencies) -> NameAgreement:
    if not (a.surname_merged and b.surname_merged):
        return UNKNOWN
    if a.surname and a.surname == b.surname:
        return _partial("surname", frequencies.surname(a))
    if a.surname_merged == b.surname_merged:
        return _partial("surname", frequencies.surname_merged(a))
    return _differs()


def _given(a: Name, b: Name, frequencies: Frequencies) -> NameAgreement:
    if a.given and a.given == b.given:
        return _partial("given_only", frequencies.given(a))
    if a.given_sounds == b.given_sounds:
        return _partial("given_only", frequencies.given_sound(a))
    if a.given_merged == b.given_merged:
        return _partial("given_only", frequencies.given_merged(a))
    return _differs()


def _called(called: Name, other: Name) -> NameAgreement:
    letters = other.surname + other.given
    if called.given in letters:
        return _partial("called", U_CHARACTER["exact"])
    if called.given_sounds[0] in (*other.surname_sounds, *other.given_sounds):
        return _partial("called", U_CHARACTER["sound"])
    if called.given_merged[0] in (*other.surname_merged, *other.given_merged):
        return _partial("called", U_CHARACTER["merged"])
    return _differs()


def _parts(a: Name, b: Name) -> NameAgreement:
    """Each part of the shorter name finds its like, in any order, or both sound alike as one."""
    whole = ["".join((*name.surname_merged, *name.given_merged)) for name in (a, b)]
    if ratio(whole[0], whole[1]) >= ALIKE:
        return _partial("parts", U_PARTS[2])
    short, long = sorted((a.given_merged, b.given_merged), key=len)
    if (
        a.kind is b.kind
        and short
        and all(any(ratio(part, other) >= ALIKE for other in long) for part in short)
    ):
        return _partial("parts", U_PARTS[min(2, len(short))])
    return _differs()
