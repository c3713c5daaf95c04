"""What is known of a person's red cells and plasma: positive, negative or unknown."""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from reunite.blood.antigens import DERIVED, FAMILIES, NULL_WHEN_ALL_LACKING, Status
from reunite.kernel.errors import InvalidInputError

MAX_ANTIGENS = 100  # more in one declaration is a mistake


class Abo(IntEnum):
    """The ABO group; values are stored."""

    UNKNOWN = 0
    O = 1  # noqa: E741  (its name)
    A = 2
    B = 3
    AB = 4


class HType(IntEnum):
    """Whether the cells carry H; ordinary grouping does not test it."""

    ORDINARY = 0  # presumed, as for all but one person in many thousands
    BOMBAY = 1  # Oh: none of A, B and H, with anti-H in the plasma
    PARA_BOMBAY = 2  # traces only; A and B as far as the secretions show them


class RhD(IntEnum):
    """The RhD result with its variants."""

    UNKNOWN = 0
    NEGATIVE = 1
    POSITIVE = 2
    WEAK = 3
    PARTIAL = 4
    DEL = 5  # found by adsorption and elution only; routinely typed negative


VARIANTS_OF_D: Final = frozenset({RhD.WEAK, RhD.PARTIAL, RhD.DEL})

SUBGROUPS: Final[dict[str, Abo]] = {
    "A1": Abo.A,
    "A2": Abo.A,
    "A3": Abo.A,
    "Ax": Abo.A,
    "Am": Abo.A,
    "Ael": Abo.A,
    "B3": Abo.B,
    "Bx": Abo.B,
    "Bm": Abo.B,
    "Bel": Abo.B,
    "A1B": Abo.AB,
    "A2B": Abo.AB,
    "A3B": Abo.AB,
    "AxB": Abo.AB,
    "AB3": Abo.AB,
    "ABx": Abo.AB,
    "cisAB": Abo.AB,
}
_HAS_A: Final = frozenset({Abo.A, Abo.AB})
_HAS_B: Final = frozenset({Abo.B, Abo.AB})


def _impossible(**details: object) -> InvalidInputError:
    return InvalidInputError("blood_type_impossible", field="phenotype", **details)


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A blood type.  What follows from what is given is worked out, and contradictions refused.

    ``positive`` and ``negative`` hold names of ``antigens.ANTIGENS``, or of any other antigen,
    but not A, B, H, A1 and D, which follow from the first four fields.

    Raises InvalidInputError ``blood_type_impossible`` or ``blood_antibody_contradicts``.
    """

    abo: Abo = Abo.UNKNOWN
    subgroup: str = ""
    h: HType = HType.ORDINARY
    d: RhD = RhD.UNKNOWN
    positive: frozenset[str] = field(default=frozenset())
    negative: frozenset[str] = field(default=frozenset())
    antibodies: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        if len(self.positive) + len(self.negative) + len(self.antibodies) > MAX_ANTIGENS:
            raise _impossible(reason="too_many")
        if (self.positive | self.negative) & DERIVED:
            raise ValueError("A, B, H, A1 and D follow from the group and the RhD result")
        self._settle_group()
        self._settle_families()
        self._check_antibodies()

    def _settle_group(self) -> None:
        if self.subgroup and self.subgroup not in SUBGROUPS:
            raise _impossible(reason="subgroup", subgroup=self.subgroup)
        if self.subgroup:
            self._set("abo", self.abo or SUBGROUPS[self.subgroup])
            if SUBGROUPS[self.subgroup] is not self.abo:
                raise _impossible(reason="subgroup", subgroup=self.subgroup)
        if self.h is HType.BOMBAY:
            if self.abo not in {Abo.UNKNOWN, Abo.O}:
                raise _impossible(reason="bombay", group=self.abo.name)
            self._set("abo", Abo.O)
        if self.h is not HType.ORDINARY and self.subgroup:
            raise _impossible(reason="subgroup", subgroup=self.subgroup)

    def _settle_families(self) -> None:
        positive, negative = set(self.positive), set(self.negative)
        if self.d is RhD.NEGATIVE:
            negative.add("D")
        elif self.d is not RhD.UNKNOWN:
            positive.add("D")
        for _ in range(2):  # Rh29 holds Rh17, which holds the others
            for parent, members in FAMILIES.items():
                if parent in negative:
                    negative.update(members)
                if positive.intersection(members):
                    positive.add(parent)
                if parent in NULL_WHEN_ALL_LACKING and negative.issuperset(members):
                    negative.add(parent)
        both = positive & negative
        if both:
            raise _impossible(reason="contradiction", antigens=sorted(both))
        if self.d is RhD.UNKNOWN and "D" in negative:
            self._set("d", RhD.NEGATIVE)
        self._set("positive", frozenset(positive - DERIVED))
        self._set("negative", frozenset(negative - DERIVED))

    def _check_antibodies(self) -> None:
        for name in sorted(self.antibodies):
            may_be = (name == "D" and self.d in VARIANTS_OF_D) or (
                name in {"A", "B"} and (self.subgroup == "cisAB" or self.h is HType.PARA_BOMBAY)
            )
            if self.status(name) is Status.POSITIVE and not may_be:
                raise InvalidInputError(
                    "blood_antibody_contradicts", field="phenotype", antibody=name
                )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def status(self, antigen: str) -> Status:
        """Whether the red cells carry ``antigen``."""
        match antigen:
            case "A" | "B":
                return self._status_of_ab(antigen)
            case "H":
                return self._status_of_h()
            case "A1":
                return self._status_of_a1()
            case "D":
                return self._status_of_d()
        if antigen in self.positive:
            return Status.POSITIVE
        return Status.NEGATIVE if antigen in self.negative else Status.UNKNOWN

    def _status_of_ab(self, antigen: str) -> Status:
        if self.abo is Abo.UNKNOWN:
            return Status.UNKNOWN
        carriers = _HAS_A if antigen == "A" else _HAS_B
        return Status.POSITIVE if self.abo in carriers else Status.NEGATIVE

    def _status_of_h(self) -> Status:
        if self.h is HType.BOMBAY:
            return Status.NEGATIVE
        # Traces of H, or none: not proven to be without it.
        return Status.UNKNOWN if self.h is HType.PARA_BOMBAY else Status.POSITIVE

    def _status_of_a1(self) -> Status:
        if self.abo in {Abo.O, Abo.B}:
            return Status.NEGATIVE
        if not self.subgroup:
            return Status.UNKNOWN
        if self.subgroup.startswith("A1"):
            return Status.POSITIVE
        return (
            Status.NEGATIVE
            if self.subgroup[:2] in {"A2", "A3", "Ax", "Am", "Ae"}
            else (Status.UNKNOWN)
        )

    def _status_of_d(self) -> Status:
        if self.d is RhD.UNKNOWN:
            return Status.UNKNOWN
        return Status.NEGATIVE if self.d is RhD.NEGATIVE else Status.POSITIVE

    @property
    def natural_antibodies(self) -> frozenset[str]:
        """The ABO antibodies that nearly everybody of this group has, and anti-H of Bombay."""
        if self.abo is Abo.UNKNOWN:
            return frozenset()
        lacking = {a for a in ("A", "B") if self.status(a) is Status.NEGATIVE}
        return frozenset(lacking | {"H"} if self.h is HType.BOMBAY else lacking)

    def with_antibodies(self, *names: str) -> "Phenotype":
        """The same type with more antibodies.  Raises as the class does."""
        return replace(self, antibodies=self.antibodies | set(names))
