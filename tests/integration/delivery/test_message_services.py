"""Apprise, with its plug-in for plain JSON instead of somebody's telephone."""

import json
from collections.abc import Iterator, Sequence

import pytest

from reunite.delivery.message_services import OWN_TOKEN_SCHEMES, MessageServiceChannel
from reunite.ports import ChannelName, Delivery, Receipt, ReceiptStatus
from reunite.testing.channels import make_delivery, make_message
from tests.contract.channel_contract import ChannelContract, Wired
from tests.receivers import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def make_channel(receiver: Receiver) -> MessageServiceChannel:
    gateway = f"json://127.0.0.1:{receiver.port}/sms/{{address}}"
    return MessageServiceChannel(
        {"sms": gateway}, OWN_TOKEN_SCHEMES | {"json"}, operation_seconds=0.5
    )


@pytest.fixture
def channel(receiver: Receiver) -> Iterator[MessageServiceChannel]:
    made = make_channel(receiver)
    yield made
    made.close()


class Remembering:
    """The channel, and which delivery was for which path: Apprise sends no ids."""

    def __init__(self, channel: MessageServiceChannel) -> None:
        self._channel = channel
        self.by_path: dict[str, str] = {}
        self.name = channel.name
        self.refuses = channel.refuses
        self.close = channel.close

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        self.by_path |= {
            "/" + one.address.rpartition("/")[2]: one.delivery_id for one in deliveries
        }
        return self._channel.send(deliveries)


class TestMessageServiceChannel(ChannelContract):
    @pytest.fixture
    def wired(self, receiver: Receiver, channel: MessageServiceChannel) -> Wired:
        receiver.answers = {"/busy": (503, {}), "/hangs": (0, {})}
        remembering = Remembering(channel)

        def at(path: str) -> str:
            return f"json://127.0.0.1:{receiver.port}{path}"

        return Wired(
            remembering,
            ChannelName.APPRISE,
            good=[at("/ann"), at("/bo")],
            arrived=lambda: [
                remembering.by_path[one.path]
                for one in receiver.arrived
                if one.path in {"/ann", "/bo"}
            ],
            busy=at("/busy"),
            hanging=at("/hangs"),
            senseless=["", "nonsense", "nobody://x", "fax:+8613800000000", "sms:", "sms:a b"],
        )


def test_the_gateway_of_the_operator_is_told_whom(
    receiver: Receiver, channel: MessageServiceChannel
) -> None:
    message = make_message()
    assert channel.refuses("sms:+8613800000000") == ""
    [receipt] = channel.send([make_delivery("sms:+8613800000000", message=message)])
    assert receipt.status is ReceiptStatus.SENT
    [arrived] = receiver.arrived
    assert arrived.path == "/sms/+8613800000000"
    said = json.loads(arrived.body)
    assert said["title"] == message.title
    assert message.url in said["message"]
    assert "sms:" in channel.services


@pytest.mark.parametrize(
    "address",
    [
        "tgram://123456789:abcdefg_hijklmnop-qrstuvwxyz/12315544",
        "wecombot://A1B2C3d4-e5f6-7890-abcd-ef1234567890",
        "dingtalk://" + "a" * 64,
        "feishu://" + "a1b2c3d4-" * 4,
        "schan://" + "sct123tabcdefghijklmnopqrstuvwx",
    ],
)
def test_tokens_of_well_known_services_are_taken(
    channel: MessageServiceChannel, address: str
) -> None:
    assert channel.refuses(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/",
        "xml://10.0.0.1",
        "file:///etc/passwd",
        "syslog://",
        "mailto://user:password@mail.example",
        "ntfy://internal.example/topic",
        "onebot://127.0.0.1",
        "tgram://123456789:abcdefg_hijklmnop-qrstuvwxyz/12315544?image=yes",
        "tgram://short",
        "sms:../../secret",
    ],
)
def test_nobody_has_this_server_call_elsewhere(receiver: Receiver, address: str) -> None:
    channel = MessageServiceChannel({"sms": f"json://127.0.0.1:{receiver.port}/{{address}}/x"})
    assert channel.refuses(address) == "address_invalid"
    [receipt] = channel.send([make_delivery(address)])
    assert receipt == Receipt(ReceiptStatus.REFUSED, reason="address_invalid")
    assert receiver.arrived == []
    channel.close()
