"""Words for requests for blood: answers, reasons, states."""

from collections.abc import Mapping
from enum import Enum

from reunite.blood.appeals import CannotReason
from reunite.blood.requests import Likeness
from reunite.blood.waves import Answer, Urgency
from reunite.web.i18n import N_

BLOOD_LABELS: Mapping[type[Enum], Mapping[Enum, str]] = {
    Answer: {
        Answer.COMING: N_("Coming"),
        Answer.CANNOT: N_("Cannot come"),
        Answer.NOT_ME: N_("Not a donor any more"),
        Answer.ARRIVED: N_("Arrived"),
        Answer.UNSUITABLE: N_("Unsuitable"),
        Answer.GIVEN: N_("Has given"),
    },
    CannotReason: {
        CannotReason.NO_TIME: N_("No time"),
        CannotReason.AWAY: N_("Too far away just now"),
        CannotReason.UNWELL: N_("Not well"),
        CannotReason.GAVE_LATELY: N_("Gave blood lately"),
        CannotReason.OTHER: N_("Another reason"),
        CannotReason.DID_NOT_COME: N_("Did not come"),
        CannotReason.DEFERRED: N_("Would come, but is deferred"),
    },
    Urgency: {
        Urgency.ROUTINE: N_("In some days"),
        Urgency.URGENT: N_("Within a day"),
        Urgency.IMMINENT: N_("A life depends on the next hours"),
    },
    Likeness: {
        Likeness.SAME_PATIENT: N_("The same patient of your centre"),
        Likeness.SAME_TYPE_NEAR_BY: N_("The same type, near by and at the same time"),
    },
}
# Why somebody near by is not asked; see ``app.find_donors.RankedDonor``.
OBSTACLES: Mapping[str, str] = {
    "asked": N_("Asked already"),
    "unsuitable": N_("Does not suit"),
    "deferred": N_("May not give yet"),
    "too_far": N_("Farther than they would travel"),
    "asked_lately": N_("Asked within the last 30 days"),
}
# What defers a donor who said that they come, for the desk; see ``deferral.Hindrance``.
DEFERRED_BY: Mapping[str, str] = {
    "age_minimum": N_("too young"),
    "age_maximum": N_("too old"),
    "weight": N_("weighs too little"),
    "interval": N_("gave too short a time ago"),
    "yearly": N_("gave too often within a year"),
    "reason": N_("for a reason that will pass"),
    "reason_permanent": N_("for good"),
    "reason_lasting": N_("for as long as a reason lasts"),
    "reason_unlisted": N_("for a reason that a doctor has to judge"),
}
