"""What waits, measured when somebody asks: gauges that are read from the database."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reunite.app.services import Services
from reunite.kernel.errors import ReuniteError


class QueueCollector(Collector):
    """Chunks, dead letters and messages that wait.  Empty while the database does not answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterator[Metric]:
        """Names of what ``collect`` gives, without asking the database."""
        yield from _families()

    def collect(self) -> Iterator[Metric]:
        """The state of now."""
        try:
            with self._services.database.transaction() as transaction:
                waiting = transaction.ledger.list_waiting()
                dead = transaction.ledger.count_dead()
                messages = transaction.outbox.count_waiting()
        except ReuniteError:
            return
        now = self._services.clock.now()
        chunks, oldest, letters, outbox = _families()
        for one in waiting:
            chunks.add_metric([one.channel], one.chunks)
            if one.oldest_at is not None:
                age = (now - one.oldest_at).total_seconds()
                oldest.add_metric([one.channel], max(0.0, age))
        letters.add_metric([], dead)
        outbox.add_metric([], messages)
        yield from (chunks, oldest, letters, outbox)


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("reunite_chunks_waiting", "Chunks that wait", labels=["channel"]),
        GaugeMetricFamily(
            "reunite_oldest_waiting_seconds", "Age of the oldest notice", labels=["channel"]
        ),
        GaugeMetricFamily("reunite_dead_letters", "Deliveries that were given up", labels=[]),
        GaugeMetricFamily("reunite_outbox_waiting", "Messages of the outbox", labels=[]),
    )
