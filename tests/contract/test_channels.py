"""The contract of channels on the one in memory; real ones inherit it in tests/integration."""

import pytest

from reunite.ports import ChannelName, Receipt, ReceiptStatus, topic_of
from reunite.testing.channels import FakeChannel, make_delivery, make_message
from tests.contract.channel_contract import ChannelContract, Wired


class TestFakeChannel(ChannelContract):
    @pytest.fixture
    def wired(self) -> Wired:
        channel = FakeChannel(
            ChannelName.EMAIL,
            {
                "busy": Receipt(ReceiptStatus.RETRY, 30.0, "too_many"),
                "dead": Receipt(ReceiptStatus.GONE, reason="gone"),
                "nonsense": Receipt(ReceiptStatus.REFUSED, reason="address_invalid"),
            },
        )
        return Wired(
            channel,
            ChannelName.EMAIL,
            good=["ann", "bo"],
            arrived=lambda: [one.delivery_id for one in channel.sent],
            busy="busy",
            dead="dead",
            senseless=["nonsense"],
        )


def test_a_screen_shows_the_latest_of_a_topic() -> None:
    channel = FakeChannel()
    first, thanks = make_message(), make_message(kind="resolved", title="找到了，谢谢")
    other = make_message(topic=topic_of("another"))
    for message in (first, other, thanks):
        channel.send([make_delivery("ann", message=message)])
    assert channel.screen("ann") == [thanks, other]
    assert channel.screen("bo") == []


def test_a_closed_channel_sends_nothing() -> None:
    channel = FakeChannel()
    channel.close()
    with pytest.raises(RuntimeError, match="closed"):
        channel.send([make_delivery("ann")])


def test_topics_are_those_of_the_standard_and_tell_nothing() -> None:
    topics = {topic_of(f"{number:010}") for number in range(1000)}
    assert len(topics) == 1000
    assert all(make_message(topic=topic).topic == topic for topic in topics)
    assert topic_of("7K3M9QX2TB") == topic_of("7K3M9QX2TB")
    assert "7K3M9QX2TB" not in topic_of("7K3M9QX2TB")


@pytest.mark.parametrize("topic", ["a" * 33, "räuber", "a b", "a=", "\n"])
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        make_message(topic=topic)


def test_no_message_lives_less_than_no_time() -> None:
    with pytest.raises(ValueError, match="lifetime"):
        make_message(ttl_seconds=-1)
