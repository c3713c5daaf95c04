"""Tell people: choose the audience, queue it in chunks, deliver chunk by chunk.

Both steps run in the worker.  Each is one transaction that also ends its own message
or chunk, so that a crash repeats nothing and loses nothing.
"""

from collections.abc import Mapping

import numpy as np

from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.notices import Notice, NoticeKind, cut
from reunite.app.services import Services
from reunite.kernel.ids import CaseId
from reunite.ports import Transaction


def notify_audience(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """Queue a notice for everyone whom it concerns.

    A new case goes to the volunteers around its place; its end goes to exactly the people
    who heard of its beginning, wherever they are now.
    """
    # Locked: were the case closed between here and the commit, another worker could thank
    # nobody before these people are told, and they would never hear that it is over.
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    kind = NoticeKind(str(payload["kind"]))
    radius = float(str(payload.get("radius_km", 0)))
    told = transaction.notices.recipients_of_case(case.id)
    if kind is NoticeKind.PUBLISHED:
        place = case.circumstances.place
        # Withdrawn or closed before the worker came to it: there is nothing to look for.
        if place is None or not case.is_public:
            return
        audience = (
            choose_audience(
                services.audience.index(),
                Circle(place, radius),
                Wanted(case.module, told=told, at=services.clock.now()),
            )
            .account_ids()
            .astype(np.int64)
        )
    else:
        audience = told
    if not len(audience):
        return
    notice = Notice(case.id, kind, services.clock.now(), radius, len(audience))
    transaction.notices.add(notice)
    transaction.notices.add_chunks(cut(notice.id, audience))


def deliver_next_chunk(services: Services) -> bool:
    """Deliver one waiting chunk to inboxes and open pages; False when none waits."""
    with services.database.transaction() as transaction:
        now = services.clock.now()
        chunk = transaction.notices.claim_chunk(now)
        if chunk is None:
            return False
        reached = transaction.notices.deliver(chunk.notice_id, chunk.account_ids, now)
        transaction.notices.finish_chunk(chunk, now)
        transaction.announce(reached)
        return True
