"""Web Push against a push service that speaks real HTTP."""

import json
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.vapid import Vapid
from reunite.delivery.web_push import WebPushChannel
from reunite.kernel.clock import SystemClock
from reunite.ports import ChannelName, Receipt, ReceiptStatus, Urgency
from reunite.testing.channels import make_delivery, make_message
from tests.browsers import Subscriber
from tests.contract.channel_contract import ChannelContract, Wired
from tests.receivers import Receiver, receiving

SETTINGS = OutboundSettings(allow_private=True, connect_seconds=0.5, request_seconds=0.5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def make_channel(settings: OutboundSettings = SETTINGS) -> WebPushChannel:
    vapid = Vapid(
        ec.generate_private_key(ec.SECP256R1()), "mailto:ops@reunite.example", SystemClock()
    )
    return WebPushChannel(vapid, settings, pool_capacity=100)


@pytest.fixture
def channel() -> Iterator[WebPushChannel]:
    made = make_channel()
    yield made
    made.close()


class TestWebPushChannel(ChannelContract):
    @pytest.fixture
    def wired(self, receiver: Receiver, channel: WebPushChannel) -> Wired:
        receiver.answers = {
            "/busy": (429, {"Retry-After": "30"}),
            "/dead": (410, {}),
            "/hangs": (0, {}),
        }
        people = {
            name: Subscriber(receiver.url(f"/{name}"))
            for name in ("ann", "bo", "busy", "dead", "hangs")
        }

        def arrived() -> list[str]:
            return [
                people[one.path[1:]].read(one.body)["id"]
                for one in receiver.arrived
                if one.path in {"/ann", "/bo"}
            ]

        return Wired(
            channel,
            ChannelName.WEB_PUSH,
            good=[people["ann"].subscription, people["bo"].subscription],
            arrived=arrived,
            busy=people["busy"].subscription,
            dead=people["dead"].subscription,
            hanging=people["hangs"].subscription,
            senseless=["", "{}", "nonsense", Subscriber("ftp://push.example/").subscription],
        )


def test_the_push_service_is_told_what_the_standard_says(
    receiver: Receiver, channel: WebPushChannel
) -> None:
    ann = Subscriber(receiver.url("/ann"))
    message = make_message(urgency=Urgency.HIGH, ttl_seconds=7200)
    delivery = make_delivery(ann.subscription, message=message)
    channel.send([delivery])
    [arrived] = receiver.arrived
    assert arrived.headers["TTL"] == "7200"
    assert arrived.headers["Urgency"] == "high"
    assert arrived.headers["Topic"] == message.topic
    assert arrived.headers["Content-Encoding"] == "aes128gcm"
    assert arrived.headers["Authorization"].startswith("vapid t=ey")
    assert "Cookie" not in arrived.headers
    assert ann.read(arrived.body) == {
        "id": delivery.delivery_id,
        "topic": message.topic,
        "kind": "published",
        "language": "zh",
        "title": message.title,
        "body": message.body,
        "url": message.url,
    }


def test_what_was_prepared_is_used_and_arrives(receiver: Receiver, channel: WebPushChannel) -> None:
    people = [Subscriber(receiver.url(f"/{number}")) for number in range(20)]
    assert channel.prepare([*(one.subscription for one in people), "nonsense"])
    assert channel.prepared == 20
    channel.send([make_delivery(one.subscription) for one in people])
    assert channel.prepared == 0
    read = {one.path: people[int(one.path[1:])].read(one.body) for one in receiver.arrived}
    assert len(read) == 20
    # A second message needs a second agreement, prepared or not.
    channel.send([make_delivery(people[0].subscription)])
    assert people[0].read(receiver.arrived[-1].body)
    assert receiver.arrived[-1].body[21:86] != receiver.arrived[0].body[21:86]


def test_a_service_that_asks_for_time_is_given_it(
    receiver: Receiver, channel: WebPushChannel
) -> None:
    receiver.answers = {"/a": (503, {"Retry-After": "120"}), "/b": (500, {})}
    people = [Subscriber(receiver.url(path)) for path in ("/a", "/b")]
    receipts = channel.send([make_delivery(one.subscription) for one in people])
    assert receipts == [
        Receipt(ReceiptStatus.RETRY, 120.0, "server_error"),
        Receipt(ReceiptStatus.RETRY, None, "server_error"),
    ]


def test_no_redirect_is_followed(receiver: Receiver, channel: WebPushChannel) -> None:
    receiver.answers = {"/a": (307, {"Location": receiver.url("/secret")})}
    [receipt] = channel.send([make_delivery(Subscriber(receiver.url("/a")).subscription)])
    assert receipt == Receipt(ReceiptStatus.REFUSED, reason="redirected")
    assert [one.path for one in receiver.arrived] == ["/a"]


def test_a_service_that_hangs_is_left_alone_and_holds_up_nobody(
    receiver: Receiver, channel: WebPushChannel
) -> None:
    with receiving() as hanging:
        hanging.answers = {f"/{number}": (0, {}) for number in range(200)}
        stuck = [Subscriber(hanging.url(f"/{number}")) for number in range(200)]
        people = [Subscriber(receiver.url(f"/{number}")) for number in range(5)]
        started = time.monotonic()
        receipts = channel.send([make_delivery(one.subscription) for one in [*stuck, *people]])
        assert time.monotonic() - started < 10
    assert {receipt.status for receipt in receipts[:200]} == {ReceiptStatus.RETRY}
    assert {receipt.reason for receipt in receipts[:200]} == {"timed_out", "host_paused"}
    assert {receipt.status for receipt in receipts[200:]} == {ReceiptStatus.SENT}


def test_nobody_at_the_address_is_tried_again(channel: WebPushChannel) -> None:
    with receiving() as gone:
        address = Subscriber(gone.url("/x")).subscription
    [receipt] = channel.send([make_delivery(address)])
    assert receipt == Receipt(ReceiptStatus.RETRY, reason="unreachable")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_the_own_machine_is_never_called(receiver: Receiver, host: str) -> None:
    channel = make_channel(OutboundSettings())
    address = Subscriber(f"https://{host}:{receiver.port}/x").subscription
    [receipt] = channel.send([make_delivery(address)])
    assert receipt == Receipt(ReceiptStatus.REFUSED, reason="address_forbidden")
    assert receiver.arrived == []
    channel.close()


def test_long_words_lose_their_end_and_not_the_message(
    receiver: Receiver, channel: WebPushChannel
) -> None:
    ann = Subscriber(receiver.url("/ann"))
    long = make_message(body="走失的孩子，" * 1000)
    endless = make_message(title="题" * 2000)
    receipts = channel.send(
        [
            make_delivery(ann.subscription, message=long),
            make_delivery(ann.subscription, message=endless),
        ]
    )
    assert [receipt.status for receipt in receipts] == [
        ReceiptStatus.SENT,
        ReceiptStatus.REFUSED,
    ]
    assert receipts[1].reason == "message_too_large"
    [arrived] = receiver.arrived
    said = ann.read(arrived.body)
    assert len(arrived.body) <= 4096
    assert said["title"] == long.title
    assert len(said["body"]) > 1000
    assert long.body.startswith(said["body"])


def test_subscriptions_that_will_never_work_are_refused_when_they_come() -> None:
    channel = make_channel(OutboundSettings())
    good = Subscriber("https://updates.push.example/wpush/v2/x")
    assert channel.refuses(good.subscription) == ""
    assert channel.refuses(Subscriber("https://127.0.0.1/x").subscription) == "address_forbidden"
    assert channel.refuses(Subscriber("http://push.example/x").subscription) == "address_invalid"
    assert channel.refuses(json.dumps({"endpoint": "https://x.example"})) == "address_invalid"
    channel.close()
