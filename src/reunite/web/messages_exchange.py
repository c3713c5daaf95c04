"""Sentences for what goes wrong between Reunite and other registries."""

from collections.abc import Mapping

from reunite.web.i18n import N_

EXCHANGE_MESSAGES: Mapping[str, str] = {
    # XML
    "xml_unreadable": N_("This is not well-formed XML: it cannot be read beyond line %(line)s."),
    "xml_has_dtd": N_(
        "The document declares a document type or entities, which are not accepted. Please send "
        "it without."
    ),
    "xml_too_deep": N_("The document has too many elements within one another."),
    "xml_too_large": N_("The document is too large. Please send it in several parts."),
    # CAP
    "cap_not_cap": N_("This is not a message of CAP 1.2."),
    "cap_token": N_("An identifier or a sender has no spaces, commas, < or &."),
    "cap_reference_missing": N_(
        "An update or a cancellation must name the message that it replaces."
    ),
    "cap_word_unknown": N_("CAP 1.2 does not have this word here."),
    "cap_info_missing": N_("An alert without information tells nobody anything."),
    "cap_ring_open": N_("A polygon has at least three corners and ends where it begins."),
    # PFIF
    "pfif_version_unknown": N_("PFIF %(version)s is not known here; 1.1 to 1.4 are."),
    "pfif_too_many_records": N_(
        "At most %(maximum)s records fit into one document. Please send it in several parts."
    ),
    "record_id_unreadable": N_(
        "A record id has the form domain/number, for example registry.example.org/4711."
    ),
    "date_unreadable": N_("This is not a date as the format asks, e.g. 2026-05-30T08:00:00Z."),
    "date_without_zone": N_(
        "This time does not say in which time zone. Please add Z for UTC, or an offset."
    ),
}
