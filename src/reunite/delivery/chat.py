"""To the chat bot, which writes into QQ and other networks; a process of its own."""

import json
import re
from collections.abc import Sequence

from reunite.delivery.outbound import Outbound, OutboundSettings, Post, receipt_of
from reunite.kernel.clock import Clock
from reunite.kernel.signatures import sign
from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus

_ADDRESS = re.compile(r"[a-z]{1,16}:[A-Za-z0-9_-]{1,128}")


class ChatChannel:
    """Implements ``Channel``; an address is a network and somebody's id there, ``onebot:10001``.

    ``url`` is the operator's own bot, usually on the same machine.
    """

    name = ChannelName.CHAT

    def __init__(
        self, url: str, secret: str, clock: Clock, settings: OutboundSettings | None = None
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._outbound = Outbound(settings or OutboundSettings(allow_private=True))

    def refuses(self, address: str) -> str:
        """Why an address is not taken, as a code; empty where it is."""
        return "" if _ADDRESS.fullmatch(address) else "address_invalid"

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Try each delivery once; receipts in the same order."""
        receipts = [Receipt(ReceiptStatus.REFUSED, reason="address_invalid") for _ in deliveries]
        places = [n for n, one in enumerate(deliveries) if not self.refuses(one.address)]
        posts = [self._post(deliveries[place]) for place in places]
        for place, answer in zip(places, self._outbound.post_all(posts), strict=True):
            receipts[place] = receipt_of(answer)
        return receipts

    def close(self) -> None:
        """Give back connections and threads."""
        self._outbound.close()

    def _post(self, delivery: Delivery) -> Post:
        message = delivery.message
        said = {
            "to": delivery.address,
            "text": f"{message.title}\n{message.body}\n{message.url}",
        }
        body = json.dumps(said, ensure_ascii=False).encode()
        signed = sign(self._secret, delivery.delivery_id, self._clock.now(), body)
        return Post(self._url, body, {"Content-Type": "application/json", **signed})
