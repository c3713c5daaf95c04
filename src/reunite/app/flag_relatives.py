"""Which leads may be of a brother, a sister or another relative, as far as records tell."""

from collections.abc import Sequence

from reunite.app.describe_case import describe
from reunite.cases.case import Case
from reunite.cases.facts import FactComparison
from reunite.cases.kinship import Kin, KinHint, differ_unchangingly, kin_of
from reunite.cases.leads import Lead, LeadStatus
from reunite.kernel.ids import CaseId
from reunite.ports import Transaction


def kin_hints(
    transaction: Transaction,
    lead: Lead,
    missing: Case,
    facts: Sequence[FactComparison],
    *,
    is_alike: bool,
) -> list[KinHint]:
    """Reasons to think of a relative; none for a lead that only facts have made.

    ``is_alike`` : whether the faces say that the two records may be one person.
    """
    if not is_alike:
        return []
    hints = [KinHint(Kin.FACTS_DIFFER)] if differ_unchangingly(facts) else []
    for rival in _rivals(transaction, lead).values():
        kin = kin_of(missing, rival, same_surname=_share_surname(missing, rival))
        if kin is not None:
            hints.append(KinHint(kin, rival))
    return hints


def _rivals(transaction: Transaction, lead: Lead) -> dict[CaseId, Case]:
    """Other open missing people whose faces are like the found one's too."""
    others = [
        other.missing_case_id
        for other in transaction.leads.list_of_case(lead.found_case_id)
        if other.missing_case_id != lead.missing_case_id
        and other.is_of_faces
        and other.status is not LeadStatus.REJECTED
    ]
    cases = transaction.cases.get_many(others) if others else {}
    return {case_id: case for case_id, case in cases.items() if case.is_open}


def _share_surname(one: Case, other: Case) -> bool:
    surnames = [
        {name.surname_merged for name in describe(case).names if name.surname_merged}
        for case in (one, other)
    ]
    return bool(surnames[0] & surnames[1])
