"""What operators measure: counts and times of every stage, nothing about anybody."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Measurements of one process, in a registry of their own.

    Labels are names of channels, kinds of notices, outcomes and topics: closed sets, none of
    which says anything about a person or a case.
    """

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    notices: Counter = field(init=False)
    recipients: Counter = field(init=False)
    inboxes: Counter = field(init=False)
    time_to_inbox: Histogram = field(init=False)
    sending: Histogram = field(init=False)
    deliveries: Counter = field(init=False)
    messages: Counter = field(init=False)
    handling: Histogram = field(init=False)
    queued: Counter = field(init=False)
    live_pages: Gauge = field(init=False)
    live_told: Counter = field(init=False)

    def __post_init__(self) -> None:
        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"reunite_{name}", words, labels, registry=self.registry)

        def histogram(name: str, words: str, *labels: str) -> Histogram:
            return Histogram(
                f"reunite_{name}_seconds", words, labels, registry=self.registry, buckets=_SECONDS
            )

        made = {
            "notices": counter("notices", "Notices whose audience was chosen", "kind"),
            "recipients": counter("notice_recipients", "People for whom a notice was queued"),
            "inboxes": counter("inbox_deliveries", "Notices put into inboxes"),
            "time_to_inbox": histogram("time_to_inbox", "From a notice to the inboxes of a chunk"),
            "sending": histogram("channel_batch", "Sending one batch on a channel", "channel"),
            "deliveries": counter(
                "channel_deliveries", "Receipts of deliveries", "channel", "status"
            ),
            "messages": counter("outbox_messages", "Messages of the outbox", "topic", "outcome"),
            "handling": histogram("outbox_message", "Handling a message of the outbox", "topic"),
            "queued": counter("broker_chunks", "Chunks that a broker was told of"),
            "live_pages": Gauge("reunite_live_pages", "Open event streams", registry=self.registry),
            "live_told": counter("live_notices", "Notices sent to open pages"),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)
