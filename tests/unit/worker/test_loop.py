"""The worker: what fails is tried again later, what crashes is undone and done once."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from reunite.accounts.account import Role
from reunite.alerts.notices import NoticeKind
from reunite.app import handlers
from reunite.app.close_case import withdraw_case
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.read_inbox import list_inbox
from reunite.app.services import Services
from reunite.kernel.people import Module
from reunite.ports import Transaction
from reunite.worker import loop
from reunite.worker.loop import ERASE_EVERY, FIRST_RETRY, LAST_RETRY, SWEEP_EVERY, retry_delay
from tests.unit.app.world import HANGZHOU, World

Payload = Mapping[str, object]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Callable[[handlers.Handler], None]:
    """Have a handler of one's own called for the topic ``test``."""

    def use(handler: handlers.Handler) -> None:
        monkeypatch.setattr(loop, "HANDLERS", {**handlers.HANDLERS, "test": handler})

    return use


def send(world: World, topic: str = "test", **payload: object) -> None:
    with world.database.transaction() as transaction:
        transaction.outbox.add(topic, payload)


def test_nothing_to_do(world: World) -> None:
    assert not world.worker.run_once()


def test_what_fails_is_tried_again_later_and_later(
    world: World, topic: Callable[[handlers.Handler], None]
) -> None:
    tried = []

    def fails_three_times(_: Services, __: Transaction, payload: Payload) -> None:
        assert payload == {"n": 1}
        tried.append(world.clock.now())
        if len(tried) <= 3:
            raise RuntimeError("no luck")

    topic(fails_three_times)
    send(world, n=1)
    started = world.clock.now()
    world.drain()
    assert len(tried) == 1
    assert world.count_waiting() == 1
    for wait in (5, 10, 20):
        world.pass_time(seconds=wait - 1)
        before = len(tried)
        world.drain()
        assert len(tried) == before
        world.pass_time(seconds=1)
        world.drain()
        assert len(tried) == before + 1
    assert [at - started for at in tried] == [timedelta(seconds=s) for s in (0, 5, 15, 35)]
    assert world.count_waiting() == 0
    world.pass_time(days=1)
    world.drain()
    assert len(tried) == 4


def test_one_that_fails_does_not_hold_up_the_others(world: World) -> None:
    send(world, "no_such_topic")
    missing, found = world.open(5), world.open_found(5, 1)
    world.drain()
    assert len(world.leads(missing)) == len(world.leads(found)) == 1
    assert world.count_waiting() == 1


def test_nothing_half_done_stays(world: World, topic: Callable[[handlers.Handler], None]) -> None:
    def half(_: Services, transaction: Transaction, __: Payload) -> None:
        transaction.outbox.add("test", {"more": True})
        transaction.imports.add("source", "name", "imported", "")
        raise ValueError("in the middle")

    topic(half)
    send(world)
    world.drain()
    assert world.count_waiting() == 1
    with world.database.transaction() as transaction:
        assert transaction.imports.list_outcomes("source") == []


class PluggedOut(BaseException):
    """What no handler of errors sees: the process is gone."""


@pytest.mark.parametrize("where", ["before", "after"])
def test_what_a_crash_interrupts_is_undone_and_done_once(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    near = world.actor(Role.VOLUNTEER)
    join_alerts(world.services, near, JoinRequest(frozenset(Module), point=HANGZHOU))
    reference = world.open()
    world.publish(reference, 5.0)
    real = handlers.HANDLERS["notify_audience"]

    def crash(services: Services, transaction: Transaction, payload: Payload) -> None:
        if where == "after":
            real(services, transaction, payload)
        raise PluggedOut

    with monkeypatch.context() as patch:
        patch.setattr(loop, "HANDLERS", {"notify_audience": crash})
        with pytest.raises(PluggedOut):
            world.worker.run_once()
    # This one, and the word to partners.
    assert world.count_waiting() == 2
    assert list_inbox(world.services, near) == []
    loop.Worker(world.services).drain()
    [item] = list_inbox(world.services, near)
    assert (item.kind, item.case.reference) == (NoticeKind.PUBLISHED, reference)
    assert world.count_waiting() == 0


def test_a_crash_in_the_middle_of_a_chunk_delivers_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = world.actor(Role.VOLUNTEER)
    join_alerts(world.services, near, JoinRequest(frozenset(Module), point=HANGZHOU))
    world.publish(world.open(), 5.0)
    while world.count_waiting():
        world.worker.run_once()

    def crash(*_: object) -> None:
        raise PluggedOut

    with monkeypatch.context() as patch:
        patch.setattr("reunite.testing.memory.MemoryTransaction.announce", crash)
        with pytest.raises(PluggedOut):
            world.worker.run_once()
    assert list_inbox(world.services, near) == []
    world.drain()
    assert len(list_inbox(world.services, near)) == 1


def test_the_house_is_kept_in_turn(world: World) -> None:
    world.drain()
    reference = world.open(5)
    withdraw_case(world.services, world.family, reference)
    orphan = world.photos.put(b"left over")
    world.drain()
    assert len(world.files()) == 2
    world.clock.advance(ERASE_EVERY)
    world.drain()
    assert world.files() == {orphan}
    world.clock.advance(SWEEP_EVERY)
    world.drain()
    world.clock.advance(SWEEP_EVERY)
    world.drain()
    assert world.files() == set()


def test_it_works_until_told_to_stop(
    world: World, topic: Callable[[handlers.Handler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "IDLE_SECONDS", 0.001)
    stop, done = threading.Event(), []

    def last(_: Services, __: Transaction, payload: Payload) -> None:
        done.append(payload["n"])
        if payload["n"] == 2:
            threading.Timer(0.01, stop.set).start()

    topic(last)
    for n in (1, 2):
        send(world, n=n)
    world.worker.run_until(stop)
    assert done == [1, 2]


def test_a_database_that_does_not_answer_is_waited_for(
    world: World, topic: Callable[[handlers.Handler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "BROKEN_SECONDS", 0.001)
    monkeypatch.setattr(loop, "IDLE_SECONDS", 0.001)
    stop = threading.Event()
    refused: list[int] = []
    topic(lambda *_: stop.set())
    send(world)
    kind = type(world.database)
    real = kind.transaction

    def refuses_at_first(database: object) -> object:
        if len(refused) < 3:
            refused.append(1)
            raise ConnectionError("starting up")
        return real(world.database)

    monkeypatch.setattr(kind, "transaction", refuses_at_first)
    world.worker.run_until(stop)
    assert len(refused) == 3
    assert world.count_waiting() == 0


def test_a_chunk_that_fails_holds_up_nothing_else(
    world: World, topic: Callable[[handlers.Handler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    attempts: list[int] = []

    def broken(_: object) -> int:
        attempts.append(1)
        raise RuntimeError("this chunk cannot be delivered")

    monkeypatch.setattr(loop, "deliver_to_inboxes", broken)
    topic(lambda *_: done.append(1))
    send(world)
    world.worker.drain()
    assert (len(done), len(attempts)) == (1, 1)
    world.clock.advance(loop.CHUNK_RETRY)
    world.worker.run_once()
    assert len(attempts) == 2


def test_waits_double_up_to_an_hour() -> None:
    waits = [retry_delay(attempts) for attempts in range(40)]
    assert waits[:4] == [FIRST_RETRY * n for n in (1, 2, 4, 8)]
    assert waits == sorted(waits)
    assert waits[-1] == max(waits) == LAST_RETRY
    assert retry_delay(10**6) == LAST_RETRY
