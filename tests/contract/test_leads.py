"""LeadRepository, in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import LeadStatus, Verdict
from reunite.cases.photos import CasePhoto
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId, LeadId
from reunite.kernel.people import Side
from reunite.ports import Database
from reunite.testing.factories import NOW, make_lead, make_photo, store_account, store_case

OPEN = frozenset({LeadStatus.OPEN})


def photo_of(database: Database, side: Side, status: CaseStatus = CaseStatus.VERIFIED) -> CasePhoto:
    """The photo of a new case."""
    return store_case(database, side=side, status=status, photos=1)[1][0]


def test_a_lead_comes_back_with_its_decisions(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    reviewers = store_account(database), store_account(database)
    lead = make_lead(missing, found)
    with database.transaction() as transaction:
        assert transaction.leads.add_new(lead) == lead.id != 0
        assert transaction.leads.get(lead.id) == lead
    for reviewer in reviewers:
        with database.transaction() as transaction:
            stored = transaction.leads.get(lead.id, lock=True)
            stored.decide(reviewer.id, Verdict.ACCEPT, NOW, "same ears")
            transaction.leads.save(stored)
    with database.transaction() as transaction:
        stored = transaction.leads.get(lead.id)
    assert stored.status is LeadStatus.CONFIRMED
    assert [decision.by for decision in stored.decisions] == [r.id for r in reviewers]
    assert stored.decisions[0].note == "same ears"


def test_unknown_leads_are_not_found(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.leads.get(LeadId(99))
        with pytest.raises(NotFoundError):
            transaction.leads.get(LeadId(99), lock=True)
        with pytest.raises(NotFoundError):
            transaction.leads.save(make_lead(missing, found))


def test_a_known_pair_is_not_new(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    other = photo_of(database, Side.FOUND)
    with database.transaction() as transaction:
        assert transaction.leads.add_new(make_lead(missing, found)) is not None
        assert transaction.leads.add_new(make_lead(missing, found)) is None
        assert transaction.leads.add_new(make_lead(missing, other)) is not None
    with database.transaction() as transaction:
        assert transaction.leads.add_new(make_lead(missing, found)) is None
        assert len(transaction.leads.list_of_case(missing.case_id)) == 2


def test_an_open_lead_is_given_the_more_similar_photos(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    newer = make_photo(found.case_id)
    lead = make_lead(missing, found, similarity=0.5)
    with database.transaction() as transaction:
        transaction.photos.add(newer)
        transaction.leads.add_new(lead)
        better = make_lead(missing, newer, similarity=0.7, found_at=NOW + timedelta(days=1))
        assert transaction.leads.add_new(better) is None
        assert transaction.leads.add_new(make_lead(missing, found, similarity=0.6)) is None
    with database.transaction() as transaction:
        stored = transaction.leads.get(lead.id)
    assert (stored.found_photo_id, stored.similarity) == (newer.id, 0.7)
    assert stored.found_at == NOW


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.ACCEPT])
def test_a_lead_that_somebody_decided_on_keeps_its_photos(
    database: Database, verdict: Verdict
) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    newer, reviewer = make_photo(found.case_id), store_account(database)
    lead = make_lead(missing, found, similarity=0.5)
    with database.transaction() as transaction:
        transaction.photos.add(newer)
        transaction.leads.add_new(lead)
        lead.decide(reviewer.id, verdict, NOW)
        transaction.leads.save(lead)
    with database.transaction() as transaction:
        assert transaction.leads.add_new(make_lead(missing, newer, similarity=0.9)) is None
        assert transaction.leads.get(lead.id) == lead


def test_leads_are_listed_most_similar_first(database: Database) -> None:
    missing = photo_of(database, Side.MISSING)
    leads = [
        make_lead(missing, photo_of(database, Side.FOUND), similarity=similarity)
        for similarity in (0.4, 0.8, 0.6, 0.6)
    ]
    with database.transaction() as transaction:
        for lead in leads:
            transaction.leads.add_new(lead)
        order = [leads[index].id for index in (1, 2, 3, 0)]
        page = transaction.leads.list_with_status(OPEN, limit=3)
        rest = transaction.leads.list_with_status(OPEN, limit=3, offset=3)
        assert [lead.id for lead in page + rest] == order
        assert [x.id for x in transaction.leads.list_of_case(missing.case_id)] == order
        both = frozenset({LeadStatus.OPEN, LeadStatus.REJECTED})
        assert len(transaction.leads.list_with_status(both)) == 4
        assert transaction.leads.list_with_status(frozenset({LeadStatus.REJECTED})) == []


def test_the_queue_leaves_out_leads_of_closed_cases(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    lead = make_lead(missing, found)
    with database.transaction() as transaction:
        transaction.leads.add_new(lead)
        case = transaction.cases.get(found.case_id)
        case.resolve(Outcome.REUNITED, ResolutionCause.POLICE, case.opened_by, NOW)
        transaction.cases.save(case)
        assert transaction.leads.list_with_status(OPEN) == []
        assert transaction.leads.list_of_case(missing.case_id) == [lead]
        assert transaction.leads.list_of_case(found.case_id) == [lead]


def test_rejected_partners_are_remembered_on_both_sides(database: Database) -> None:
    missing = photo_of(database, Side.MISSING)
    rejected, kept = photo_of(database, Side.FOUND), photo_of(database, Side.FOUND)
    reviewer = store_account(database)
    lead = make_lead(missing, rejected)
    with database.transaction() as transaction:
        transaction.leads.add_new(lead)
        transaction.leads.add_new(make_lead(missing, kept))
        lead.decide(reviewer.id, Verdict.REJECT, NOW)
        transaction.leads.save(lead)
    with database.transaction() as transaction:
        leads = transaction.leads
        assert leads.list_rejected_partners(missing.case_id) == [rejected.case_id]
        assert leads.list_rejected_partners(rejected.case_id) == [missing.case_id]
        assert leads.list_rejected_partners(kept.case_id) == []


def test_a_decided_lead_outlives_its_photos(database: Database) -> None:
    missing, found = photo_of(database, Side.MISSING), photo_of(database, Side.FOUND)
    lead = make_lead(missing, found)
    with database.transaction() as transaction:
        transaction.leads.add_new(lead)
        transaction.photos.delete_of_case(found.case_id)
    with database.transaction() as transaction:
        stored = transaction.leads.get(lead.id)
    assert (stored.missing_photo_id, stored.found_photo_id) == (missing.id, 0)


def test_a_lead_needs_its_cases(database: Database) -> None:
    missing = photo_of(database, Side.MISSING)
    lead = make_lead(missing, missing)
    lead.found_case_id = CaseId(99)
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.leads.add_new(lead)
