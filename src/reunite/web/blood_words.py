"""What the engine of compatibility says, as sentences for a laboratory and its donors."""

from collections.abc import Mapping

from babel.support import NullTranslations

from reunite.blood.antigens import label_of
from reunite.blood.deferral import DonationKind, Hindrance
from reunite.blood.findings import Finding
from reunite.blood.rules import Component, Grade
from reunite.web.i18n import N_, Formats

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


DONATION_KINDS: Mapping[DonationKind, str] = {
    DonationKind.WHOLE_BLOOD: N_("Whole blood"),
    DonationKind.PLATELETS: N_("Platelets"),
    DonationKind.PLASMA: N_("Plasma"),
    DonationKind.DOUBLE_RED: N_("Double red cells"),
}
# What defers a donor, as the rule sets name it.
DEFERRAL_REASONS: Mapping[str, str] = {
    "cold_or_flu": N_("A cold or influenza"),
    "gastroenteritis": N_("Gastroenteritis"),
    "urinary_infection": N_("Infection of the urinary tract"),
    "pneumonia": N_("Pneumonia"),
    "skin_inflammation": N_("Inflammation of the skin"),
    "antibiotics": N_("Antibiotics"),
    "aspirin": N_("Aspirin or another drug that acts on platelets"),
    "dental_cleaning": N_("Cleaning or filling of teeth"),
    "dental_extraction": N_("A tooth pulled"),
    "minor_surgery": N_("A small operation"),
    "appendix_hernia_tonsils": N_("Operation of appendix, hernia or tonsils"),
    "major_surgery": N_("A large operation"),
    "menstruation": N_("Menstruation"),
    "pregnancy": N_("Pregnancy or miscarriage"),
    "childbirth": N_("Childbirth"),
    "breastfeeding": N_("Breastfeeding"),
    "tattoo_or_piercing": N_("Tattoo or piercing"),
    "needle_injury": N_("Injury by a used needle"),
    "transfusion_received": N_("Blood received"),
    "live_vaccine": N_("A live vaccine"),
    "rabies_bite": N_("A bite, and vaccination against rabies"),
    "dysentery": N_("Dysentery"),
    "typhoid": N_("Typhoid fever"),
    "malaria": N_("Malaria"),
    "malaria_area": N_("Stay where malaria occurs"),
    "hepatitis_b_or_c": N_("Hepatitis B or C"),
    "hiv": N_("HIV"),
    "syphilis": N_("Syphilis"),
    "cancer": N_("Cancer"),
    "heart_disease": N_("Disease of the heart"),
    "injected_drugs": N_("Injected drugs"),
}
_HINDRANCES: Mapping[str, str] = {
    "age_minimum": N_("Too young until %(day)s."),
    "age_maximum": N_("Above the highest age for donors."),
    "weight": N_("Below the least weight, %(about)s kg."),
    "interval": N_("The interval after the last donation (%(about)s) ends on %(day)s."),
    "yearly": N_("The most donations within twelve months are reached until %(day)s."),
    "reason": N_("%(about)s: until %(day)s."),
    "reason_permanent": N_("%(about)s: blood cannot be given."),
    "reason_lasting": N_("%(about)s: while it lasts, and for some time after."),
    "reason_unlisted": N_("%(about)s: please ask the blood centre."),
}


def hindrance_words(one: Hindrance, translations: NullTranslations, formats: Formats) -> str:
    """What stands in a donor's way, in the reader's language."""
    about = one.about
    if one.code.startswith("reason"):
        about = translations.gettext(DEFERRAL_REASONS.get(one.about, one.about))
    elif one.code == "interval":
        about = translations.gettext(DONATION_KINDS[DonationKind(one.about)])
    day = formats.day(one.until) if one.until is not None else ""
    return str(translations.gettext(_HINDRANCES[one.code]) % {"about": about, "day": day})
