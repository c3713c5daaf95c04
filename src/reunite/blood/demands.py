"""What a patient asks of a donor's antigens, one antigen at a time.

Each demand says what is found when the donor carries the antigen, lacks it, or has not been
tested.  None depends on another antigen; that is what lets ``matching`` pack them into masks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reunite.blood.antigens import FAMILIES, Status, Weight, weight_of
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import DEFAULT_POLICY, Component, Grade, Policy

Outcome = tuple[Grade, str]  # a grade and the code of its sentence; "" says nothing
_NOTHING: Outcome = (Grade.EXACT, "")
_RH: tuple[str, ...] = ("C", "c", "E", "e")
_SPECIFIC_TO_PLATELETS = ("HPA", "HLA")


@dataclass(frozen=True, slots=True)
class Need:
    """A patient and what is needed.

    ``childbearing``: a girl, or a woman who may still bear a child; immunisation by the donor's
    antigens could harm that child.
    """

    patient: Phenotype
    component: Component = Component.RED_CELLS
    childbearing: bool = False
    policy: Policy = DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Demand:
    """What one rule asks of one antigen of the donor."""

    rule: str
    antigen: str
    if_positive: Outcome
    if_unknown: Outcome
    if_negative: Outcome = _NOTHING
    crossmatch: bool = False


def demands(need: Need) -> Iterator[Demand]:
    """Everything that is asked of the donor's antigens beyond group and RhD."""
    if need.component is Component.PLASMA:
        return
    for name in sorted(need.patient.antibodies):
        on_platelets = name.startswith(_SPECIFIC_TO_PLATELETS)
        if need.component is Component.PLATELETS and on_platelets:
            yield _proven_negative(name, "platelet_antibody")
        elif need.component is Component.RED_CELLS and not on_platelets:
            yield _against(name)
    if need.component is Component.RED_CELLS:
        yield from _matched_for_rh(need.patient)
        if need.childbearing and need.policy.k_negative_for_childbearing:
            yield from _k_negative(need.patient)
        yield from _reserves(need)


def _proven_negative(name: str, rule: str) -> Demand:
    return Demand(
        rule,
        name,
        if_positive=(Grade.EXCLUDED, "antibody_positive"),
        if_unknown=(Grade.NEEDS_TYPING, "antibody_unknown"),
        if_negative=(Grade.EXACT, "antibody_negative"),
    )


def _against(name: str) -> Demand:
    """An antibody of the patient."""
    weight = weight_of(name)
    if weight is Weight.SIGNIFICANT:
        return _proven_negative(name, "antibody_to_family" if name in FAMILIES else "antibody")
    positive: Outcome = (Grade.EXCLUDED, "antibody_positive")
    if weight is Weight.COLD:
        positive = (Grade.LAST_RESORT, "antibody_cold_positive")
    return Demand(
        "antibody_crossmatch",
        name,
        if_positive=positive,
        if_unknown=(Grade.COMPATIBLE, "antibody_crossmatch"),
        if_negative=(Grade.EXACT, "antibody_negative"),
        crossmatch=True,
    )


def _matched_for_rh(patient: Phenotype) -> Iterator[Demand]:
    """Whoever made one Rh antibody easily makes another: C, c, E, e and K as the patient's."""
    if not patient.antibodies.intersection({"D", "Cw", *_RH}):
        return
    for name in (*_RH, "K"):
        if patient.status(name) is Status.NEGATIVE and name not in patient.antibodies:
            yield Demand(
                "rh_matching",
                name,
                if_positive=(Grade.LAST_RESORT, "rh_mismatch"),
                if_unknown=(Grade.COMPATIBLE, "rh_untested"),
            )


def _k_negative(patient: Phenotype) -> Iterator[Demand]:
    if patient.status("K") is not Status.POSITIVE:
        yield Demand(
            "k_childbearing",
            "K",
            if_positive=(Grade.EXCLUDED, "k_childbearing_positive"),
            if_unknown=(Grade.LAST_RESORT, "k_childbearing_unknown"),
            if_negative=(Grade.EXACT, "k_childbearing_negative"),
        )


def _reserves(need: Need) -> Iterator[Demand]:
    for name in sorted(need.policy.reserve_lacking):
        if not needs_null(need.patient, name):
            yield Demand(
                "null_reserve",
                name,
                if_positive=_NOTHING,
                if_unknown=_NOTHING,
                if_negative=(Grade.LAST_RESORT, "null_reserved"),
            )


def needs_null(patient: Phenotype, antigen: str) -> bool:
    """Whether a donor who lacks ``antigen`` is what this patient needs.

    So when the patient lacks it too, or has an antibody against it or against every member of
    its family that counts.
    """
    if patient.status(antigen) is Status.NEGATIVE or antigen in patient.antibodies:
        return True
    members = {
        member
        for member in FAMILIES.get(antigen, ())
        if weight_of(member) is Weight.SIGNIFICANT and member not in FAMILIES
    }
    return bool(members) and members <= patient.antibodies


def donor_antibody_grade(name: str, need: Need) -> Outcome:
    """What an antibody in a donor's plasma means for the patient's cells."""
    status = need.patient.status(name)
    if weight_of(name) is not Weight.SIGNIFICANT:
        if status is Status.NEGATIVE:
            return (Grade.EXACT, "")
        return (Grade.LAST_RESORT, "donor_antibody_weak")
    match status:
        case Status.POSITIVE:
            return (Grade.EXCLUDED, "donor_antibody_positive")
        case Status.UNKNOWN:
            return (Grade.NEEDS_TYPING, "donor_antibody_unknown")
        case _:
            return (Grade.EXACT, "donor_antibody_harmless")
