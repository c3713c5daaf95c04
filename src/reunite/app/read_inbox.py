"""Read the inbox of notices."""

from dataclasses import dataclass
from datetime import datetime

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.ids import NoticeId


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One notice as its reader sees it.

    The words come from the case as it is now: once it is closed, the name is gone from
    every inbox (``case.is_public`` is false).
    """

    notice_id: NoticeId
    kind: NoticeKind
    case: Case
    delivered_at: datetime
    is_new: bool


def list_inbox(services: Services, actor: Actor | None, limit: int = 50) -> list[InboxItem]:
    """The newest notices first."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        entries = transaction.notices.list_inbox(actor.account_id, limit=limit)
        cases = transaction.cases.get_many([entry.case_id for entry in entries])
    return [
        InboxItem(
            entry.notice_id,
            NoticeKind(entry.kind),
            cases[entry.case_id],
            entry.delivered_at,
            entry.read_at is None,
        )
        for entry in entries
    ]


def count_unread(services: Services, actor: Actor | None) -> int:
    """How many notices are new."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return transaction.notices.count_unread(actor.account_id)


def mark_read(services: Services, actor: Actor | None) -> None:
    """All notices have been seen."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        transaction.notices.mark_read(actor.account_id, services.clock.now())
