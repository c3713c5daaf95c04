"""Tell whoever brought a record that two reviewers think they know whose it is.

They hear that there is hope and that somebody will call: never where a person is, nor who has
them.  The rest is said by people.
"""

from collections.abc import Mapping

import numpy as np

from reunite.alerts.notices import Notice, NoticeKind, cut
from reunite.app.services import Services
from reunite.kernel.ids import CaseId
from reunite.ports import Transaction


def tell_reporter(
    services: Services, transaction: Transaction, payload: Mapping[str, object]
) -> None:
    """A notice to one person."""
    case = transaction.cases.get(CaseId(int(str(payload["case_id"]))), lock=True)
    if not case.is_open:
        return
    notice = Notice(case.id, NoticeKind.LEAD, services.clock.now(), 0.0, 1)
    transaction.notices.add(notice)
    transaction.notices.add_chunks(cut(notice.id, np.array([case.opened_by], dtype=np.int64)))
    transaction.outbox.add("open_inboxes", {"notice_id": notice.id})
