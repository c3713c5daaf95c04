"""Close a case: with an outcome and its cause, or withdrawn.

From that moment nobody but staff and the reporter sees the name or a photo, and no
search finds the face: the templates go in the same transaction.  The pictures
themselves are erased when the retention period ends (``erase_expired``).
"""

from reunite.accounts.account import EVERYONE, STAFF, Actor, require_role
from reunite.alerts.notices import NoticeKind
from reunite.alerts.plan import StopReason
from reunite.app.open_case import require_own
from reunite.app.services import Services
from reunite.cases.case import Case, CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Module
from reunite.partners.webhooks import EventName
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
        for one in _locked(transaction, reference, with_partners=with_confirmed_partners):
            was_public = one.is_public
            one.resolve(outcome, cause, actor.account_id, now, note.strip())
            end_case(transaction, one, NoticeKind.RESOLVED if was_public else None)


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
        end_case(transaction, case, NoticeKind.CANCELLED if was_public else None)


def end_case(transaction: Transaction, case: Case, kind: NoticeKind | None) -> None:
    """Write a case that has just ended; ``kind`` is what those who were told are told now."""
    transaction.cases.save(case)
    transaction.templates.delete_of_case(case.id)
    plan = transaction.alert_plans.find(case.id, lock=True)
    if plan is not None and plan.next_wave() is not None:
        plan.stop(StopReason.ENDED, case.transitions[-1].at)
        transaction.alert_plans.save(plan)
    if case.module is Module.BLOOD:
        # Whoever was asked hears that it is over.
        transaction.outbox.add("recruit_donors", {"case_id": case.id})
    if kind is not None:
        transaction.outbox.add("notify_audience", {"case_id": case.id, "kind": kind.value})
        transaction.outbox.add(
            "tell_partners", {"case_id": case.id, "event": EventName.CASE_CLOSED.value}
        )


def _locked(transaction: Transaction, reference: str, *, with_partners: bool) -> list[Case]:
    """The case to close, with the open records that are confirmed to be the same person."""
    wanted = transaction.cases.get_by_reference(reference).id
    ids = {wanted}
    if with_partners:
        ids |= {
            CaseId(lead.found_case_id if lead.missing_case_id == wanted else lead.missing_case_id)
            for lead in transaction.leads.list_of_case(wanted)
            if lead.status is LeadStatus.CONFIRMED
        }
    # In the order of their ids: two reviewers who close both sides at once would otherwise
    # wait for one another.
    cases = [transaction.cases.get(case_id, lock=True) for case_id in sorted(ids)]
    return [
        case
        for case in cases
        if case.id == wanted or case.status in (CaseStatus.VERIFIED, CaseStatus.PUBLISHED)
    ]
