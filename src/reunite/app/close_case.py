"""Close a case: with an outcome and its cause, or withdrawn.

From that moment nobody but staff and the reporter sees the name or a photo, and no
search finds the face: the templates go in the same transaction.  The pictures
themselves are erased when the retention period ends (``erase_expired``).
"""

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.app.open_case import require_own
from reunite.app.services import Services
from reunite.cases.case import Case, CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus
from reunite.kernel.ids import CaseId
from reunite.ports import Transaction


def resolve_case(
    services: Services,
    actor: Actor | None,
    reference: str,
    outcome: Outcome,
    cause: ResolutionCause,
    note: str = "",
    *,
    with_confirmed_partners: bool = False,
) -> None:
    """End a search; everyone who was told is thanked.

    ``with_confirmed_partners`` also closes the records of the other side that two reviewers
    have confirmed to be the same person.  Raises ConflictError ``case_transition``.
    """
    actor = require_role(actor, STAFF)
    now = services.clock.now()
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        closing = [case]
        if with_confirmed_partners:
            closing += _open_partners(transaction, case)
        for one in closing:
            was_public = one.is_public
            one.resolve(outcome, cause, actor.account_id, now, note.strip())
            _close(transaction, one, NoticeKind.RESOLVED if was_public else None)


def withdraw_case(services: Services, actor: Actor | None, reference: str, note: str = "") -> None:
    """Take a case back; its reporter may, and staff may.

    Raises ConflictError ``case_transition``.
    """
    actor = require_role(actor, EVERYONE)
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference, lock=True)
        require_own(actor, case)
        was_public = case.is_public
        case.withdraw(actor.account_id, services.clock.now(), note.strip())
        _close(transaction, case, NoticeKind.CANCELLED if was_public else None)


def _close(transaction: Transaction, case: Case, kind: NoticeKind | None) -> None:
    transaction.cases.save(case)
    transaction.templates.delete_of_case(case.id)
    if kind is not None:
        transaction.outbox.add("notify_audience", {"case_id": case.id, "kind": kind.value})


def _open_partners(transaction: Transaction, case: Case) -> list[Case]:
    partner_ids = [
        CaseId(lead.found_case_id if lead.missing_case_id == case.id else lead.missing_case_id)
        for lead in transaction.leads.list_of_case(case.id)
        if lead.status is LeadStatus.CONFIRMED
    ]
    partners = [transaction.cases.get(partner_id, lock=True) for partner_id in partner_ids]
    return [
        partner
        for partner in partners
        if partner.status in (CaseStatus.VERIFIED, CaseStatus.PUBLISHED)
    ]
