"""DuplicateRepository, in memory and on PostgreSQL."""

import pytest

from reunite.cases.case import CaseStatus
from reunite.cases.duplicates import Duplicate, DuplicateSource, DuplicateStatus
from reunite.cases.leads import LeadEvidence
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import CaseId, DuplicateId
from reunite.ports import Database
from reunite.testing.factories import NOW, store_account, store_case


def a_case(database: Database, status: CaseStatus = CaseStatus.VERIFIED) -> CaseId:
    return store_case(database, status=status)[0].id


def a_pair(database: Database, bits: float = 14.0) -> Duplicate:
    first, second = a_case(database), a_case(database)
    evidence = [LeadEvidence("name", "exact", bits)]
    return Duplicate(first, second, NOW, bits, evidence, DuplicateSource.PARTNER)


def test_a_pair_comes_back_with_its_decisions(database: Database) -> None:
    pair = a_pair(database)
    reviewer = store_account(database)
    with database.transaction() as transaction:
        assert transaction.duplicates.suggest(pair) == pair.id != 0
        assert transaction.duplicates.get(pair.id) == pair
    for status in (DuplicateStatus.LINKED, DuplicateStatus.SEPARATE):
        with database.transaction() as transaction:
            stored = transaction.duplicates.get(pair.id, lock=True)
            stored.decide(reviewer.id, status, NOW, "same papers")
            transaction.duplicates.save(stored)
    with database.transaction() as transaction:
        stored = transaction.duplicates.get(pair.id)
    assert stored.status is DuplicateStatus.SEPARATE
    assert stored.was_linked
    assert [(one.by, one.note) for one in stored.decisions] == [(reviewer.id, "same papers")] * 2


def test_a_known_pair_is_given_what_is_known_better_until_it_is_decided(
    database: Database,
) -> None:
    pair = a_pair(database, 14.0)
    better = Duplicate(*pair.case_ids, NOW, 20.0, [LeadEvidence("name", "exact", 20.0)])
    reviewer = store_account(database)
    with database.transaction() as transaction:
        transaction.duplicates.suggest(pair)
        assert transaction.duplicates.suggest(better) is None
        stored = transaction.duplicates.get(pair.id)
        assert (stored.bits, stored.evidence[0].bits) == (20.0, 20.0)
        stored.decide(reviewer.id, DuplicateStatus.SEPARATE, NOW)
        transaction.duplicates.save(stored)
        assert transaction.duplicates.suggest(Duplicate(*pair.case_ids, NOW, 30.0)) is None
        assert transaction.duplicates.get(pair.id).bits == 20.0


def test_pairs_of_open_cases_are_listed_by_weight(database: Database) -> None:
    light, heavy = a_pair(database, 13.0), a_pair(database, 18.0)
    open_case, closed = a_case(database), a_case(database, CaseStatus.WITHDRAWN)
    over = Duplicate(open_case, closed, NOW, 30.0)
    with database.transaction() as transaction:
        for pair in (light, heavy, over):
            transaction.duplicates.suggest(pair)
        listed = transaction.duplicates.list_with_status(DuplicateStatus.SUGGESTED)
        assert [one.id for one in listed] == [heavy.id, light.id]
        second = transaction.duplicates.list_with_status(
            DuplicateStatus.SUGGESTED, limit=1, offset=1
        )
        assert [one.id for one in second] == [light.id]
        assert transaction.duplicates.list_with_status(DuplicateStatus.LINKED) == []
        found = transaction.duplicates.list_of_cases([closed, heavy.second_case_id])
        assert {one.id for one in found} == {over.id, heavy.id}
        assert transaction.duplicates.list_of_cases([]) == []


def test_unknown_pairs_are_not_found(database: Database) -> None:
    pair = a_pair(database)
    pair.id = DuplicateId(999_999)
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.duplicates.get(pair.id, lock=True)
        with pytest.raises(NotFoundError):
            transaction.duplicates.save(pair)


def test_a_night_is_taken_once(database: Database) -> None:
    for expected in (True, False):
        with database.transaction() as transaction:
            assert transaction.linkage.claim_night(NOW.date()) is expected
