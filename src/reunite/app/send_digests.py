"""Once a day, in one message: what has come for those who do not wish to hear at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from reunite.app.notice_words import message_of
from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError
from reunite.kernel.languages import Language
from reunite.ports import (
    ChannelAddress,
    ChannelAddressId,
    ChannelMessage,
    Delivery,
    ReceiptStatus,
    Transaction,
    Urgency,
    topic_of,
)

EVERY = timedelta(days=1)
AT_ONCE = 500  # claimed by one worker in a row; it has other things to do
ENTRIES = 50
TTL_SECONDS = 86_400

_TITLES: Mapping[Language, str] = {
    Language.EN: "Reunite: {count} messages since yesterday",
    Language.ZH: "重逢：过去一天的 {count} 条消息",
}


def queue_digests(services: Services) -> int:
    """Have those sent that are due; how many.

    What an address is due and the message that sends it are written in one transaction.
    """
    now = services.clock.now()
    for queued in range(AT_ONCE):
        with services.database.transaction() as transaction:
            address = transaction.channel_addresses.claim_digest(now - EVERY, now)
            if address is None:
                return queued
            since = address.digested_at or address.confirmed_at
            said = {"address_id": address.id, "until": now.isoformat()}
            if since is not None:
                transaction.outbox.add("send_digest", {**said, "since": since.isoformat()})
    return AT_ONCE


def send_digest(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Send what has come between two times; nothing where nothing has.  Runs in the worker.

    Raises ReuniteError ``channel_busy`` where it is to be tried again later.
    """
    address = transaction.channel_addresses.find(ChannelAddressId(int(str(payload["address_id"]))))
    channel = None if address is None else services.channels.get(address.channel)
    if address is None or channel is None:
        return
    since, until = (datetime.fromisoformat(str(payload[name])) for name in ("since", "until"))
    message = _compose(services, transaction, address, since, until)
    if message is None:
        return
    # The same at every attempt: a mail program shows it once.
    name = f"digest-{address.id}-{int(until.timestamp())}"
    delivery = Delivery(name, address.account_id, address.address, message)
    [receipt] = channel.send([delivery])
    if receipt.status is ReceiptStatus.RETRY:
        raise ReuniteError("channel_busy")
    if receipt.status is ReceiptStatus.GONE:
        transaction.channel_addresses.remove([address.id])


def _compose(
    services: Services,
    transaction: Transaction,
    address: ChannelAddress,
    since: datetime,
    until: datetime,
) -> ChannelMessage | None:
    language = transaction.accounts.get(address.account_id).language
    entries = [
        entry
        for entry in transaction.notices.list_inbox(address.account_id, limit=ENTRIES)
        # What comes in this very moment is told tomorrow, and once.
        if since <= entry.delivered_at < until
    ]
    cases = transaction.cases.get_many(list({entry.case_id for entry in entries}))
    lines = []
    for entry in reversed(entries):
        # Made from the case as it is now: a name that has left the public side is not told.
        notice = transaction.notices.get(entry.notice_id)
        said = message_of(services, notice, cases[entry.case_id], language)
        if said is not None:
            lines.append(f"{said.title}\n{said.body}\n{said.url}")
    if not lines:
        return None
    return ChannelMessage(
        title=_TITLES[language].format(count=len(lines)),
        body="\n\n".join(lines),
        url=f"{services.settings.public_url}/{language.value}/inbox",
        language=language,
        topic=topic_of(f"digest {address.id}"),
        urgency=Urgency.LOW,
        ttl_seconds=TTL_SECONDS,
        kind="digest",
    )
