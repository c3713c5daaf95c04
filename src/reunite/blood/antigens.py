"""Blood group systems and antigens that Reunite knows by name.

Names follow the usage of the ISBT working party on red cell immunogenetics; only what is
needed to choose donors is kept here.  An antigen that is missing may still be used by its
name: see ``phenotype.Phenotype``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Whether red cells carry an antigen.  ``UNKNOWN`` never counts as negative."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


class Weight(StrEnum):
    """What an antibody against the antigen asks of the donor."""

    SIGNIFICANT = "significant"  # donors proven negative
    LOW_PREVALENCE = "low_prevalence"  # nearly every donor is negative: crossmatch
    COLD = "cold"  # rarely reacts at body temperature: crossmatch


@dataclass(frozen=True, slots=True)
class Antigen:
    """One antigen.  ``bit`` is its place in the packed masks of ``matching``."""

    name: str  # as written in code and files: Jka
    label: str  # as a laboratory writes it: Jk(a)
    system: str  # symbol of the system: JK
    bit: int
    weight: Weight


# system: (name, label, weight); the order within the table never changes, for masks are stored.
_TABLE: Final = (
    ("ABO", "A", "A", "significant"),
    ("ABO", "B", "B", "significant"),
    ("H", "H", "H", "significant"),
    ("ABO", "A1", "A1", "cold"),
    ("RH", "D", "D", "significant"),
    ("RH", "C", "C", "significant"),
    ("RH", "E", "E", "significant"),
    ("RH", "c", "c", "significant"),
    ("RH", "e", "e", "significant"),
    ("RH", "Cw", "Cw", "low_prevalence"),
    ("RH", "Rh17", "Rh17", "significant"),
    ("RH", "Rh29", "Rh29", "significant"),
    ("KEL", "K", "K", "significant"),
    ("KEL", "k", "k", "significant"),
    ("KEL", "Kpa", "Kp(a)", "low_prevalence"),
    ("KEL", "Kpb", "Kp(b)", "significant"),
    ("KEL", "Jsa", "Js(a)", "significant"),
    ("KEL", "Jsb", "Js(b)", "significant"),
    ("KEL", "Ku", "Ku", "significant"),
    ("FY", "Fya", "Fy(a)", "significant"),
    ("FY", "Fyb", "Fy(b)", "significant"),
    ("FY", "Fy3", "Fy3", "significant"),
    ("JK", "Jka", "Jk(a)", "significant"),
    ("JK", "Jkb", "Jk(b)", "significant"),
    ("JK", "Jk3", "Jk3", "significant"),
    ("MNS", "M", "M", "cold"),
    ("MNS", "N", "N", "cold"),
    ("MNS", "S", "S", "significant"),
    ("MNS", "s", "s", "significant"),
    ("MNS", "U", "U", "significant"),
    # Common in East and South-East Asia, hence not left to the crossmatch.
    ("MNS", "Mia", "Mi(a)", "significant"),
    ("MNS", "Mur", "Mur", "significant"),
    ("DI", "Dia", "Di(a)", "significant"),
    ("DI", "Dib", "Di(b)", "significant"),
    ("DI", "Wra", "Wr(a)", "low_prevalence"),
    ("LU", "Lua", "Lu(a)", "low_prevalence"),
    ("LU", "Lub", "Lu(b)", "significant"),
    ("LU", "Lu3", "Lu3", "significant"),
    ("P1PK", "P1", "P1", "cold"),
    ("P1PK", "Pk", "Pk", "significant"),
    ("GLOB", "P", "P", "significant"),
    ("LE", "Lea", "Le(a)", "cold"),
    ("LE", "Leb", "Le(b)", "cold"),
    ("I", "I", "I", "cold"),
    ("CO", "Coa", "Co(a)", "significant"),
    ("CO", "Cob", "Co(b)", "significant"),
    ("DO", "Doa", "Do(a)", "significant"),
    ("DO", "Dob", "Do(b)", "significant"),
    ("YT", "Yta", "Yt(a)", "significant"),
    ("YT", "Ytb", "Yt(b)", "significant"),
    ("XG", "Xga", "Xg(a)", "cold"),
    ("VEL", "Vel", "Vel", "significant"),
    ("JR", "Jra", "Jr(a)", "significant"),
    ("LAN", "Lan", "Lan", "significant"),
    ("IN", "Inb", "In(b)", "significant"),
)

ANTIGENS: Final[dict[str, Antigen]] = {
    name: Antigen(name, label, system, bit, Weight(weight))
    for bit, (system, name, label, weight) in enumerate(_TABLE)
}

# Known from the ABO group, the H status and the RhD result; never given one by one.
DERIVED: Final = frozenset({"A", "B", "H", "A1", "D"})

# An antigen that the whole family of a gene shares: whoever carries a member carries it, and
# whoever lacks it lacks every member.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "Rh29": ("D", "C", "E", "c", "e", "Cw", "Rh17"),
    "Rh17": ("C", "E", "c", "e", "Cw"),
    "Ku": ("K", "k", "Kpa", "Kpb", "Jsa", "Jsb"),
    "Fy3": ("Fya", "Fyb"),
    "Jk3": ("Jka", "Jkb"),
    "U": ("S", "s"),
    "Lu3": ("Lua", "Lub"),
}
# Lacking both members proves the null type.  Not so for S-s-, which may be U variant, and not
# for K-k-, where Ku has to be tested.
NULL_WHEN_ALL_LACKING: Final = frozenset({"Fy3", "Jk3", "Lu3"})


def weight_of(name: str) -> Weight:
    """What an antibody of this name asks of a donor; an unlisted one is taken seriously."""
    antigen = ANTIGENS.get(name)
    return antigen.weight if antigen else Weight.SIGNIFICANT


def label_of(name: str) -> str:
    """The antigen as a laboratory writes it."""
    antigen = ANTIGENS.get(name)
    return antigen.label if antigen else name


def order_of(name: str) -> tuple[int, str]:
    """Sorts antigens as in the table, unlisted ones last."""
    antigen = ANTIGENS.get(name)
    return (antigen.bit if antigen else len(ANTIGENS), name)
