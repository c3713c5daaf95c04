"""Webhooks to a receiver that checks them as Standard Webhooks prescribes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.webhook import WebhookChannel
from reunite.kernel.clock import FixedClock
from reunite.kernel.signatures import is_genuine
from reunite.ports import ChannelName, Receipt, ReceiptStatus
from reunite.testing.channels import make_delivery
from reunite.testing.factories import NOW
from tests.contract.channel_contract import ChannelContract, Wired
from tests.receivers import Arrived, Receiver, receiving

SETTINGS = OutboundSettings(allow_private=True, connect_seconds=0.5, request_seconds=0.5)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def address(url: str, secret: str = SECRET) -> str:
    return json.dumps({"url": url, "secret": secret})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def channel() -> Iterator[WebhookChannel]:
    made = WebhookChannel(FixedClock(NOW), SETTINGS)
    yield made
    made.close()


class TestWebhookChannel(ChannelContract):
    @pytest.fixture
    def wired(self, receiver: Receiver, channel: WebhookChannel) -> Wired:
        receiver.answers = {
            "/busy": (503, {"Retry-After": "30"}),
            "/dead": (410, {}),
            "/hangs": (0, {}),
        }
        return Wired(
            channel,
            ChannelName.WEBHOOK,
            good=[address(receiver.url("/ann")), address(receiver.url("/bo"))],
            arrived=lambda: [
                json.loads(one.body)["data"]["id"]
                for one in receiver.arrived
                if one.path in {"/ann", "/bo"}
            ],
            busy=address(receiver.url("/busy")),
            dead=address(receiver.url("/dead")),
            hanging=address(receiver.url("/hangs")),
            senseless=[
                "",
                "{}",
                "[]",
                "https://x.example",
                address("ftp://x.example"),
                address("https://x.example", "*"),
                address("https://x.example", ""),
                json.dumps({"url": 1, "secret": 2}),
            ],
        )


def lower(arrived: Arrived) -> dict[str, str]:
    return {name.lower(): value for name, value in arrived.headers.items()}


def test_the_receiver_can_check_who_sent_it(receiver: Receiver, channel: WebhookChannel) -> None:
    delivery = make_delivery(address(receiver.url("/ann")))
    channel.send([delivery])
    [arrived] = receiver.arrived
    headers = lower(arrived)
    # Written out here, so that it is not our own function that says yes.
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + arrived.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    # The same at every attempt: a receiver tells repetitions by it.
    assert headers["webhook-id"] == delivery.delivery_id
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert is_genuine(SECRET, headers, arrived.body, NOW)
    said = json.loads(arrived.body)
    assert said["type"] == "alert.published"
    assert said["data"]["title"] == delivery.message.title


def test_no_redirect_is_followed(receiver: Receiver, channel: WebhookChannel) -> None:
    receiver.answers = {"/a": (302, {"Location": receiver.url("/secret")})}
    [receipt] = channel.send([make_delivery(address(receiver.url("/a")))])
    assert receipt == Receipt(ReceiptStatus.REFUSED, reason="redirected")
    assert [one.path for one in receiver.arrived] == ["/a"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]"])
def test_no_network_of_our_own_is_reached(receiver: Receiver, host: str) -> None:
    channel = WebhookChannel(FixedClock(NOW), OutboundSettings())
    [receipt] = channel.send([make_delivery(address(f"https://{host}:{receiver.port}/"))])
    assert receipt == Receipt(ReceiptStatus.REFUSED, reason="address_forbidden")
    assert receiver.arrived == []
    channel.close()
