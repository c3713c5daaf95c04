"""Why a sighting is plausible or not, in words."""

from collections.abc import Mapping

from reunite.cases.plausibility import Reason
from reunite.web.i18n import N_
from reunite.web.page import Page

_REASONS: Mapping[str, str] = {
    "within_walking_distance": N_("%(distance_km)s km away: on foot in that time"),
    "only_by_vehicle": N_("%(distance_km)s km away: only by car or bus in that time"),
    "only_by_train_or_plane": N_("%(distance_km)s km away: only by train or plane in that time"),
    "too_far_for_the_time": N_("%(distance_km)s km away: impossible in that time"),
    "face_very_alike": N_("the face is very much alike (%(similarity)s)"),
    "face_alike": N_("the face is alike (%(similarity)s)"),
    "face_undecided": N_("the face neither alike nor unlike (%(similarity)s)"),
    "face_unlike": N_("the face is unlike (%(similarity)s); photos of children mislead"),
    "reporter_often_right": N_("%(passed_on)s earlier sightings of this reporter were passed on"),
    "reporter_often_wrong": N_("%(unlikely)s earlier sightings of this reporter were unlikely"),
    "seen_just_now": N_("sent within two hours of seeing the person"),
    "sighting_has_photo": N_("with a photo"),
    "sighting_without_place": N_("without a place"),
}
_DECIMALS = {"distance_km": 1, "similarity": 2}


def sighting_reason(page: Page, reason: Reason) -> str:
    """One reason in the reader's language.  Raises KeyError for an unknown code."""
    translations = page.web.renderers[page.language].translations
    details = {
        name: page.formats.number(value, _DECIMALS.get(name, 0)) for name, value in reason.details
    }
    return translations.gettext(_REASONS[reason.code]) % details
