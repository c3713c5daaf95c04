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
    # Keys
    "key_required": N_("This address needs a key of a partner."),
    "key_unknown": N_("This key opens nothing: it is not known, has ended or was revoked."),
    "key_scope_missing": N_("This key does not open that: it lacks the scope %(scope)s."),
    "key_ended": N_("This key has ended. Please make a new one."),
    "domain_unreadable": N_("A domain looks like registry.example.org."),
    "own_domain": N_("Records of this domain are our own; no partner writes them."),
    "account_not_staff": N_(
        "%(email)s is no reviewer, officer or administrator, and cannot answer for a partner."
    ),
    "date_in_past": N_("This lies in the past. Please check the date."),
    # Other people's servers
    "peer_unreachable": N_("The other server does not answer."),
    "peer_refused": N_("The other server refused, with status %(status)s."),
    "peer_too_large": N_("The other server sent more than we take at once."),
    "peer_address_unusable": N_("An address begins with https:// or http://."),
    "webhook_unsigned": N_("The message is not signed."),
    "webhook_forged": N_("The signature is not ours."),
    "webhook_stale": N_("The message is too old to be believed."),
    "feed_loops": N_("The feed repeats itself and leads nowhere."),
    "repository_without_account": N_("Whoever answered for this repository may not come in."),
    "cap_sender_strange": N_("The sender of the message does not belong to this partner."),
}
