"""CaseRepository, in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from reunite.cases.case import (
    CaseStatus,
    Circumstances,
    Outcome,
    Person,
    ResolutionCause,
)
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId
from reunite.kernel.people import Module, Side
from reunite.ports import CaseCount, CaseQuery, Database
from reunite.testing.factories import NOW, make_case, store_account, store_case

REPORTED, PUBLISHED, RESOLVED = CaseStatus.REPORTED, CaseStatus.PUBLISHED, CaseStatus.RESOLVED


def test_a_case_comes_back_as_it_was_written(database: Database) -> None:
    case, _ = store_case(database, status=RESOLVED)
    with database.transaction() as transaction:
        assert transaction.cases.get(case.id) == case
        assert transaction.cases.get(case.id, lock=True) == case
        assert transaction.cases.get_by_reference(case.reference) == case
        assert transaction.cases.get_by_reference(case.reference, lock=True) == case
    assert len(case.transitions) == 4


def test_a_case_of_which_nothing_is_known_comes_back_too(database: Database) -> None:
    reporter = store_account(database)
    case = make_case(reporter.id, person=Person(), place=None, side=Side.FOUND)
    case.circumstances = Circumstances()
    case.transitions.clear()
    with database.transaction() as transaction:
        transaction.cases.add(case)
    with database.transaction() as transaction:
        assert transaction.cases.get(case.id) == case


def test_an_unknown_case_is_not_found(database: Database) -> None:
    reporter = store_account(database)
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.cases.get(CaseId(99))
        with pytest.raises(NotFoundError):
            transaction.cases.get(CaseId(99), lock=True)
        with pytest.raises(NotFoundError):
            transaction.cases.get_by_reference("0000000000", lock=True)
        with pytest.raises(NotFoundError):
            transaction.cases.save(make_case(reporter.id))


def test_a_reference_is_given_once(database: Database) -> None:
    case, _ = store_case(database)
    with database.transaction() as transaction:
        with pytest.raises(ConflictError) as refused:
            transaction.cases.add(make_case(case.opened_by, reference=case.reference))
        assert refused.value.code == "reference_taken"
        transaction.cases.add(make_case(case.opened_by))


def test_a_case_needs_a_reporter(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.cases.add(make_case(AccountId(99)))


def test_saving_writes_the_state_and_the_new_transitions(database: Database) -> None:
    case, _ = store_case(database, status=REPORTED)
    reviewer = store_account(database)
    with database.transaction() as transaction:
        stored = transaction.cases.get(case.id, lock=True)
        stored.verify(reviewer.id, NOW, "called the police station")
        stored.publish(reviewer.id, NOW + timedelta(hours=1))
        transaction.cases.save(stored)
        stored.resolve(
            Outcome.REUNITED, ResolutionCause.FACE_LEAD, reviewer.id, NOW + timedelta(days=1)
        )
        stored.person = Person(name="Wang")
        stored.photos_erased_at = NOW
        transaction.cases.save(stored)
    with database.transaction() as transaction:
        again = transaction.cases.get(case.id)
    assert again == stored
    assert again.version == 2
    assert [step.status for step in again.transitions] == [
        REPORTED,
        CaseStatus.VERIFIED,
        PUBLISHED,
        RESOLVED,
    ]
    assert again.transitions[1].note == "called the police station"


def test_a_case_that_has_changed_meanwhile_is_not_overwritten(database: Database) -> None:
    case, _ = store_case(database, status=REPORTED)
    reviewer = store_account(database)
    with database.transaction() as transaction:
        first = transaction.cases.get(case.id)
        second = transaction.cases.get(case.id)
    first.verify(reviewer.id, NOW)
    second.withdraw(case.opened_by, NOW)
    with database.transaction() as transaction:
        transaction.cases.save(first)
    with pytest.raises(ConflictError) as refused, database.transaction() as transaction:
        transaction.cases.save(second)
    assert refused.value.code == "changed_meanwhile"
    with database.transaction() as transaction:
        assert transaction.cases.get(case.id) == first


def test_many_cases_are_got_by_id(database: Database) -> None:
    first, second = store_case(database)[0], store_case(database)[0]
    with database.transaction() as transaction:
        got = transaction.cases.get_many([second.id, first.id, CaseId(99), first.id])
        assert got == {first.id: first, second.id: second}
        assert transaction.cases.get_many([]) == {}


def test_cases_are_listed_newest_first_in_pages(database: Database) -> None:
    ids = [store_case(database)[0].id for _ in range(5)]
    with database.transaction() as transaction:
        page = transaction.cases.list_matching(CaseQuery(limit=3))
        rest = transaction.cases.list_matching(CaseQuery(limit=3, before=page[-1].id))
    assert [case.id for case in page + rest] == ids[::-1]


def test_every_condition_of_a_query_holds(database: Database) -> None:
    missing, _ = store_case(database, status=PUBLISHED)
    found, _ = store_case(database, side=Side.FOUND, status=CaseStatus.VERIFIED)
    elder = make_case(missing.opened_by, module=Module.ELDER, status=REPORTED)
    with database.transaction() as transaction:
        transaction.cases.add(elder)

        def listed(query: CaseQuery) -> list[CaseId]:
            return [case.id for case in transaction.cases.list_matching(query)]

        assert listed(CaseQuery(sides=frozenset({Side.FOUND}))) == [found.id]
        assert listed(CaseQuery(modules=frozenset({Module.ELDER}))) == [elder.id]
        assert listed(CaseQuery(opened_by=missing.opened_by)) == [elder.id, missing.id]
        either = frozenset({PUBLISHED, CaseStatus.VERIFIED})
        assert listed(CaseQuery(statuses=either)) == [found.id, missing.id]
        assert listed(CaseQuery(statuses=either, sides=frozenset({Side.MISSING}))) == [missing.id]
        assert listed(CaseQuery(statuses=frozenset({RESOLVED}))) == []


def test_cases_whose_pictures_are_due_come_longest_closed_first(database: Database) -> None:
    open_case, _ = store_case(database)
    closed = [store_case(database, status=RESOLVED)[0] for _ in range(4)]
    with database.transaction() as transaction:
        for case, days in zip(closed, (3, 1, 2, 9), strict=True):
            case.closed_at = NOW + timedelta(days=days)
            transaction.cases.save(case)
        closed[2].photos_erased_at = NOW
        transaction.cases.save(closed[2])
        due = transaction.cases.list_matching(CaseQuery(photos_due=NOW + timedelta(days=3)))
    assert [case.id for case in due] == [closed[1].id, closed[0].id]
    assert open_case.closed_at is None


def test_cases_are_counted_by_kind(database: Database) -> None:
    for _ in range(2):
        store_case(database, status=RESOLVED)
    store_case(database, side=Side.FOUND, status=PUBLISHED)
    with database.transaction() as transaction:
        counts = transaction.cases.count()
    resolved = CaseCount(Module.CHILD, Side.MISSING, RESOLVED, "reunited", "face_lead", 2)
    published = CaseCount(Module.CHILD, Side.FOUND, PUBLISHED, None, None, 1)
    assert len(counts) == 2
    assert resolved in counts
    assert published in counts
