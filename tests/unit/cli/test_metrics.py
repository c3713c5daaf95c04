"""Measurements are served on the loopback address, and say nothing about anybody."""

import re
from dataclasses import replace

import httpx
import pytest

from reunite.app.metrics import Metrics
from reunite.cli.metrics import metrics_beside
from reunite.kernel.errors import ReuniteError
from tests.unit.app.world import World


def test_they_are_read_over_http_while_the_process_runs() -> None:
    world = World()
    world.publish(world.open(), 5.0)
    services = replace(world.services, metrics=Metrics())
    services.metrics.inboxes.inc(7)
    with metrics_beside(services, 0) as port:
        address = f"http://127.0.0.1:{port}/metrics"
        text = httpx.get(address).text
        assert "reunite_inbox_deliveries_total 7.0" in text
        assert re.search(r"^reunite_outbox_waiting [1-9]", text, re.MULTILINE)
        assert "reunite_dead_letters 0.0" in text
        world.database.reachable = False
        assert "reunite_outbox_waiting" not in httpx.get(address).text
        with (
            pytest.raises(ReuniteError, match="port_taken"),
            metrics_beside(replace(world.services, metrics=Metrics()), port),
        ):
            pytest.fail("two servers at one port")
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_nobody_asked_for_them() -> None:
    world = World()
    with metrics_beside(world.services, None) as port:
        assert port is None
