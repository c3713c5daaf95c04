"""What group, H and RhD of donor and patient say; nothing here looks at other antigens.

``matching`` evaluates ``group_findings`` once for every combination of the three.
"""

from collections.abc import Iterator

from reunite.blood.demands import Need
from reunite.blood.findings import Finding
from reunite.blood.phenotype import Abo, HType, Phenotype, RhD
from reunite.blood.rules import ABO, Component, Grade, Policy


def group_findings(donor: Phenotype, need: Need) -> Iterator[Finding]:
    """Findings on ABO, H and RhD, for any component."""
    yield _abo(donor, need)
    yield from _h(donor, need)
    if need.component is Component.RED_CELLS:
        yield from _rhd_red_cells(donor, need)
    elif need.component is Component.PLATELETS:
        yield _rhd_platelets(donor, need)


def _abo(donor: Phenotype, need: Need) -> Finding:
    rule = f"abo_{need.component}"
    patient = need.patient
    if patient.h is HType.BOMBAY and need.component is Component.PLASMA:
        # Nothing on these cells for anti-A, anti-B or anti-H to act upon.
        same = donor.h is HType.BOMBAY
        grade = Grade.EXACT if same else Grade.COMPATIBLE
        return Finding(rule, "abo_identical" if same else "abo_compatible", grade)
    if donor.abo is Abo.UNKNOWN:
        return Finding(rule, "abo_donor_unknown", Grade.NEEDS_TYPING)
    grade = ABO[need.component][patient.abo].get(donor.abo, Grade.EXCLUDED)
    if patient.abo is Abo.UNKNOWN:
        usable = "abo_patient_unknown_universal" if grade.usable else "abo_patient_unknown"
        return Finding("abo_unknown_patient", usable, grade)
    code = {
        Grade.EXACT: "abo_identical",
        Grade.COMPATIBLE: "abo_compatible",
        Grade.LAST_RESORT: "abo_high_titre",
    }.get(grade, "abo_incompatible")
    return Finding(rule, code, grade)


def _h(donor: Phenotype, need: Need) -> Iterator[Finding]:
    if need.component is Component.PLASMA:
        yield from _h_plasma(donor, need)
        return
    if need.patient.h is HType.BOMBAY:
        same = donor.h is HType.BOMBAY
        yield Finding(
            "bombay",
            "bombay_same" if same else "bombay_only",
            Grade.EXACT if same else Grade.EXCLUDED,
        )
        return
    if need.component is Component.PLATELETS and donor.h is HType.BOMBAY:
        yield Finding("bombay", "bombay_plasma", Grade.EXCLUDED)
        return
    if need.patient.h is HType.PARA_BOMBAY:
        ordinary = donor.h is HType.ORDINARY
        yield Finding(
            "para_bombay",
            "para_bombay_laboratory",
            Grade.LAST_RESORT if ordinary else Grade.COMPATIBLE,
            crossmatch=True,
        )
    elif donor.h is not HType.ORDINARY and need.policy.reserve_bombay:
        yield Finding("bombay_reserve", "bombay_reserved", Grade.LAST_RESORT)


def _h_plasma(donor: Phenotype, need: Need) -> Iterator[Finding]:
    if need.patient.h is HType.BOMBAY:
        return
    if donor.h is HType.BOMBAY:
        yield Finding("bombay", "bombay_plasma", Grade.EXCLUDED)
    elif donor.h is HType.PARA_BOMBAY:
        yield Finding("para_bombay", "para_bombay_plasma", Grade.LAST_RESORT, crossmatch=True)


def patient_is_d_negative(d: RhD, policy: Policy) -> bool:
    """Whether a patient is kept from D.  Unknown is: until typed, only D- is suggested."""
    match d:
        case RhD.POSITIVE:
            return False
        case RhD.WEAK:
            return policy.weak_d_patient_is_negative
        case RhD.DEL:
            return policy.del_patient_is_negative
        case _:
            return True


def _donor_is_d_positive(d: RhD, policy: Policy) -> bool:
    return d is not RhD.NEGATIVE and not (d is RhD.DEL and not policy.del_donor_is_positive)


def _rhd_red_cells(donor: Phenotype, need: Need) -> Iterator[Finding]:
    patient, policy = need.patient.d, need.policy
    kept_from_d = patient_is_d_negative(patient, policy)
    if patient in {RhD.WEAK, RhD.PARTIAL, RhD.DEL}:
        told = "rhd_patient_variant_negative" if kept_from_d else "rhd_patient_variant_positive"
        yield Finding("rhd_variants", told, Grade.EXACT)
    if donor.d is RhD.UNKNOWN:
        # D+ patients may have either, so nothing stands in the way but the missing test.
        grade = Grade.NEEDS_TYPING if kept_from_d else Grade.COMPATIBLE
        yield Finding("rhd", "rhd_donor_unknown", grade)
    elif _donor_is_d_positive(donor.d, policy):
        yield _d_positive_donor(donor, need, kept_from_d=kept_from_d)
    else:
        yield from _d_negative_donor(need, kept_from_d=kept_from_d)


def _d_positive_donor(donor: Phenotype, need: Need, *, kept_from_d: bool) -> Finding:
    rule = "rhd_variants" if donor.d is RhD.DEL else "rhd"
    if not kept_from_d:
        return Finding(rule, "rhd_identical", Grade.EXACT)
    if need.patient.d is RhD.UNKNOWN:
        return Finding(rule, "rhd_patient_unknown", Grade.NEEDS_TYPING)
    if need.policy.d_positive_as_last_resort and not need.childbearing:
        return Finding("rhd_reserve", "rhd_positive_last_resort", Grade.LAST_RESORT)
    code = "rhd_del_donor" if donor.d is RhD.DEL else "rhd_incompatible"
    return Finding(rule, code, Grade.EXCLUDED)


def _d_negative_donor(need: Need, *, kept_from_d: bool) -> Iterator[Finding]:
    if need.patient.d is RhD.UNKNOWN:
        yield Finding("rhd", "rhd_patient_unknown_negative", Grade.COMPATIBLE)
    elif kept_from_d:
        yield Finding("rhd", "rhd_identical", Grade.EXACT)
    elif need.policy.reserve_d_negative:
        yield Finding("rhd_reserve", "rhd_reserved", Grade.LAST_RESORT)
    else:
        yield Finding("rhd", "rhd_compatible", Grade.COMPATIBLE)


def _rhd_platelets(donor: Phenotype, need: Need) -> Finding:
    """Platelets carry no D, the few red cells among them do."""
    if not patient_is_d_negative(need.patient.d, need.policy):
        return Finding("rhd_platelets", "rhd_no_matter", Grade.EXACT)
    if donor.d is RhD.NEGATIVE:
        return Finding("rhd_platelets", "rhd_identical", Grade.EXACT)
    if need.childbearing:
        return Finding("rhd_platelets", "rhd_platelets_childbearing", Grade.LAST_RESORT)
    return Finding("rhd_platelets", "rhd_platelets_positive", Grade.COMPATIBLE)
