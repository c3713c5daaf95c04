"""Ask the owner of an address whether they wish to be told there."""

from collections.abc import Mapping

from reunite.app.choose_channels import confirm_link
from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError
from reunite.kernel.languages import Language
from reunite.ports import (
    ChannelAddressId,
    ChannelMessage,
    Delivery,
    ReceiptStatus,
    Transaction,
    Urgency,
    topic_of,
)

TTL_SECONDS = 86_400

# Not of the pages: whoever is asked may never have seen one.
_TITLES: Mapping[Language, str] = {
    Language.EN: "Do you wish to be told when somebody is lost?",
    Language.ZH: "有人走失时，您愿意收到提醒吗？",
}
_QUESTIONS: Mapping[Language, str] = {
    Language.EN: (
        "Somebody gave this address to Reunite, which tells volunteers when a person near them "
        "is lost. If it was you, open the link and press the button. If not, do nothing: you "
        "will hear nothing more."
    ),
    Language.ZH: (
        "有人在“重逢”登记了这个地址。重逢会在附近有人走失时通知志愿者。如果是您本人，请打开链接并按"
        "按钮确认；如果不是，无需理会，您不会再收到任何消息。"
    ),
}


def confirm_channel(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Send the question, once; runs in the worker.

    Raises ReuniteError ``channel_busy`` where it is to be tried again later.
    """
    address_id = ChannelAddressId(int(str(payload["address_id"])))
    address = transaction.channel_addresses.find(address_id)
    channel = None if address is None else services.channels.get(address.channel)
    if address is None or channel is None or address.confirmed_at is not None:
        return
    language = transaction.accounts.get(address.account_id).language
    token = confirm_link(services.links, address)
    message = ChannelMessage(
        title=_TITLES[language],
        body=_QUESTIONS[language],
        url=f"{services.settings.public_url}/{language.value}/confirm/{token}",
        language=language,
        topic=topic_of(f"confirm {address.id}"),
        urgency=Urgency.NORMAL,
        ttl_seconds=TTL_SECONDS,
        kind="confirm",
    )
    delivery = Delivery(f"confirm-{address.id}", address.account_id, address.address, message)
    [receipt] = channel.send([delivery])
    if receipt.status is ReceiptStatus.RETRY:
        raise ReuniteError("channel_busy")
    if receipt.status is ReceiptStatus.GONE:
        transaction.channel_addresses.remove([address.id])
