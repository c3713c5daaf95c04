"""Sentences for what goes wrong with donors and blood centres."""

from collections.abc import Mapping

from reunite.web.i18n import N_

DONOR_MESSAGES: Mapping[str, str] = {
    "centre_exists": N_("There is a centre of this name already."),
    "centre_required": N_("Your account acts for no blood centre. Please ask an administrator."),
    "centre_not_verified": N_(
        "Your centre has not been verified yet. Please ask an administrator."
    ),
    "donor_exists": N_("You are registered as a donor already."),
    "donor_reference_taken": N_("Your centre has a donor of this number already."),
    "donor_code_unknown": N_(
        "We know no donor of this code who agreed to be seen by centres. Please ask the donor "
        "for the code on their page."
    ),
    "claim_made_before": N_("Your centre claimed this donor before."),
    "claim_settled": N_("This has been settled already."),
    "family_code_unknown": N_(
        "We do not know this family code. Please ask the blood centre that gave it."
    ),
    "consent_ask_required": N_(
        "We may ask you for blood only if you agree. Without it there is nothing to register for."
    ),
    "donations_too_many": N_("More than %(most)s donations cannot be kept."),
    "deferral_reason_unknown": N_("Please choose a reason from the list."),
    "register_rows_many": N_(
        "This file has %(rows)s rows. Please bring at most %(most)s at a time here; the command "
        "line takes any number."
    ),
    "date_too_early": N_("This is too long ago. Please check the date."),
    "date_in_past": N_("This is not after today. Please check the date."),
}

# By code and the ``reason`` among the details, where that says more than the code alone.
EXACT_MESSAGES: Mapping[str, str] = {
    "blood_type_impossible:contradiction": N_(
        "No blood can be of this type: what is given of %(antigens)s contradicts itself. Please "
        "check it."
    ),
    "blood_type_impossible:bombay": N_(
        "Bombay blood (Oh) shows neither A nor B, and %(group)s is given as well. Please check it."
    ),
    "blood_type_impossible:subgroup": N_(
        "The subgroup %(subgroup)s does not belong to the group that is given. Please check it."
    ),
}
