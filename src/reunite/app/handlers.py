"""What is done about each topic of the outbox."""

from collections.abc import Callable, Mapping

from reunite.app.confirm_channel import confirm_channel
from reunite.app.fetch_photo import fetch_photo
from reunite.app.make_previews import make_previews
from reunite.app.match_facts import match_facts
from reunite.app.match_record import match_record
from reunite.app.notify_audience import notify_audience, open_inboxes
from reunite.app.recruit_donors import recruit_donors
from reunite.app.send_digests import send_digest
from reunite.app.services import Services
from reunite.app.tell_partners import deliver_webhook, tell_partners
from reunite.app.tell_reporter import tell_reporter
from reunite.app.widen_alert import widen_alert
from reunite.ports import Transaction

Handler = Callable[[Services, Transaction, Mapping[str, object]], None]

HANDLERS: Mapping[str, Handler] = {
    "confirm_channel": confirm_channel,
    "fetch_photo": fetch_photo,
    "send_digest": send_digest,
    "match_facts": match_facts,
    "match_import": match_facts,
    "make_previews": make_previews,
    "match_record": match_record,
    "recruit_donors": recruit_donors,
    "tell_reporter": tell_reporter,
    "notify_audience": notify_audience,
    "tell_partners": tell_partners,
    "deliver_webhook": deliver_webhook,
    "open_inboxes": open_inboxes,
    "widen_alert": widen_alert,
}

# These ask servers of others, which may take their time; the rest must not wait for them.
OUTSIDE_TOPICS = frozenset({"confirm_channel", "deliver_webhook", "fetch_photo", "send_digest"})
