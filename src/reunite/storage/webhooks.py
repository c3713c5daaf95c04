"""Webhooks in PostgreSQL."""

from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from reunite.kernel.ids import WebhookId
from reunite.partners.webhooks import EventName, Webhook
from reunite.storage.tables import webhooks


class PostgresWebhooks:
    """Implements ``WebhookRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, webhook: Webhook) -> WebhookId:
        """Sets ``webhook.id``."""
        webhook.id = WebhookId(
            self._connection.execute(
                insert(webhooks)
                .values(
                    address=webhook.address,
                    events=sorted(webhook.events),
                    created_at=webhook.created_at,
                    secret=webhook.secret,
                    failures=webhook.failures,
                    disabled_at=webhook.disabled_at,
                )
                .returning(webhooks.c.id)
            ).scalar_one()
        )
        return webhook.id

    def find(self, webhook_id: WebhookId, *, lock: bool = False) -> Webhook | None:
        wanted = select(webhooks).where(webhooks.c.id == webhook_id)
        found = self._list(wanted.with_for_update() if lock else wanted)
        return found[0] if found else None

    def list_all(self) -> list[Webhook]:
        """By id."""
        return self._list(select(webhooks).order_by(webhooks.c.id))

    def save(self, webhook: Webhook) -> None:
        """Write failures and whether it is disabled."""
        self._connection.execute(
            update(webhooks)
            .where(webhooks.c.id == webhook.id)
            .values(failures=webhook.failures, disabled_at=webhook.disabled_at)
        )

    def _list(self, wanted: Select[Any]) -> list[Webhook]:
        return [
            Webhook(
                address=row.address,
                events=frozenset(EventName(one) for one in row.events),
                created_at=row.created_at,
                secret=row.secret,
                failures=row.failures,
                disabled_at=row.disabled_at,
                id=WebhookId(row.id),
            )
            for row in self._connection.execute(wanted)
        ]
