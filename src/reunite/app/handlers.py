"""What is done about each topic of the outbox."""

from collections.abc import Callable, Mapping

from reunite.app.make_previews import make_previews
from reunite.app.match_record import match_record
from reunite.app.notify_audience import notify_audience, open_inboxes
from reunite.app.services import Services
from reunite.app.tell_partners import deliver_webhook, tell_partners
from reunite.app.widen_alert import widen_alert
from reunite.ports import Transaction

Handler = Callable[[Services, Transaction, Mapping[str, object]], None]

HANDLERS: Mapping[str, Handler] = {
    "make_previews": make_previews,
    "match_record": match_record,
    "notify_audience": notify_audience,
    "tell_partners": tell_partners,
    "deliver_webhook": deliver_webhook,
    "open_inboxes": open_inboxes,
    "widen_alert": widen_alert,
}
