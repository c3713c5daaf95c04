"""What is said for each error code: what happened, and what to do about it.

A test (``tests/architecture/test_translations.py``) fails for a code without a sentence.
"""

from collections.abc import Mapping

from babel.support import NullTranslations

from reunite.kernel.errors import ReuniteError
from reunite.web.i18n import N_, Formats
from reunite.web.messages_channels import CHANNEL_MESSAGES
from reunite.web.messages_donors import DONOR_MESSAGES, EXACT_MESSAGES
from reunite.web.messages_exchange import EXCHANGE_MESSAGES
from reunite.web.messages_requests import REQUEST_MESSAGES
from reunite.web.messages_stations import STATION_MESSAGES

_BROKEN = N_("Something went wrong on our side. Please try again in a few minutes.")
_BUSY = N_("The service cannot answer at the moment. Please try again in a few minutes.")

MESSAGES: Mapping[str, str] = {
    **CHANNEL_MESSAGES,
    **DONOR_MESSAGES,
    **EXCHANGE_MESSAGES,
    **REQUEST_MESSAGES,
    **STATION_MESSAGES,
    # Forms
    "required": N_("Please fill this in."),
    "invalid_input": N_("This cannot be used as it is. Please check it."),
    "text_too_long": N_("This is too long: please use at most %(maximum)s characters."),
    "number_expected": N_("Please enter a number, for example 2015."),
    "date_expected": N_("Please enter a day and a time, for example 2026-03-05 14:30."),
    "choice_unknown": N_("Please choose one of the answers offered."),
    "form_unreadable": N_("The form did not arrive whole. Please go back and send it once more."),
    "body_too_large": N_(
        "This is more than %(max_megabytes)s MB. Please go back and send a smaller photo."
    ),
    "csrf_failed": N_(
        "For your safety this form was not accepted: the page had been open too long, or cookies "
        "are switched off. Please go back, reload the page and send it again."
    ),
    "too_many_attempts": N_(
        "Too many attempts. Please wait %(retry_after_minutes)s min and try again."
    ),
    # Facts about a person
    "date_in_future": N_("This lies in the future. Please check the date."),
    "birth_year_too_early": N_("Please check the year: nobody born before %(earliest)s is alive."),
    "born_after_seen": N_(
        "The year of birth is later than the day the person was last seen. Please check both."
    ),
    "photo_before_birth": N_(
        "The photo is said to be from %(captured)s, but the person was born in %(born)s. "
        "Please check both years."
    ),
    "captured_year_out_of_range": N_("Please check the year in which the photo was taken."),
    "consent_search_required": N_(
        "We may compare faces only if you agree. Without it we cannot search."
    ),
    "number_out_of_range": N_("Please enter a number between %(least)s and %(most)s."),
    "age_range_reversed": N_("The first number must not be larger than the second."),
    # Blood
    "blood_type_impossible": N_(
        "No blood can be of this type: what is given contradicts itself. Please check it."
    ),
    "blood_antibody_contradicts": N_(
        "The person is said to have anti-%(antibody)s, but their own red cells carry this "
        "antigen. Please check both."
    ),
    "blood_notation_unreadable": N_(
        "We cannot read “%(part)s” as a blood type. Examples: O Rh-, AB+, Bombay, Jk(a-b-), anti-E."
    ),
    "blood_notation_misspelt": N_(
        "We cannot read “%(part)s” as a blood type. Did you mean %(suggestion)s?"
    ),
    "deferral_rules_missing": N_("The file of deferral rules %(path)s cannot be read."),
    "deferral_rules_invalid": N_("The file of deferral rules %(path)s is wrong: %(problem)s"),
    "override_not_imminent": N_(
        "Only an imminent need justifies asking people who were asked within 30 days."
    ),
    "register_too_large": N_("This file is too large. Please send it in parts."),
    "register_unreadable": N_("This file is damaged or no spreadsheet: %(problem)s"),
    "register_faulty": N_(
        "%(faulty)s of %(rows)s rows cannot be used. Nothing was taken over: please mend them, or "
        "ask for the others only."
    ),
    "donor_twice": N_("This donor is in row %(first_row)s already."),
    "unit_twice": N_("This unit is in row %(first_row)s already."),
    "needed_by_past": N_("This is in the past: when is the blood needed?"),
    "needed_by_far": N_("Please ask at most %(days)s days ahead."),
    "blood_for_money": N_(
        "Nobody is paid for blood here: please say nothing of money, and ask for none."
    ),
    # Places
    "place_at_sea": N_(
        "This place lies at sea. Please check it: are latitude and longitude swapped?"
    ),
    "place_out_of_range": N_(
        "There is no such place: latitude goes from -90 to 90, longitude from -180 to 180."
    ),
    "place_required": N_("Please choose a town or share your position."),
    "town_unknown": N_("We do not know this town. Please choose one from the list."),
    "too_many_sightings": N_(
        "You have sent %(limit)s sightings within an hour. Please wait; if it is urgent, call 110."
    ),
    "too_many_reports": N_(
        "You have opened %(limit)s cases within a day. Please wait, or call us if it is urgent."
    ),
    # Alerts
    "override_reason_required": N_(
        "This is not what the rules suggest. Please say why; it is kept with the case."
    ),
    "audience_changed": N_(
        "You changed the alert after it was counted. Please look at the new number and press again."
    ),
    "area_unreadable": N_("This is not GeoJSON that we can read. Please draw or paste it again."),
    "area_kind_unknown": N_(
        "We can use polygons and lines, and this holds a %(kind)s. Please leave it out."
    ),
    "area_swapped": N_(
        "Latitude and longitude seem to be swapped: GeoJSON has the longitude first."
    ),
    "alert_not_widening": N_("This alert is not being widened any more."),
    # Volunteers
    "quiet_hours_unknown": N_("Please choose a full hour between 0 and 23."),
    "weekly_pushes_out_of_range": N_("Please choose a number between 0 and %(maximum)s."),
    # Photos
    "photo_required": N_("Please choose a photo."),
    "photo_empty": N_("The file is empty. Please choose the photo again."),
    "photo_too_large": N_(
        "The photo has %(got_megabytes)s MB, which is more than %(max_megabytes)s MB. "
        "Please send a smaller one."
    ),
    "photo_not_an_image": N_(
        "This file is not a photo. Please choose a JPEG, PNG, WebP or HEIC picture."
    ),
    "photo_format_not_accepted": N_(
        "We cannot read this kind of file (%(format)s). "
        "Please choose a JPEG, PNG, WebP or HEIC picture."
    ),
    "photo_too_many_pixels": N_(
        "The picture is too large to open safely. Please save a smaller version and send that."
    ),
    "photo_too_small": N_(
        "The picture is too small to know a face by. Please send a larger one, "
        "at least %(min_side_px)s pixels on each side."
    ),
    "photo_truncated": N_(
        "The file is damaged or incomplete. Please send the original photo again."
    ),
    "photo_no_face": N_(
        "We found no face in this photo. Please choose one in which the face is clearly visible "
        "from the front, or cut out the part with the face."
    ),
    "photo_several_faces": N_("There are several faces in this photo. Please say which is meant."),
    "too_many_search_photos": N_(
        "A search takes up to %(limit)s photos. Please remove one first, or begin a new search."
    ),
    "no_such_face": N_("Please choose one of the faces shown."),
    "photo_is_preview": N_(
        "This picture is a computer illustration made by Reunite, not a photo of anybody. "
        "Please choose a photo."
    ),
    "preview_no_face": N_("No face was found that could be shown at another age."),
    "preview_face_turned": N_("The face is seen too much from the side to show it at another age."),
    "preview_face_small": N_("The face is too small to show it at another age."),
    "preview_already_there": N_("This illustration is there already."),
    "photo_already_there": N_("This photo is there already. Please choose a different one."),
    "face_unusable": N_("This face cannot be used. Please choose another photo."),
    "face_too_small": N_(
        "The face is too small to search with. Please send a larger picture, "
        "or one taken from nearer."
    ),
    "face_blurred": N_("The face is too blurred to search with. Please choose a sharper photo."),
    "face_dark": N_("The face is too dark to search with. Please choose a brighter photo."),
    "face_overexposed": N_("The face is too bright to search with. Please choose another photo."),
    "face_low_contrast": N_("The face is too faded to search with. Please choose a clearer photo."),
    "face_profile": N_(
        "The face is seen from the side. Please choose a photo taken from the front."
    ),
    "face_tilted": N_(
        "The face looks too far up or down. Please choose a photo taken from the front."
    ),
    "face_uncertain": N_("We are not certain that this is a face. Please choose another photo."),
    # Searching
    "too_many_searches": N_(
        "You have searched %(limit)s times within an hour. Please come back later."
    ),
    "search_expired": N_(
        "This search is over: the photo was deleted after a day. Please upload it again."
    ),
    # Cases, leads, sightings
    "case_closed": N_("This case is closed. Nothing more can be added to it."),
    "case_over": N_("This case is over. Thank you to everyone who helped."),
    "case_transition": N_(
        "This step is not possible now: somebody may have changed the case. Please look again."
    ),
    "own_case": N_("You reported this case yourself. Somebody else must verify it."),
    "consent_missing": N_("The family has not agreed to publication."),
    "changed_meanwhile": N_("Somebody has changed this meanwhile. Please look again."),
    "conflict": N_("Somebody has changed this meanwhile. Please look again."),
    "radius_out_of_range": N_("Please enter a radius above 0 and up to %(maximum)s km."),
    "polygon_corners": N_("Please draw an area with %(minimum)s to %(maximum)s corners."),
    "polygon_crosses_itself": N_("The outline of the area crosses itself. Please draw it anew."),
    "polygon_holds_pole": N_("The area must not go around a pole of the earth."),
    "broker_unreachable": N_("The message broker does not answer. Alerts go on without it."),
    "alert_not_running": N_("Nobody was told of this case, or it is over."),
    "alert_needs_place": N_("Without a place nobody can be alerted. Please publish without alert."),
    "lead_closed": N_("This lead has been decided already."),
    "duplicate_decided": N_("That is how these two records stand already."),
    "same_reviewer": N_("You accepted this lead first. A second person must confirm it."),
    "sighting_empty": N_("Please say what you saw, where it was, or add a photo."),
    "sighting_decided": N_("This sighting has been dealt with already."),
    "seen_before_lost": N_("This is before the person went missing. Please check the date."),
    "modules_required": N_("Please choose at least one kind of alert."),
    # Accounts
    "email_invalid": N_("Please check the e-mail address, for example name@example.org."),
    "email_taken": N_("There is an account with this address. Please sign in instead."),
    "email_unknown": N_("There is no account with this address."),
    "password_too_short": N_("Please use at least %(minimum)s characters."),
    "sign_in_failed": N_("The e-mail address or the password is wrong. Please try again."),
    "sign_in_required": N_("Please sign in first."),
    "role_required": N_("Your account may not do this."),
    "forbidden": N_("Your account may not do this."),
    "own_account": N_("You cannot change your own role or lock yourself out."),
    # Pages
    "not_found": N_("There is nothing here, or it is not for you to see."),
    "page_not_found": N_("There is no page at this address."),
    "too_many_requests": N_("Too many requests. Please wait a little and try again."),
    "unexpected": N_(
        "Something went wrong on our side. Please try again. "
        "If it happens again, tell us this number: %(request_id)s"
    ),
    "error": _BROKEN,
    # Imports, shown to operators on the terminal and in reports
    "import_columns": N_("The table lacks columns that an import needs."),
    "import_encoding": N_("The table is not written in UTF-8 or GB 18030."),
    "import_source_missing": N_("There is no such folder or file."),
    "year_invalid": N_("This is not a year."),
    "sex_invalid": N_("The sex is written in a way we do not know."),
    "date_invalid": N_("This is not a date."),
    "coordinates_invalid": N_("These are not coordinates."),
    # Between programs; a reader can only come back later
    **dict.fromkeys(
        (
            "vector_dimension",
            "vector_not_finite",
            "vector_zero",
            "vector_not_normalised",
            "space_mismatch",
            "hits_out_of_range",
            "enrolment_lengths",
            "template_ids",
            "gallery_locked",
            "gallery_read_only",
            "gallery_disk_full",
            "gallery_damaged",
            "gallery_missing",
            "gallery_space",
            "gallery_space_differs",
            "gallery_dimension",
            "gallery_shard_unavailable",
            "gallery_shards_differ",
            "model_unusable",
            "model_missing",
            "model_digest_mismatch",
            "model_unknown",
            "model_unreadable",
            "model_config_invalid",
            "model_output",
            "push_key_unusable",
            "smtp_url_unreadable",
            "smtp_sender_missing",
            "public_url_missing",
            "gateways_unreadable",
            "channel_rates_unreadable",
            "channel_busy",
            "bot_not_installed",
            "model_not_permissive",
            "adapter_unusable",
            "adapter_unreadable",
            "adapter_version",
            "adapter_missing",
            "adapter_models_differ",
            "adapter_not_permissive",
            "adapter_data_too_small",
            "adapter_none_installed",
            "calibration_unreadable",
            "folder_layout_unknown",
            "reference_taken",
        ),
        _BROKEN,
    ),
    **dict.fromkeys(
        (
            "database_error",
            "database_busy",
            "database_full",
            "database_in_use",
            "database_disk_full",
            "photo_store_full",
            "database_data_directory_not_writable",
            "database_version_mismatch",
            "database_account_unusable",
            "database_not_started",
            "database_unreachable",
        ),
        _BUSY,
    ),
}

_BYTES_PER_MEGABYTE = 1_000_000


class _Details(dict[str, object]):
    """A detail that the sentence wants and the error lacks is left out, never a failure."""

    def __missing__(self, key: str) -> str:
        return "?"


def message_of(error: ReuniteError, translations: NullTranslations, formats: Formats) -> str:
    """The sentence for an error, with its details."""
    words = MESSAGES.get(error.code, _BROKEN)
    reason = error.details.get("reason")
    sentence = translations.gettext(EXACT_MESSAGES.get(f"{error.code}:{reason}", words))
    details = _Details(error.details)
    antigens = error.details.get("antigens")
    if isinstance(antigens, list):
        details["antigens"] = ", ".join(map(str, antigens))
    for name in ("max", "got"):
        size = error.details.get(f"{name}_bytes")
        if isinstance(size, int):
            megabytes = size / _BYTES_PER_MEGABYTE
            # A decimal only where whole numbers would read "20 MB is more than 20 MB".
            details[f"{name}_megabytes"] = formats.number(megabytes, 1 if name == "got" else 0)
    seconds = error.details.get("retry_after_seconds")
    if isinstance(seconds, int):
        details["retry_after_minutes"] = formats.number(-(-seconds // 60))
    return str(sentence % details)
