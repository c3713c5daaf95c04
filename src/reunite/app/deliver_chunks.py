"""Tell people, second half: put chunks into inboxes and tell the open pages."""

from collections.abc import Sequence

import numpy as np

from reunite.alerts.fanout import INBOX, INBOX_CHUNKS, ChunkTask
from reunite.app.services import Services
from reunite.ports import Arrival, Taken, Transaction

TAKE_AGAIN_SECONDS = 1.0  # somebody else is at it this moment


def deliver_to_inboxes(services: Services) -> int:
    """Put the next chunks into inboxes; how many people that were, 0 when nothing waits.

    One transaction: it ends the chunks, queues them for the other channels and announces the
    notice to open pages.  Whatever kills it, all of that has happened or nothing.
    """
    queue = services.queue
    handed = None if queue is None else queue.take(INBOX, INBOX_CHUNKS)
    if handed is None:
        with services.database.transaction() as transaction:
            people, _ = _deliver(services, transaction, None)
        return people
    if not handed:
        return 0
    with services.database.transaction() as transaction:
        tasks = [taken.task for taken in handed]
        people, delivered = _deliver(services, transaction, tasks)
        ended = [
            taken
            for taken in handed
            if taken.task in delivered or not transaction.ledger.is_waiting(taken.task)
        ]
    # Only now: what is not committed must come again.
    for taken in handed:
        _settle(taken, done=taken in ended)
    return people


def _deliver(
    services: Services, transaction: Transaction, tasks: Sequence[ChunkTask] | None
) -> tuple[int, set[ChunkTask]]:
    now = services.clock.now()
    chunks = transaction.notices.deliver_to_inboxes(
        now, INBOX_CHUNKS, list(services.channels), tasks
    )
    people = 0
    for notice_id in dict.fromkeys(chunk.notice_id for chunk in chunks):
        ids = [chunk.account_ids for chunk in chunks if chunk.notice_id == notice_id]
        account_ids = np.concatenate(ids)
        transaction.announce(account_ids, Arrival(notice_id, now))
        people += len(account_ids)
        waited = now - transaction.notices.get(notice_id).created_at
        services.metrics.time_to_inbox.observe(max(0.0, waited.total_seconds()))
    services.metrics.inboxes.inc(people)
    return people, {ChunkTask(chunk.notice_id, chunk.sequence, INBOX) for chunk in chunks}


def _settle(taken: Taken, *, done: bool) -> None:
    if done:
        taken.done()
    else:
        taken.later(TAKE_AGAIN_SECONDS)
