"""What the engine of compatibility says, as sentences for a laboratory and its donors."""

from collections.abc import Mapping

from babel.support import NullTranslations

from reunite.blood.antigens import label_of
from reunite.blood.findings import Finding
from reunite.blood.rules import Component, Grade
from reunite.web.i18n import N_

# On every page and every output that suggests a donor.
DISCLAIMER = N_("A recruitment suggestion for a blood centre, never transfusion advice.")

GRADES: Mapping[Grade, str] = {
    Grade.EXACT: N_("Same type"),
    Grade.COMPATIBLE: N_("Compatible"),
    Grade.LAST_RESORT: N_("Last resort"),
    Grade.NEEDS_TYPING: N_("Needs typing"),
    Grade.EXCLUDED: N_("Excluded"),
}
COMPONENTS: Mapping[Component, str] = {
    Component.RED_CELLS: N_("Red cells"),
    Component.PLASMA: N_("Plasma"),
    Component.PLATELETS: N_("Platelets"),
}
REASONS: Mapping[str, str] = {
    "abo_identical": N_("Same ABO group."),
    "abo_compatible": N_("ABO compatible, though not the same group."),
    "abo_incompatible": N_("ABO incompatible."),
    "abo_high_titre": N_(
        "ABO differs: only from a donor tested negative for high-titre anti-A and anti-B."
    ),
    "abo_donor_unknown": N_("The donor's ABO group is unknown."),
    "abo_patient_unknown": N_("The patient's ABO group is unknown: it must be typed first."),
    "abo_patient_unknown_universal": N_(
        "The patient's ABO group is unknown; this group suits every patient."
    ),
    "bombay_same": N_("Donor and patient are both Bombay (Oh)."),
    "bombay_only": N_("The patient is Bombay (Oh): nothing but Oh."),
    "bombay_reserved": N_("The donor lacks H and is kept for patients who lack it."),
    "bombay_plasma": N_("The donor's plasma has anti-H."),
    "para_bombay_laboratory": N_("The patient is para-Bombay: a reference laboratory decides."),
    "para_bombay_plasma": N_("The donor is para-Bombay and may have anti-H."),
    "rhd_identical": N_("Same RhD."),
    "rhd_compatible": N_("RhD negative for an RhD positive patient."),
    "rhd_incompatible": N_("The patient is kept from D, and the donor carries it."),
    "rhd_reserved": N_("RhD negative donors are kept for RhD negative patients here."),
    "rhd_donor_unknown": N_("The donor's RhD is unknown."),
    "rhd_patient_unknown": N_(
        "The patient's RhD is unknown: until it is typed, only RhD negative."
    ),
    "rhd_patient_unknown_negative": N_("The patient's RhD is unknown; RhD negative suits either."),
    "rhd_positive_last_resort": N_(
        "RhD positive for an RhD negative patient without anti-D who will bear no child: local "
        "policy allows it when nothing else is to be had."
    ),
    "rhd_del_donor": N_("A DEL donor counts as RhD positive: such cells have immunised."),
    "rhd_patient_variant_negative": N_(
        "The patient has a variant of D and is treated as RhD negative (local policy)."
    ),
    "rhd_patient_variant_positive": N_(
        "The patient has a variant of D and is treated as RhD positive (local policy)."
    ),
    "rhd_no_matter": N_("RhD does not matter here."),
    "rhd_platelets_positive": N_("RhD positive or untested: platelets carry few red cells."),
    "rhd_platelets_childbearing": N_(
        "Not proven RhD negative, and the patient may bear children: anti-D immunoglobulin would "
        "be needed."
    ),
    "antibody_negative": N_("The donor is proven %(antigen)s negative."),
    "antibody_positive": N_("The patient has anti-%(antigen)s, and the donor carries %(antigen)s."),
    "antibody_unknown": N_(
        "The patient has anti-%(antigen)s; not known of the donor: %(missing)s."
    ),
    "antibody_cold_positive": N_(
        "The patient has anti-%(antigen)s, which rarely acts at body temperature, and the donor "
        "carries %(antigen)s: only after a crossmatch at 37 °C."
    ),
    "antibody_crossmatch": N_(
        "The patient has anti-%(antigen)s: no donors are sought for it, a crossmatch decides."
    ),
    "rh_mismatch": N_(
        "The patient made an Rh antibody before and lacks %(antigen)s, which the donor carries."
    ),
    "rh_untested": N_(
        "The patient made an Rh antibody before and lacks %(antigen)s; the donor is untested."
    ),
    "k_childbearing_positive": N_("The patient may bear children, and the donor is K positive."),
    "k_childbearing_unknown": N_(
        "The patient may bear children, and the donor's K is unknown: type K first."
    ),
    "k_childbearing_negative": N_("The donor is K negative."),
    "null_reserved": N_("The donor lacks %(antigen)s and is kept for patients who need that."),
    "donor_antibody_positive": N_(
        "The donor has anti-%(antigen)s, and the patient carries %(antigen)s."
    ),
    "donor_antibody_unknown": N_(
        "The donor has anti-%(antigen)s; whether the patient carries %(antigen)s is unknown."
    ),
    "donor_antibody_weak": N_("The donor has anti-%(antigen)s, which rarely matters."),
    "donor_antibody_harmless": N_("The donor has anti-%(antigen)s; the patient lacks %(antigen)s."),
}


def reason_of(finding: Finding, translations: NullTranslations) -> str:
    """The sentence for a finding in the reader's language."""
    labels = [label_of(name) for name in finding.antigens]
    filled = {"antigen": labels[0] if labels else "", "missing": ", ".join(labels[1:] or labels)}
    return str(translations.gettext(REASONS[finding.code]) % filled)
