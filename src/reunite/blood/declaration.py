"""What somebody has said of a blood type so far, one token after the other."""

from dataclasses import dataclass, field

from reunite.blood.phenotype import VARIANTS_OF_D, Abo, HType, Phenotype, RhD
from reunite.kernel.errors import InvalidInputError


@dataclass
class Declaration:
    """Facts that must not contradict one another, gathered into a ``Phenotype``.

    Raises InvalidInputError ``blood_type_impossible`` where they do.
    """

    abo: Abo = Abo.UNKNOWN
    subgroup: str = ""
    h: HType = HType.ORDINARY
    d: RhD = RhD.UNKNOWN
    positive: set[str] = field(default_factory=set)
    negative: set[str] = field(default_factory=set)
    antibodies: set[str] = field(default_factory=set)

    def set_group(self, abo: Abo, subgroup: str = "") -> None:
        clash = self.abo not in {Abo.UNKNOWN, abo}
        if clash or (subgroup and self.subgroup not in {"", subgroup}):
            _refuse(antigens=["A", "B"])
        self.abo, self.subgroup = abo, subgroup or self.subgroup

    def set_h(self, h: HType) -> None:
        if self.h not in {HType.ORDINARY, h}:
            _refuse(antigens=["H"])
        self.h = h

    def set_d(self, d: RhD) -> None:
        plain = {RhD.POSITIVE, RhD.NEGATIVE}
        if d in plain and self.d in VARIANTS_OF_D:
            return  # RhD negative (DEL): the variant is what is known more exactly
        if self.d not in {RhD.UNKNOWN, d} and not (d in VARIANTS_OF_D and self.d in plain):
            _refuse(antigens=["D"])
        self.d = d

    def set_antigen(self, name: str, *, carried: bool) -> None:
        if name == "D":
            self.set_d(RhD.POSITIVE if carried else RhD.NEGATIVE)
        else:
            (self.positive if carried else self.negative).add(name)

    def phenotype(self) -> Phenotype:
        return Phenotype(
            self.abo,
            self.subgroup,
            self.h,
            self.d,
            frozenset(self.positive),
            frozenset(self.negative),
            frozenset(self.antibodies),
        )


def _refuse(antigens: list[str]) -> None:
    raise InvalidInputError(
        "blood_type_impossible", field="phenotype", reason="contradiction", antigens=antigens
    )
