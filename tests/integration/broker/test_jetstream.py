"""What only a real broker can show: it goes, comes back, and comes back empty."""

import time

import pytest

from reunite.alerts.fanout import ChunkTask
from reunite.broker.jetstream import JetStreamQueue, JetStreamSettings
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import NoticeId
from tests.nats import NatsServer
from tests.servers import free_port, wait_until

TASK = ChunkTask(NoticeId(7), 0, "email")


def test_a_broker_that_was_killed_still_has_what_it_took(nats_server: NatsServer) -> None:
    queue = JetStreamQueue(nats_server.url)
    assert queue.wait_until_connected(10)
    queue.put([(TASK, "a")])
    nats_server.kill()
    assert wait_until(lambda: queue.take("email", 1) is None)
    with pytest.raises(ReuniteError, match="broker_unreachable"):
        queue.put([(TASK, "b")])
    nats_server.start()
    taken = wait_until(lambda: queue.take("email", 1))
    assert [one.task for one in taken] == [TASK]  # type: ignore[attr-defined]
    queue.close()


def test_a_broker_that_lost_everything_is_used_again(nats_server: NatsServer) -> None:
    queue = JetStreamQueue(nats_server.url)
    assert queue.wait_until_connected(10)
    queue.put([(TASK, "a")])
    nats_server.kill()
    nats_server.forget()
    nats_server.start()
    assert wait_until(lambda: queue.take("email", 1) == [])
    queue.put([(TASK, "a")])
    assert wait_until(lambda: queue.take("email", 1))
    queue.close()


def test_other_settings_are_taken_over(nats_server: NatsServer) -> None:
    for seconds in (60.0, 90.0):
        queue = JetStreamQueue(nats_server.url, JetStreamSettings(duplicate_seconds=seconds))
        assert queue.wait_until_connected(10)
        queue.put([(TASK, str(seconds))])
        queue.close()


def test_nobody_waits_for_a_broker_that_is_not_there() -> None:
    queue = JetStreamQueue(f"nats://127.0.0.1:{free_port()}")
    begun = time.monotonic()
    assert queue.take("email", 1) is None
    with pytest.raises(ReuniteError, match="broker_unreachable"):
        queue.put([(TASK, "a")])
    assert not queue.wait_until_connected(0.2)
    queue.close()
    assert time.monotonic() - begun < 10
