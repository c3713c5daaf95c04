"""Send oneself a message by every way that is on, to see that it works."""

import secrets
from dataclasses import dataclass

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.app.services import Services
from reunite.ports import (
    ChannelAddress,
    ChannelMessage,
    Delivery,
    ReceiptStatus,
    Urgency,
    topic_of,
)

TTL_SECONDS = 300  # whoever tries it waits for it


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the message at one address."""

    address: ChannelAddress
    status: ReceiptStatus


def try_channels(
    services: Services, actor: Actor | None, title: str, body: str, url: str
) -> list[Trial]:
    """Send to each confirmed address of the actor; the dead ones are forgotten."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        known = transaction.channel_addresses.list_of(actor.account_id)
    message = ChannelMessage(
        title=title,
        body=body,
        url=url,
        language=actor.language,
        topic=topic_of(f"trial {actor.account_id}"),
        urgency=Urgency.HIGH,
        ttl_seconds=TTL_SECONDS,
        kind="trial",
    )
    name = secrets.token_hex(8)
    trials = []
    for channel_name, channel in services.channels.items():
        addresses = [
            one for one in known if one.channel is channel_name and one.confirmed_at is not None
        ]
        deliveries = [
            Delivery(f"trial-{name}-{one.id}", actor.account_id, one.address, message)
            for one in addresses
        ]
        receipts = channel.send(deliveries)
        trials += [
            Trial(address, receipt.status)
            for address, receipt in zip(addresses, receipts, strict=True)
        ]
    _remember(services, trials)
    return trials


def _remember(services: Services, trials: list[Trial]) -> None:
    def those(*statuses: ReceiptStatus) -> list[ChannelAddress]:
        return [trial.address for trial in trials if trial.status in statuses]

    with services.database.transaction() as transaction:
        addresses = transaction.channel_addresses
        addresses.remove([one.id for one in those(ReceiptStatus.GONE)])
        addresses.clear_failures([one.id for one in those(ReceiptStatus.SENT)])
        addresses.count_failures(
            [one.id for one in those(ReceiptStatus.RETRY, ReceiptStatus.REFUSED)]
        )
