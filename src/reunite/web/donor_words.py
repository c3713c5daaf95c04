"""What is said of donors, consents and claims."""

from collections.abc import Mapping

from reunite.blood.centres import CentreKind
from reunite.blood.claims import ClaimReason, Verdict
from reunite.blood.donors import ConsentPurpose, TypingMethod
from reunite.web.i18n import N_

CONSENTS: Mapping[ConsentPurpose, str] = {
    ConsentPurpose.ASK: N_("You may ask me when somebody needs my type."),
    ConsentPurpose.CENTRE: N_(
        "Verified blood centres to which I give my code may see my record and how to reach me."
    ),
    ConsentPurpose.FAMILY: N_("You may ask me first when a member of my family needs blood."),
}
METHODS: Mapping[TypingMethod, str] = {
    TypingMethod.SEROLOGY: N_("Serology"),
    TypingMethod.GENOTYPING: N_("Genotyping"),
}
CENTRE_KINDS: Mapping[CentreKind, str] = {
    CentreKind.BLOOD_CENTRE: N_("Blood centre"),
    CentreKind.HOSPITAL: N_("Hospital"),
}
CLAIM_REASONS: Mapping[ClaimReason, str] = {
    ClaimReason.CODE: N_("The donor gave the code to both centres."),
    ClaimReason.SAME_CONTACT: N_("Both records have the same contact."),
    ClaimReason.SAME_PERSON: N_("Birthday, sex, place and an uncommon type agree."),
}
VERDICTS: Mapping[Verdict, str] = {
    Verdict.MOVE: N_("Goes to the other centre"),
    Verdict.STAY: N_("Stays where it is"),
    Verdict.SAME: N_("One person"),
    Verdict.DIFFERENT: N_("Two different people"),
}
# The donor's own answers.
OWN_VERDICTS: Mapping[Verdict, str] = {
    Verdict.MOVE: N_("I go to this centre"),
    Verdict.STAY: N_("I stay with my centre"),
    Verdict.SAME: N_("That is me"),
    Verdict.DIFFERENT: N_("That is not me"),
}
# Columns of a file of donors.
DONOR_COLUMNS: Mapping[str, str] = {
    "id": N_("Number"),
    "type": N_("Blood type"),
    "born_on": N_("Date of birth"),
    "sex": N_("Sex"),
    "weight_kg": N_("Weight in kg"),
    "last_given_on": N_("Last donation"),
    "last_kind": N_("What was given then"),
    "latitude": N_("Latitude"),
    "longitude": N_("Longitude"),
    "town": N_("Town or county"),
    "contact": N_("Contact"),
    "agreed": N_("Agrees to be asked"),
    "confirmed": N_("Typed by the centre"),
}
