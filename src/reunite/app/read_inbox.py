"""Read the inbox of notices."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from reunite.accounts.account import EVERYONE, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.kernel.ids import CaseId, NoticeId
from reunite.ports import Arrival, Transaction


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
    is_imminent: bool = False  # it rang in quiet hours too, and says why


def list_inbox(services: Services, actor: Actor | None, limit: int = 50) -> list[InboxItem]:
    """The newest notices first."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        return _list(transaction, actor, limit)


def look_into_inbox(
    services: Services, actor: Actor | None, limit: int = 50
) -> tuple[int, list[InboxItem]]:
    """How many notices are new, and the newest of all; as they were at one moment."""
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        items = _list(transaction, actor, limit)
        unread = sum(item.is_new for item in items)
        if len(items) == limit:
            unread = transaction.notices.count_unread(actor.account_id)
        return unread, items


def _list(transaction: Transaction, actor: Actor, limit: int) -> list[InboxItem]:
    entries = transaction.notices.list_inbox(actor.account_id, limit=limit)
    if not entries:
        return []
    cases = transaction.cases.get_many([entry.case_id for entry in entries])
    imminent = transaction.alert_plans.list_imminent(list(cases))
    return [
        InboxItem(
            entry.notice_id,
            NoticeKind(entry.kind),
            cases[entry.case_id],
            entry.delivered_at,
            entry.read_at is None,
            _is_imminent(NoticeKind(entry.kind), entry.case_id, imminent),
        )
        for entry in entries
    ]


def list_arrivals(services: Services, arrivals: Iterable[Arrival]) -> list[InboxItem]:
    """Notices that have just come into many inboxes, the newest first.

    Asked once for all pages that are open; each of them has shown whose inbox it is.
    """
    with services.database.transaction() as transaction:
        notices = [(one, transaction.notices.get(one.notice_id)) for one in arrivals]
        cases = transaction.cases.get_many([notice.case_id for _, notice in notices])
        imminent = transaction.alert_plans.list_imminent(list(cases))
    items = [
        InboxItem(
            notice.id,
            notice.kind,
            cases[notice.case_id],
            one.delivered_at,
            is_new=True,
            is_imminent=_is_imminent(notice.kind, notice.case_id, imminent),
        )
        for one, notice in notices
    ]
    return sorted(items, key=lambda item: item.delivered_at, reverse=True)


def _is_imminent(kind: NoticeKind, case_id: CaseId, imminent: Collection[CaseId]) -> bool:
    # News and thanks ring nobody out of bed.
    return kind is NoticeKind.PUBLISHED and case_id in imminent


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
