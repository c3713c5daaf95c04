"""Tell people, second half: put chunks into inboxes and tell the open pages."""

import numpy as np

from reunite.alerts.fanout import INBOX_CHUNKS
from reunite.app.services import Services


def deliver_to_inboxes(services: Services) -> int:
    """Put the next chunks into inboxes; how many people that were, 0 when nothing waits.

    One transaction: it ends the chunks, queues them for the other channels and announces the
    notice to open pages.  Whatever kills it, all of that has happened or nothing.
    """
    with services.database.transaction() as transaction:
        chunks = transaction.notices.deliver_to_inboxes(services.clock.now(), INBOX_CHUNKS)
        if not chunks:
            return 0
        account_ids = np.concatenate([chunk.account_ids for chunk in chunks])
        transaction.announce(account_ids)
        return len(account_ids)
