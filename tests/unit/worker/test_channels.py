"""Channels in threads of their own: one that hangs holds up nothing, and a stop is a stop."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from reunite.accounts.account import Actor, Role
from reunite.app.exchange_records import (
    RepositoryRequest,
    add_repository,
    list_repositories,
)
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.list_notices import list_notices
from reunite.app.read_inbox import list_inbox
from reunite.app.stop_alert import stop_alert
from reunite.kernel.errors import ReuniteError
from reunite.kernel.people import Module
from reunite.ports import ChannelAddress, ChannelName, Delivery, Receipt
from reunite.testing.channels import FakeChannel
from reunite.testing.memory_queue import MemoryQueue
from reunite.worker.loop import Worker
from tests.servers import wait_until
from tests.unit.app.world import HANGZHOU, World

PUSH, MAIL = ChannelName.WEB_PUSH, ChannelName.EMAIL


class SlowChannel(FakeChannel):
    """Takes its time for each delivery."""

    seconds = 0.01

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        receipts: list[Receipt] = []
        for delivery in deliveries:
            time.sleep(self.seconds)
            receipts += super().send([delivery])
        return receipts


class HangingChannel(FakeChannel):
    """Hangs until it is let go."""

    def __init__(self, name: ChannelName) -> None:
        super().__init__(name)
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        self.hangs.set()
        self.let_go.wait(20)
        return super().send(deliveries)


@pytest.fixture(params=["ledger", "broker"])
def world(request: pytest.FixtureRequest) -> World:
    made = World()
    if request.param == "broker":
        made.services = replace(made.services, queue=MemoryQueue(made.clock.now))
    return made


def joined(world: World, people: int, *channels: ChannelName) -> list[Actor]:
    actors = [world.actor(Role.VOLUNTEER) for _ in range(people)]
    now = world.clock.now()
    for actor in actors:
        request = JoinRequest(frozenset(Module), point=HANGZHOU)
        join_alerts(world.services, actor, request)
        with world.database.transaction() as transaction:
            for channel in channels:
                address = f"{actor.account_id}@example.org"
                transaction.channel_addresses.add(
                    ChannelAddress(actor.account_id, channel, address, now, confirmed_at=now)
                )
    return actors


def leased_until(world: World) -> object:
    rows = world.database._store.committed["chunk_deliveries"]
    return next(row.lease_until for key, row in rows.items() if key[2] == MAIL)


def test_an_alert_is_stopped_within_two_seconds(world: World) -> None:
    slow = SlowChannel(MAIL)
    services = replace(world.services, channels={MAIL: slow})
    joined(world, 400, MAIL)
    reference = world.open()
    world.publish(reference, 30.0)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(services).run_until, args=(stop,))
    worker.start()
    try:
        wait_until(lambda: len(slow.attempts) > 20)
        ((notice, _),) = list_notices(services, world.reviewer, reference)
        stop_alert(services, world.reviewer, notice.id)
        time.sleep(2)
        sent = len(slow.attempts)
        assert sent < 400
        time.sleep(0.5)
        assert len(slow.attempts) == sent
    finally:
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


def test_a_channel_that_hangs_holds_up_nothing_else(world: World) -> None:
    hanging, quick = HangingChannel(MAIL), FakeChannel(PUSH)
    services = replace(world.services, channels={MAIL: hanging, PUSH: quick})
    (near, *_) = joined(world, 3, MAIL, PUSH)
    first, second = world.open(), world.open()
    world.publish(first, 30.0)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(services).run_until, args=(stop,))
    worker.start()
    try:
        assert hanging.hangs.wait(20)
        wait_until(lambda: len(quick.sent) == 3)
        world.publish(second, 30.0)
        wait_until(lambda: len(quick.sent) == 6)
        wait_until(lambda: len(list_inbox(services, near)) == 2)
        assert hanging.attempts == []
        hanging.let_go.set()
        wait_until(lambda: len(hanging.sent) == 6)
    finally:
        hanging.let_go.set()
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


def test_leases_are_renewed_and_what_goes_wrong_meanwhile_is_waited_out(world: World) -> None:
    hanging = HangingChannel(MAIL)
    lease = world.services.settings.lease / 100
    services = replace(
        world.services,
        channels={MAIL: hanging},
        settings=replace(world.services.settings, lease=lease),
    )
    joined(world, 2, MAIL)
    world.publish(world.open(), 30.0)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(services).run_until, args=(stop,))
    worker.start()
    try:
        assert hanging.hangs.wait(20)
        world.database.reachable = False
        time.sleep(0.3)
        world.database.reachable = True
        for _ in range(2):
            world.clock.advance(lease * 0.9)
            wait_until(lambda: leased_until(world) == world.clock.now() + lease)
        # Had nobody renewed it, another worker could take the chunk now.
        with world.database.transaction() as transaction:
            now = world.clock.now()
            assert transaction.ledger.lease(MAIL, "other", now, now + lease) is None
        hanging.let_go.set()
        wait_until(lambda: len(hanging.sent) == 2)
    finally:
        hanging.let_go.set()
        stop.set()
        worker.join(20)
    assert len(hanging.attempts) == 2


class HangingPartner:
    """A repository that takes its time until it is let go."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        self.hangs.set()
        self.let_go.wait(20)
        raise ReuniteError("peer_unreachable")

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        self.get(address, headers, max_bytes=0)


def test_a_slow_partner_holds_up_nobody(world: World) -> None:
    partner = HangingPartner()
    services = replace(world.services, outside=partner)
    (near,) = joined(world, 1)
    request = RepositoryRequest("slow.example", "https://slow.example/", world.officer.account_id)
    add_repository(services, world.admin, request)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(services).run_until, args=(stop,))
    worker.start()
    try:
        assert partner.hangs.wait(20)
        world.publish(world.open(), 30.0)
        wait_until(lambda: len(list_inbox(services, near)) == 1)
        assert not partner.let_go.is_set()
    finally:
        partner.let_go.set()
        stop.set()
        worker.join(20)
    assert not worker.is_alive()
    (repository,) = list_repositories(services, world.admin)
    assert repository.error == "peer_unreachable"
