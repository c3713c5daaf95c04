"""How antigens are spelt: by laboratories, by number, and by those who only know a nickname.

Numbers are those of the ISBT working party on red cell immunogenetics and blood group
terminology (tables of blood group antigens within systems).
"""

from typing import Final

from reunite.blood.antigens import ANTIGENS, DERIVED, label_of

# system: number of each antigen within it.
_NUMBERS: Final[dict[str, dict[str, str]]] = {
    "MNS": {"1": "M", "2": "N", "3": "S", "4": "s", "5": "U", "7": "Mia", "10": "Mur"},
    "P1PK": {"1": "P1", "3": "Pk"},
    "RH": {
        "1": "D",
        "2": "C",
        "3": "E",
        "4": "c",
        "5": "e",
        "8": "Cw",
        "17": "Rh17",
        "29": "Rh29",
    },
    "LU": {"1": "Lua", "2": "Lub", "3": "Lu3"},
    "KEL": {"1": "K", "2": "k", "3": "Kpa", "4": "Kpb", "5": "Ku", "6": "Jsa", "7": "Jsb"},
    "LE": {"1": "Lea", "2": "Leb"},
    "FY": {"1": "Fya", "2": "Fyb", "3": "Fy3"},
    "JK": {"1": "Jka", "2": "Jkb", "3": "Jk3"},
    "DI": {"1": "Dia", "2": "Dib", "3": "Wra"},
    "YT": {"1": "Yta", "2": "Ytb"},
    "XG": {"1": "Xga"},
    "DO": {"1": "Doa", "2": "Dob"},
    "CO": {"1": "Coa", "2": "Cob"},
    "I": {"1": "I"},
    "GLOB": {"1": "P"},
    "IN": {"2": "Inb"},
    "VEL": {"1": "Vel"},
    "JR": {"1": "Jra"},
    "LAN": {"1": "Lan"},
}
ISBT_SYSTEMS: Final = tuple(sorted(_NUMBERS, key=len, reverse=True))

# Antigens without a place in the table that laboratories write without further ado.
UNLISTED: Final = (
    "AnWj",
    "At(a)",
    "Ch",
    "Cr(a)",
    "Cs(a)",
    "Emm",
    "Er(a)",
    "Ge2",
    "Ge3",
    "Gy(a)",
    "HI",
    "Hy",
    "JMH",
    "Jo(a)",
    "Kn(a)",
    "LW(a)",
    "MAM",
    "Ok(a)",
    "PEL",
    "Rg",
    "Sc1",
    "Sd(a)",
    "Tc(a)",
    "Yk(a)",
)
_NICKNAMES: Final = {
    "Hr0": "Rh17",
    "Hro": "Rh17",
    "KEL1": "K",
    "KEL2": "k",
    "Kell": "K",
    "Cellano": "k",
}

# Prefixes of pairs such as Jk(a-b+), and their systems' names.
PAIRED: Final = ("Jk", "Fy", "Kp", "Js", "Lu", "Le", "Di", "Co", "Do", "Yt")
SYSTEM_NAMES: Final = {
    "kidd": "Jk",
    "duffy": "Fy",
    "lutheran": "Lu",
    "lewis": "Le",
    "diego": "Di",
    "colton": "Co",
    "dombrock": "Do",
    "cartwright": "Yt",
}


def by_number(system: str, number: str) -> str | None:
    """The antigen of an ISBT number such as KEL 1; None where it is not in the table."""
    return _NUMBERS.get(system, {}).get(number)


def _spellings() -> dict[str, str]:
    found = {label: label for label in UNLISTED} | _NICKNAMES
    for name in sorted(set(ANTIGENS) - DERIVED):
        found |= {name: name, label_of(name): name}
    return found


# Every way to write an antigen that the table derives nothing from, and its name.
SPELLINGS: Final[dict[str, str]] = _spellings()
# The same for antibodies, which may also be against A, B, H, A1 and D.
ANTIBODY_SPELLINGS: Final[dict[str, str]] = SPELLINGS | {name: name for name in DERIVED}
# Antibodies that go by one name and are against several antigens.
JOINT_ANTIBODIES: Final[dict[str, frozenset[str]]] = {
    "PP1Pk": frozenset({"P", "P1", "Pk"}),
    "Tja": frozenset({"P", "P1", "Pk"}),
    "Tj(a)": frozenset({"P", "P1", "Pk"}),
}

# What the suggestions are taken from, and what pages give as examples.
EXAMPLES: Final = (
    "O Rh-",
    "O+",
    "AB-",
    "A2B",
    "Oh",
    "hh",
    "Bombay",
    "para-Bombay",
    "孟买型",
    "类孟买",
    "熊猫血",
    "Rh-",
    "Rh+",
    "RhD-",
    "Rh阴性",
    "Rh阳性",
    "weak D",
    "弱D",
    "partial D",
    "DEL",
    "R1R1",
    "R1R2",
    "rr",
    "CCDee",
    "ccddee",
    "D--",
    "Rhnull",
    "Jk(a-b-)",
    "Jk(a-b+)",
    "Jk(a-)",
    "Fy(a-b-)",
    "Fy(a-)",
    "Fy(a+b-)",
    "Lu(a-b-)",
    "Di(b-)",
    "Di(a+)",
    "Kp(b-)",
    "K-",
    "K-k+",
    "K0",
    "S-s-U-",
    "GP.Mur",
    "Mi(a+)",
    "p",
    "Vel-",
    "Lan-",
    "Jr(a-)",
    "KEL:-1,2",
    "JK:-3",
    "anti-D",
    "anti-E",
    "anti-c",
    "anti-K",
    "anti-Jk3",
    "anti-Jk(a)",
    "anti-Fy(a)",
    "anti-Mi(a)",
    "抗-D",
    "抗-E",
)
