"""Stop an alert that is going out."""

from reunite.accounts.account import STAFF, Actor, require_role
from reunite.app.services import Services
from reunite.kernel.ids import NoticeId


def stop_alert(services: Services, actor: Actor | None, notice_id: NoticeId) -> str:
    """Tell nobody else, on any channel; the reference of the case.

    What is being sent at this moment, one batch a worker, still arrives.  Whoever was told
    hears how the search ends.  Stopping twice is no error.  Raises NotFoundError.
    """
    actor = require_role(actor, STAFF)
    with services.database.transaction() as transaction:
        notice = transaction.notices.get(notice_id)
        transaction.notices.stop([notice_id], services.clock.now(), actor.account_id)
        return transaction.cases.get(notice.case_id).reference
