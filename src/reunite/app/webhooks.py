"""Webhooks: who wishes to hear of what; for administrators."""

from reunite.accounts.account import Actor, Role, require_role
from reunite.app.services import Services
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import WebhookId
from reunite.partners.webhooks import EventName, Webhook, new_webhook_secret

ADMINS = frozenset({Role.ADMIN})


def add_webhook(
    services: Services, actor: Actor | None, address: str, events: frozenset[EventName]
) -> Webhook:
    """Tell a server from now on; its ``secret`` is for the partner, to check signatures with.

    Raises InvalidInputError ``peer_address_unusable`` or ``required``.
    """
    require_role(actor, ADMINS)
    if not address.startswith(("https://", "http://")):
        raise InvalidInputError("peer_address_unusable", field="address")
    if not events:
        raise InvalidInputError("required", field="events")
    webhook = Webhook(address, events, services.clock.now(), new_webhook_secret())
    with services.database.transaction() as transaction:
        transaction.webhooks.add(webhook)
    return webhook


def disable_webhook(services: Services, actor: Actor | None, webhook_id: WebhookId) -> None:
    """Tell a server nothing more.  Raises NotFoundError."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        webhook = transaction.webhooks.find(webhook_id, lock=True)
        if webhook is None:
            raise NotFoundError
        webhook.disabled_at = webhook.disabled_at or services.clock.now()
        transaction.webhooks.save(webhook)


def list_webhooks(services: Services, actor: Actor | None) -> list[Webhook]:
    """All of them, disabled ones too."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        return transaction.webhooks.list_all()
