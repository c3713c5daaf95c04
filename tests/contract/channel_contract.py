"""What every channel keeps to.  A channel's own test gives a ``Wired`` and runs these."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from reunite.ports import Channel, ChannelName, Delivery, Receipt, ReceiptStatus
from reunite.testing.channels import make_delivery


@dataclass
class Wired:
    """A channel, and addresses at which something is known to happen.

    An address is None where the channel's other side cannot answer so.  ``arrived`` gives the
    ids of deliveries that have come out at the other end.
    """

    channel: Channel
    name: ChannelName
    good: list[str]  # two of them
    arrived: Callable[[], list[str]]
    busy: str | None = None  # try again later
    dead: str | None = None  # gone for good
    hanging: str | None = None  # never answers
    senseless: list[str] = field(default_factory=list)  # no address at all


class ChannelContract:
    """Inherit, and give the fixture ``wired``."""

    @pytest.fixture
    def wired(self) -> Iterator[Wired]:
        raise NotImplementedError

    def test_it_has_its_name(self, wired: Wired) -> None:
        assert wired.channel.name is wired.name

    def test_only_what_is_no_address_is_refused_unasked(self, wired: Wired) -> None:
        asked = [*wired.good, wired.busy, wired.dead, wired.hanging]
        assert not any(wired.channel.refuses(address) for address in asked if address is not None)
        assert all(wired.channel.refuses(address) for address in wired.senseless)
        assert wired.arrived() == []

    def test_nothing_is_sent_for_nothing(self, wired: Wired) -> None:
        assert list(wired.channel.send([])) == []
        assert wired.arrived() == []

    def test_what_is_sent_arrives(self, wired: Wired) -> None:
        deliveries = [make_delivery(address) for address in wired.good]
        assert statuses(wired.channel.send(deliveries)) == [ReceiptStatus.SENT] * 2
        assert sorted(wired.arrived()) == sorted(one.delivery_id for one in deliveries)

    def test_receipts_come_in_the_order_of_deliveries(self, wired: Wired) -> None:
        expected = [(wired.good[0], ReceiptStatus.SENT)]
        expected += [(address, ReceiptStatus.REFUSED) for address in wired.senseless]
        for address, status in (
            (wired.busy, ReceiptStatus.RETRY),
            (wired.dead, ReceiptStatus.GONE),
            (wired.hanging, ReceiptStatus.RETRY),
        ):
            if address is not None:
                expected.append((address, status))
        expected.append((wired.good[1], ReceiptStatus.SENT))
        deliveries = [make_delivery(address) for address, _ in expected]
        receipts = wired.channel.send(deliveries)
        assert statuses(receipts) == [status for _, status in expected]
        # One address that is dead, busy or nonsense stops nothing for the others.
        assert sorted(wired.arrived()) == sorted([ids(deliveries)[0], ids(deliveries)[-1]])

    def test_whoever_cannot_be_reached_is_told_why_in_a_code(self, wired: Wired) -> None:
        troubled = [*wired.senseless, wired.busy, wired.dead, wired.hanging]
        deliveries = [make_delivery(address) for address in troubled if address is not None]
        for delivery, receipt in zip(deliveries, wired.channel.send(deliveries), strict=True):
            assert receipt.reason.replace("_", "").isalnum()
            assert receipt.reason == receipt.reason.lower()
            assert not delivery.address or delivery.address not in receipt.reason

    def test_closing_twice_is_harmless(self, wired: Wired) -> None:
        wired.channel.close()
        wired.channel.close()


def statuses(receipts: Sequence[Receipt]) -> list[ReceiptStatus]:
    return [receipt.status for receipt in receipts]


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.delivery_id for delivery in deliveries]
