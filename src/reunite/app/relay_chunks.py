"""Tell the broker which chunks wait, where a broker is configured.

The ledger comes first: a chunk is in it before the broker hears of it, and a broker that loses
what it was told is told again.  A chunk that is handed out twice is leased once.
"""

from reunite.app.services import Services

CHUNKS_AT_ONCE = 1000


def relay_chunks(services: Services) -> int:
    """Hand waiting chunks to the broker; how many those were.

    Raises ReuniteError ``broker_unreachable``; then nothing has happened.
    """
    if services.queue is None:
        return 0
    with services.database.transaction() as transaction:
        now = services.clock.now()
        waiting = transaction.ledger.list_unqueued(now, CHUNKS_AT_ONCE)
        if not waiting:
            return 0
        # Before the commit: what the broker has not taken stays waiting.  A crash in between
        # tells it twice, which it notices by the mark.
        services.queue.put(waiting)
        transaction.ledger.mark_queued([task for task, _ in waiting], now)
    services.metrics.queued.inc(len(waiting))
    return len(waiting)


def requeue_chunks(services: Services) -> int:
    """Have the broker told again of chunks that it was given long ago and nobody works on."""
    if services.queue is None:
        return 0
    with services.database.transaction() as transaction:
        now = services.clock.now()
        return transaction.ledger.requeue(now - services.settings.requeue_after, now)
