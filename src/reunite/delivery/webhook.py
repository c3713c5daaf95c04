"""Webhooks: JSON to an organisation's own server, signed, with the guard of all outgoing calls."""

import json
from collections.abc import Sequence

from reunite.delivery.outbound import Outbound, OutboundSettings, Post, receipt_of
from reunite.kernel.clock import Clock
from reunite.kernel.signatures import sign
from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus


class WebhookChannel:
    """Implements ``Channel``; an address is JSON of ``url`` and ``secret``."""

    name = ChannelName.WEBHOOK

    def __init__(self, clock: Clock, settings: OutboundSettings | None = None) -> None:
        self._clock = clock
        self._outbound = Outbound(settings)

    def refuses(self, address: str) -> str:
        """Why an address is not taken, as a code; empty where it is."""
        try:
            url, secret = _read(address)
            sign(secret, "x", self._clock.now(), b"")
        except ValueError:
            return "address_invalid"
        return self._outbound.check(url)

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Try each delivery once; receipts in the same order."""
        receipts: list[Receipt] = [
            Receipt(ReceiptStatus.REFUSED, reason="address_invalid") for _ in deliveries
        ]
        posts, places = [], []
        for place, delivery in enumerate(deliveries):
            try:
                posts.append(self._post(delivery))
            except ValueError:
                continue
            places.append(place)
        for place, answer in zip(places, self._outbound.post_all(posts), strict=True):
            receipts[place] = receipt_of(answer)
        return receipts

    def close(self) -> None:
        """Give back connections and threads."""
        self._outbound.close()

    def _post(self, delivery: Delivery) -> Post:
        url, secret = _read(delivery.address)
        now = self._clock.now()
        body = body_of(delivery, now.isoformat())
        signed = sign(secret, delivery.delivery_id, now, body)
        return Post(url, body, {"Content-Type": "application/json", **signed})


def body_of(delivery: Delivery, timestamp: str) -> bytes:
    """The JSON of a message: type, time and data, as Standard Webhooks recommends."""
    message = delivery.message
    said = {
        "type": f"alert.{message.kind}",
        "timestamp": timestamp,
        "data": {
            "id": delivery.delivery_id,
            "topic": message.topic,
            "language": message.language.value,
            "title": message.title,
            "body": message.body,
            "url": message.url,
            "urgency": message.urgency.value,
            "ttl_seconds": message.ttl_seconds,
        },
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _read(address: str) -> tuple[str, str]:
    try:
        said = json.loads(address)
        url, secret = said["url"], said["secret"]
    except (KeyError, TypeError) as error:
        raise ValueError("no webhook") from error
    if not isinstance(url, str) or not isinstance(secret, str):
        raise ValueError("no webhook")  # noqa: TRY004  (one error for all that is unreadable)
    return url, secret
