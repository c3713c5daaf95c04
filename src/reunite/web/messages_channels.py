"""Sentences for what goes wrong when somebody chooses how to be told."""

from collections.abc import Mapping

from reunite.web.i18n import N_

CHANNEL_MESSAGES: Mapping[str, str] = {
    "channel_not_offered": N_("This way of being told is not offered here."),
    "channel_address_refused": N_(
        "Nothing can be sent to this address. Please check it, or choose another way."
    ),
    "account_disabled": N_("This account has been closed. Please ask those who run the site."),
    "channels_too_many": N_(
        "You are told in %(maximum)s ways already. Please turn one of them off first."
    ),
}
