"""What partners say of two records being one person reaches reviewers, and nobody else."""

from reunite.app.compare_faces import compare_faces, weigh_compared
from reunite.app.find_duplicates import suggest_pair, weigh_duplicate
from reunite.app.match_facts import lead_of, weigh_pair
from reunite.app.services import Services
from reunite.cases.case import Case
from reunite.cases.duplicates import DuplicateSource
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId
from reunite.partners.pfif.life import linked_pairs
from reunite.partners.pfif.records import PfifRecord
from reunite.ports import Transaction


def suggest_linked(services: Services, transaction: Transaction, note: PfifRecord) -> None:
    """A pair, or a lead, from a note that names a linked record (PFIF 1.4, linked records).

    Records of two others count once both sides have said so; where one of the records is ours,
    the reviewers who are asked here are the other side.
    """
    mine, theirs = note.text("person_record_id"), note.text("linked_person_record_id")
    if not theirs or mine == theirs:
        return
    own = f"{services.settings.domain}/"
    if not (mine.startswith(own) or theirs.startswith(own)):
        held = [
            one.record
            for record_id in (mine, theirs)
            for one in transaction.partners.list_of_person(record_id)
        ]
        if frozenset({mine, theirs}) not in linked_pairs([*held, note]):
            return
    first = _case(services, transaction, mine)
    second = _case(services, transaction, theirs)
    if first is None or second is None or first.id == second.id:
        return
    if not (first.is_open and second.is_open):
        return
    if first.side is second.side:
        weight = weigh_duplicate(services, transaction, first, second)
        suggest_pair(services, transaction, first, second, weight, DuplicateSource.PARTNER)
        return
    faces = compare_faces(services, transaction, first, second)
    likelihood = weigh_compared(services, transaction, first, second, faces)
    weight = weigh_pair(transaction, first, second, faces, likelihood)
    transaction.leads.add_new(lead_of(services, first, second, weight, faces))


def case_of_record(services: Services, transaction: Transaction, record_id: str) -> CaseId | None:
    """The case that a person record is about, ours or a partner's; None for an unknown one."""
    own = f"{services.settings.domain}/"
    if record_id.startswith(own):
        try:
            return transaction.cases.get_by_reference(record_id.removeprefix(own)).id
        except NotFoundError:
            return None
    person = transaction.partners.find_record(record_id)
    return None if person is None else person.case_id


def _case(services: Services, transaction: Transaction, record_id: str) -> Case | None:
    case_id = case_of_record(services, transaction, record_id)
    return None if case_id is None else transaction.cases.get(case_id)
