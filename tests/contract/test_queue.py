"""ChunkQueue, in memory and on NATS JetStream."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from reunite.alerts.fanout import ChunkTask
from reunite.broker.jetstream import JetStreamQueue, JetStreamSettings
from reunite.kernel.ids import NoticeId
from reunite.ports import ChunkQueue, Taken
from reunite.testing import memory_queue
from reunite.testing.memory_queue import MemoryQueue
from tests.nats import NatsServer

SOON_SECONDS = 10.0
ACK_WAIT_SECONDS = 1.0
MAIL, INBOX = "email", "inbox"


@pytest.fixture(params=["memory", "jetstream"])
def queue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChunkQueue]:
    if request.param == "memory":
        wait = timedelta(seconds=ACK_WAIT_SECONDS)
        monkeypatch.setattr(memory_queue, "ACK_WAIT", wait)
        yield MemoryQueue(lambda: datetime.now(UTC))
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    opened = JetStreamQueue(server.url, JetStreamSettings(ack_wait_seconds=ACK_WAIT_SECONDS))
    assert opened.wait_until_connected(SOON_SECONDS)
    yield opened
    opened.close()
    opened.close()


def task(sequence: int, channel: str = MAIL, notice: int = 1) -> ChunkTask:
    return ChunkTask(NoticeId(notice), sequence, channel)


def put(queue: ChunkQueue, *tasks: ChunkTask, attempt: int = 0) -> None:
    queue.put([(one, f"{one.notice_id}-{one.sequence}-{one.channel}-{attempt}") for one in tasks])


def take(queue: ChunkQueue, channel: str = MAIL, limit: int = 9) -> list[Taken]:
    """What there is, waiting for it as a worker does that comes back."""
    deadline = time.monotonic() + SOON_SECONDS
    while time.monotonic() < deadline:
        taken = queue.take(channel, limit)
        if taken:
            return taken
    return pytest.fail("nothing was handed out")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"


def test_each_channel_has_its_own_tasks_in_order(queue: ChunkQueue) -> None:
    put(queue, task(0), task(0, INBOX), task(1), task(2))
    assert [one.task for one in take(queue, limit=2)] == [task(0), task(1)]
    assert [one.task for one in take(queue, INBOX)] == [task(0, INBOX)]
    assert [one.task for one in take(queue)] == [task(2)]
    assert queue.take("chat", 9) == []


def test_a_known_mark_is_ignored(queue: ChunkQueue) -> None:
    put(queue, task(0))
    put(queue, task(0), task(1))
    assert [one.task.sequence for one in take(queue)] == [0, 1]
    put(queue, task(0), attempt=1)
    assert [one.task.sequence for one in take(queue, limit=1)] == [0]


def test_what_is_done_does_not_come_again_and_the_rest_does(queue: ChunkQueue) -> None:
    put(queue, task(0), task(1))
    first, second = take(queue)
    first.done()
    assert not queue.take(MAIL, 9)
    # Its worker has died: neither ended nor touched.
    (again,) = take(queue)
    assert again.task == second.task
    again.done()
    time.sleep(ACK_WAIT_SECONDS * 1.2)
    assert not queue.take(MAIL, 9)


def test_what_is_worked_on_is_nobody_elses(queue: ChunkQueue) -> None:
    put(queue, task(0))
    (one,) = take(queue)
    for _ in range(3):
        time.sleep(ACK_WAIT_SECONDS / 2)
        one.touch()
        assert not queue.take(MAIL, 9)


def test_what_is_given_back_comes_after_its_time(queue: ChunkQueue) -> None:
    put(queue, task(0))
    (one,) = take(queue)
    one.later(0.3)
    begun = time.monotonic()
    (again,) = take(queue)
    assert again.task == one.task
    assert time.monotonic() - begun < ACK_WAIT_SECONDS
    again.done()
