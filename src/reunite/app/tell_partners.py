"""Tell other systems that a case has been published, changed or closed: CAP and webhooks.

Both steps run in the worker.  Each delivery is a message of the outbox by itself, so that one
partner who does not answer holds up nobody else.
"""

import json
from collections.abc import Mapping

import structlog

from reunite.app.issue_alerts import record_alert, record_cancel
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import CaseId, WebhookId
from reunite.kernel.people import Side
from reunite.partners.pfif.records import format_time
from reunite.partners.webhooks import GIVE_UP_AFTER, EventName, headers
from reunite.ports import Transaction

log = structlog.get_logger(__name__)


def tell_partners(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Record the CAP message and queue a delivery for every webhook that wishes to hear."""
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    event = EventName(str(payload["event"]))
    now = services.clock.now()
    if event is EventName.CASE_CLOSED:
        record_cancel(transaction, case.id, now)
    elif "radius_km" in payload and case.is_public and case.side is Side.MISSING:
        record_alert(transaction, case.id, float(str(payload["radius_km"])), now)
    body = {
        "type": event.value,
        "timestamp": format_time(now),
        "data": _data(services, case, str(payload.get("record_id", ""))),
    }
    for webhook in transaction.webhooks.list_all():
        if webhook.disabled_at is None and event in webhook.events:
            message_id = f"msg_{case.reference}_{event.value}_{case.version}_{webhook.id}"
            transaction.outbox.add(
                "deliver_webhook",
                {"webhook_id": webhook.id, "message_id": message_id, "body": body},
            )


def _data(services: Services, case: Case, record_id: str) -> dict[str, object]:
    """What a webhook carries: which case, never who.  The feed has the rest, for its readers."""
    return {
        "record_id": record_id or f"{services.settings.domain}/{case.reference}",
        "reference": case.reference,
        "module": case.module.name.lower(),
        "side": case.side.name.lower(),
        "status": case.status.value,
    }


def deliver_webhook(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Send one message to one partner.

    A failure is kept for the next attempt by the outbox; after two days without an answer the
    webhook is switched off.
    """
    webhook = transaction.webhooks.find(WebhookId(int(str(payload["webhook_id"]))))
    if webhook is None or webhook.disabled_at is not None:
        return
    body = json.dumps(payload["body"], ensure_ascii=False).encode()
    # Signed anew at each attempt: whoever receives it refuses what is older than minutes.
    signed = headers(webhook.secret, str(payload["message_id"]), services.clock.now(), body)
    try:
        services.outside.post(webhook.address, signed, body)
    except ReuniteError:
        _count_failure(services, webhook.id)
        raise
    if webhook.failures:
        webhook.failures = 0
        transaction.webhooks.save(webhook)


def _count_failure(services: Services, webhook_id: WebhookId) -> None:
    # In a transaction of its own: that of the message is undone when the attempt fails.
    with services.database.transaction() as transaction:
        webhook = transaction.webhooks.find(webhook_id, lock=True)
        if webhook is None:
            return
        webhook.failures += 1
        if webhook.failures >= GIVE_UP_AFTER:
            webhook.disabled_at = services.clock.now()
            log.warning("webhook_given_up", webhook_id=webhook_id)
        transaction.webhooks.save(webhook)
