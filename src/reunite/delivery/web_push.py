"""Web Push: to browsers, through the push services that their makers run (RFC 8030)."""

import json
from collections.abc import Sequence
from typing import Any

from reunite.delivery.outbound import (
    Outbound,
    OutboundSettings,
    Post,
    origin_of,
    receipt_of,
)
from reunite.delivery.vapid import Vapid
from reunite.delivery.web_push_encryption import (
    MAX_PLAINTEXT_BYTES,
    AgreementPool,
    Subscription,
    encrypt,
    parse_subscription,
)
from reunite.ports import ChannelMessage, ChannelName, Delivery, Receipt, ReceiptStatus

POOL_CAPACITY = 200_000  # browsers prepared for; about 80 MB


class WebPushChannel:
    """Implements ``Channel``; an address is the JSON of a push subscription.

    A new message of the same topic replaces what a push service still holds back; on the
    device the service worker does the same by the notification's tag.
    """

    name = ChannelName.WEB_PUSH

    def __init__(
        self,
        vapid: Vapid,
        settings: OutboundSettings | None = None,
        *,
        pool_capacity: int = POOL_CAPACITY,
    ) -> None:
        self._vapid = vapid
        self._outbound = Outbound(settings)
        self._pool = AgreementPool(pool_capacity)

    @property
    def public_key(self) -> str:
        """What a browser subscribes with."""
        return self._vapid.public_key

    @property
    def prepared(self) -> int:
        """How many browsers an agreement is ready for."""
        return len(self._pool)

    def refuses(self, address: str) -> str:
        """Why a subscription is not taken, as a code; empty where it is."""
        try:
            return self._outbound.check(parse_subscription(address).endpoint)
        except ValueError:
            return "address_invalid"

    def prepare(self, addresses: Sequence[str]) -> bool:
        """Do ahead what can be done before there is a message; whether there is room for more."""
        subscriptions = (_parsed(address) for address in addresses)
        self._pool.prepare(one for one in subscriptions if one is not None)
        return not self._pool.is_full

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Try each delivery once; receipts in the same order."""
        receipts: list[Receipt | None] = [None] * len(deliveries)
        posts, places = [], []
        for place, delivery in enumerate(deliveries):
            subscription = _parsed(delivery.address)
            payload = payload_of(delivery)
            if subscription is None or len(payload) > MAX_PLAINTEXT_BYTES:
                reason = "address_invalid" if subscription is None else "message_too_large"
                receipts[place] = Receipt(ReceiptStatus.REFUSED, reason=reason)
            else:
                posts.append(self._post(subscription, delivery.message, payload))
                places.append(place)
        for place, answer in zip(places, self._outbound.post_all(posts), strict=True):
            receipts[place] = receipt_of(answer)
        return [receipt for receipt in receipts if receipt is not None]

    def close(self) -> None:
        """Give back connections and threads."""
        self._outbound.close()

    def _post(self, subscription: Subscription, message: ChannelMessage, payload: bytes) -> Post:
        return Post(
            subscription.endpoint,
            encrypt(self._pool.take(subscription), payload),
            {
                "Authorization": self._vapid.authorization(origin_of(subscription.endpoint)),
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(message.ttl_seconds),
                "Topic": message.topic,
                "Urgency": message.urgency.value,
            },
        )


def payload_of(delivery: Delivery) -> bytes:
    """What the service worker reads; a text that is too long loses its end.

    ``id`` tells duplicates apart, ``topic`` says what a message replaces.
    """
    message = delivery.message
    said: dict[str, Any] = {
        "id": delivery.delivery_id,
        "topic": message.topic,
        "kind": message.kind,
        "language": message.language.value,
        "title": message.title,
        "body": message.body,
        "url": message.url,
    }
    payload = _json(said)
    while len(payload) > MAX_PLAINTEXT_BYTES and said["body"]:
        # A character of Chinese is three bytes: cut too little, and look again.
        excess = max(1, (len(payload) - MAX_PLAINTEXT_BYTES) // 4)
        said["body"] = said["body"][:-excess].rstrip()
        payload = _json(said)
    return payload


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(address: str) -> Subscription | None:
    try:
        return parse_subscription(address)
    except ValueError:
        return None
