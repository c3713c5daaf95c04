"""Deliveries to a chat bot, which checks who sends them."""

import json
from collections.abc import Iterator

import pytest

from reunite.delivery.chat import ChatChannel
from reunite.delivery.outbound import OutboundSettings
from reunite.kernel.clock import FixedClock
from reunite.kernel.signatures import is_genuine
from reunite.ports import ChannelName, ReceiptStatus
from reunite.testing.channels import make_delivery
from reunite.testing.factories import NOW
from tests.contract.channel_contract import ChannelContract, Wired
from tests.receivers import Receiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = OutboundSettings(allow_private=True, connect_seconds=0.5, request_seconds=0.5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def channel(receiver: Receiver) -> Iterator[ChatChannel]:
    made = ChatChannel(receiver.url("/reunite/deliveries"), SECRET, FixedClock(NOW), SETTINGS)
    yield made
    made.close()


class TestChatChannel(ChannelContract):
    @pytest.fixture
    def wired(self, receiver: Receiver, channel: ChatChannel) -> Wired:
        return Wired(
            channel,
            ChannelName.CHAT,
            good=["onebot:10001", "qq:ABC"],
            arrived=lambda: [
                {name.lower(): value for name, value in one.headers.items()}["webhook-id"]
                for one in receiver.arrived
            ],
            senseless=["", "onebot", "onebot:", ":10001", "https://x.example"],
        )


@pytest.mark.parametrize(
    ("answer", "status"),
    [(410, ReceiptStatus.GONE), (503, ReceiptStatus.RETRY), (401, ReceiptStatus.REFUSED)],
)
def test_what_the_bot_answers_decides(
    receiver: Receiver, channel: ChatChannel, answer: int, status: ReceiptStatus
) -> None:
    receiver.answers = {"/reunite/deliveries": (answer, {})}
    [receipt] = channel.send([make_delivery("onebot:10001")])
    assert receipt.status is status


def test_the_bot_can_check_who_writes(receiver: Receiver, channel: ChatChannel) -> None:
    delivery = make_delivery("onebot:10001")
    channel.send([delivery])
    [arrived] = receiver.arrived
    headers = {name.lower(): value for name, value in arrived.headers.items()}
    assert is_genuine(SECRET, headers, arrived.body, NOW)
    said = json.loads(arrived.body)
    assert said["to"] == "onebot:10001"
    assert delivery.message.title in said["text"]
    assert delivery.message.url in said["text"]
