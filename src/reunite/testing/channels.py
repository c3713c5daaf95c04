"""A channel that keeps what it was given, and messages to give it."""

import threading
from collections.abc import Mapping, Sequence
from itertools import count

from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language
from reunite.ports.channels import (
    ChannelMessage,
    ChannelName,
    Delivery,
    Receipt,
    ReceiptStatus,
    Urgency,
    topic_of,
)

SENT = Receipt(ReceiptStatus.SENT)

_numbers = count(1)


class FakeChannel:
    """Implements ``Channel``.  ``answers`` says what becomes of an address; others get theirs."""

    def __init__(
        self,
        name: ChannelName = ChannelName.WEB_PUSH,
        answers: Mapping[str, Receipt] | None = None,
    ) -> None:
        self.name = name
        self.answers = dict(answers or {})
        self.attempts: list[Delivery] = []
        self.closed = False
        self._lock = threading.Lock()

    @property
    def sent(self) -> list[Delivery]:
        """What has arrived, in order, repetitions included."""
        return [one for one in self.attempts if self._answer(one).status is ReceiptStatus.SENT]

    def screen(self, address: str) -> list[ChannelMessage]:
        """What the device at this address shows: of one topic only the latest message."""
        shown: dict[str, ChannelMessage] = {}
        for delivery in self.sent:
            if delivery.address == address:
                shown[delivery.message.topic] = delivery.message
        return list(shown.values())

    def refuses(self, address: str) -> str:
        answer = self.answers.get(address, SENT)
        return answer.reason if answer.status is ReceiptStatus.REFUSED else ""

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        if self.closed:
            raise RuntimeError("the channel is closed")
        with self._lock:
            self.attempts.extend(deliveries)
        return [self._answer(delivery) for delivery in deliveries]

    def close(self) -> None:
        self.closed = True

    def _answer(self, delivery: Delivery) -> Receipt:
        return self.answers.get(delivery.address, SENT)


class FakePushChannel(FakeChannel):
    """Implements ``PushChannel``."""

    public_key = "BFakeKeyOfNobody"

    def __init__(self, answers: Mapping[str, Receipt] | None = None, room: int = 100) -> None:
        super().__init__(ChannelName.WEB_PUSH, answers)
        self.prepared: list[str] = []
        self._room = room

    def prepare(self, addresses: Sequence[str]) -> bool:
        self.prepared.extend(addresses[: self._room - len(self.prepared)])
        return len(self.prepared) < self._room


def make_message(
    *,
    title: str = "走失儿童：王乐乐",
    body: str = "男孩，6 岁，西湖边走失。看到请告诉我们。",
    url: str = "https://reunite.example/zh/cases/7K3M9QX2TB",
    language: Language = DEFAULT_LANGUAGE,
    topic: str | None = None,
    urgency: Urgency = Urgency.HIGH,
    ttl_seconds: int = 3600,
    kind: str = "published",
) -> ChannelMessage:
    """What a volunteer in Hangzhou is told about a lost boy."""
    return ChannelMessage(
        title=title,
        body=body,
        url=url,
        language=language,
        topic=topic or topic_of("7K3M9QX2TB"),
        urgency=urgency,
        ttl_seconds=ttl_seconds,
        kind=kind,
    )


def make_delivery(
    address: str,
    *,
    message: ChannelMessage | None = None,
    delivery_id: str | None = None,
    volunteer_id: int = 1,
) -> Delivery:
    """A message on its way; every one has another id."""
    number = next(_numbers)
    return Delivery(
        delivery_id=delivery_id or f"notice-1-{number}",
        volunteer_id=AccountId(volunteer_id),
        address=address,
        message=message or make_message(),
    )
