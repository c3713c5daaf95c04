"""Records of one side that repeat one another: suggested, linked, undone, and told to partners."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.app.link_duplicates import (
    decide_duplicate,
    get_duplicate,
    list_duplicates,
    list_duplicates_of,
)
from reunite.app.pfif_of_case import Site
from reunite.app.publish_feeds import FeedPage, FeedQuery, read_feed
from reunite.app.review_lead import list_leads
from reunite.app.services import Settings
from reunite.app.take_records import Terms, take_document
from reunite.cases.case import Circumstances, Person
from reunite.cases.duplicates import Duplicate, DuplicateSource, DuplicateStatus
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import CaseId, DuplicateId
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.partners.keys import ApiKey, Scope
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.pfif.writing import write_document
from reunite.testing.faces import paint_person
from tests.unit.app.world import HANGZHOU, NOON, World, a_report

SITE = Site("reunite.localhost", "https://reunite.example", "CN")
ZHEN = Person(name="欧阳秀珍", sex=Sex.FEMALE, birth_years=YearRange(1948, 1948), marks="缺门牙")
AGAIN = replace(ZHEN, name="欧阳秀贞", birth_years=YearRange(1947, 1949))
OTHER = Person(name="李国强", sex=Sex.MALE, birth_years=YearRange(1960, 1960), marks="右腿跛")


@pytest.fixture
def world() -> World:
    return World(Settings())


def report(
    world: World, person: Person, side: Side = Side.MISSING, photo: bytes | None = None
) -> str:
    """The reference of a new elder's case, compared with everybody."""
    told = a_report(module=Module.ELDER, side=side, person=person, photo=photo)
    reference = world.report(world.family, told).reference
    world.drain()
    return reference


def suggested(world: World) -> list[Duplicate]:
    return [view.pair for view in list_duplicates(world.services, world.reviewer)]


@pytest.mark.parametrize("side", list(Side))
def test_a_record_that_repeats_another_is_suggested(world: World, side: Side) -> None:
    first = report(world, ZHEN, side)
    report(world, OTHER, side)
    assert suggested(world) == []
    second = report(world, AGAIN, side)
    [pair] = suggested(world)
    assert pair.case_ids == (world.case(first).id, world.case(second).id)
    assert {one.fact for one in pair.evidence} == {"name", "sex", "birth_year", "marks"}
    assert list_leads(world.services, world.reviewer) == []


def test_strangers_of_one_place_and_day_are_no_duplicates(world: World) -> None:
    for name in ("王秀英", "张桂兰", "李玉珍", "刘淑华"):
        report(world, Person(name=name, sex=Sex.FEMALE), Side.FOUND)
    assert suggested(world) == []


def test_faces_speak_as_well(world: World) -> None:
    plain = Person(sex=Sex.FEMALE, birth_years=YearRange(1948, 1948), marks="缺门牙")
    report(world, plain, Side.FOUND, paint_person(7))
    report(world, plain, Side.FOUND, paint_person(8))
    assert suggested(world) == []
    report(world, plain, Side.FOUND, paint_person(7, 1))
    [pair] = suggested(world)
    assert "face" in {one.fact for one in pair.evidence}


def test_a_link_merges_nothing_and_can_be_undone(world: World) -> None:
    first, second = report(world, ZHEN), report(world, AGAIN)
    before = world.case(first), world.case(second)
    [pair] = suggested(world)
    decide_duplicate(world.services, world.reviewer, pair.id, DuplicateStatus.LINKED, "同一身份证")
    assert suggested(world) == []
    assert (world.case(first), world.case(second)) == before
    for reference, other in ((first, second), (second, first)):
        [view] = list_duplicates_of(world.services, world.reviewer, reference)
        assert view.other(world.case(reference).id).case.reference == other
    with pytest.raises(ConflictError, match="duplicate_decided"):
        decide_duplicate(world.services, world.officer, pair.id, DuplicateStatus.LINKED)
    decide_duplicate(world.services, world.officer, pair.id, DuplicateStatus.SEPARATE)
    assert list_duplicates_of(world.services, world.reviewer, first) == []
    stored = get_duplicate(world.services, world.reviewer, pair.id).pair
    assert [one.status for one in stored.decisions] == [
        DuplicateStatus.LINKED,
        DuplicateStatus.SEPARATE,
    ]
    assert [one.by for one in stored.decisions] == [
        world.reviewer.account_id,
        world.officer.account_id,
    ]


def test_two_people_are_not_suggested_again(world: World) -> None:
    report(world, ZHEN)
    second = report(world, AGAIN)
    [pair] = suggested(world)
    decide_duplicate(world.services, world.reviewer, pair.id, DuplicateStatus.SEPARATE)
    with world.database.transaction() as transaction:
        transaction.outbox.add("match_facts", {"case_ids": [int(world.case(second).id)]})
    world.drain()
    assert suggested(world) == []


def test_only_open_records_wait(world: World) -> None:
    first = report(world, ZHEN)
    with world.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(first, lock=True)
        case.withdraw(world.family.account_id, world.clock.now())
        transaction.cases.save(case)
    report(world, AGAIN)
    assert suggested(world) == []


def test_unknown_pairs_are_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        get_duplicate(world.services, world.reviewer, DuplicateId(99))
    with pytest.raises(ValueError, match="earlier"):
        Duplicate(CaseId(2), CaseId(1), NOON)


def feed(world: World, since: timedelta | None = None) -> FeedPage:
    key = ApiKey("k", b"", "", frozenset({Scope.READ_PUBLIC}), world.officer.account_id, NOON)
    query = FeedQuery(None if since is None else world.clock.now() - since)
    return read_feed(world.services, key, SITE, query)


def linked(notes: Iterable[PfifRecord]) -> dict[str, str]:
    return {
        one.text("person_record_id"): one.text("linked_person_record_id")
        for one in notes
        if ".link." in one.record_id
    }


def test_partners_hear_of_links_and_of_their_end(world: World) -> None:
    first, second = report(world, ZHEN), report(world, AGAIN)
    world.publish(first)
    world.publish(second)
    [pair] = suggested(world)
    ids = f"{SITE.domain}/{first}", f"{SITE.domain}/{second}"
    assert linked(feed(world).notes) == {}
    world.pass_time(days=1)
    decide_duplicate(world.services, world.reviewer, pair.id, DuplicateStatus.LINKED)
    page = feed(world, timedelta(minutes=1))
    assert {one.record_id for one in page.persons} == set(ids)
    assert linked(page.notes) == {ids[0]: ids[1], ids[1]: ids[0]}
    world.pass_time(days=1)
    decide_duplicate(world.services, world.reviewer, pair.id, DuplicateStatus.SEPARATE)
    assert linked(feed(world, timedelta(minutes=1)).notes) == {ids[0]: "", ids[1]: ""}


def person(domain: str, number: int, **changes: str) -> PfifRecord:
    fields = {
        "person_record_id": f"{domain}/{number}",
        "source_date": "2026-05-30T08:00:00Z",
        "full_name": "陈小虎",
        "author_name": "赵敏",
    }
    return PfifRecord(Kind.PERSON, fields).with_fields(**changes)


def link(mine: str, theirs: str) -> PfifRecord:
    fields = {
        "note_record_id": f"{mine}.l",
        "person_record_id": mine,
        "linked_person_record_id": theirs,
        "author_name": "赵敏",
        "source_date": "2026-05-30T09:00:00Z",
        "text": "同一人",
    }
    return PfifRecord(Kind.NOTE, fields)


def take(world: World, domain: str, *records: PfifRecord) -> None:
    persons = [one for one in records if one.kind is Kind.PERSON]
    notes: dict[str, list[PfifRecord]] = {}
    for one in records:
        if one.kind is Kind.NOTE:
            notes.setdefault(one.text("person_record_id"), []).append(one)
    terms = Terms(world.officer, "push", frozenset({domain}), publication_agreed=True)
    pieces = [piece.encode() for piece in write_document(persons, notes)]
    take_document(world.services, terms, pieces)


def test_a_link_of_two_partners_counts_once_both_have_said_so(world: World) -> None:
    take(world, "a.example", person("a.example", 1), link("a.example/1", "b.example/1"))
    take(world, "b.example", person("b.example", 1, full_name="阿虎"))
    assert suggested(world) == []
    take(world, "b.example", link("b.example/1", "a.example/1"))
    [pair] = suggested(world)
    assert pair.source is DuplicateSource.PARTNER
    assert pair.status is DuplicateStatus.SUGGESTED


def test_a_link_to_one_of_ours_is_for_our_reviewers(world: World) -> None:
    own = report(world, ZHEN)
    mine = person("a.example", 1, full_name="陈阿婆")
    take(world, "a.example", mine, link("a.example/1", f"reunite.localhost/{own}"))
    [pair] = suggested(world)
    assert pair.source is DuplicateSource.PARTNER
    take(world, "a.example", link("a.example/2", f"reunite.localhost/{own}"))
    take(world, "a.example", person("a.example", 2))
    assert len(suggested(world)) == 2


def test_linked_records_of_both_sides_are_a_lead(world: World) -> None:
    seen = Circumstances(seen_at=NOON, place=HANGZHOU)
    told = replace(a_report(side=Side.FOUND, person=Person(sex=Sex.MALE)), circumstances=seen)
    own = world.report(world.family, told).reference
    mine = person("a.example", 1)
    take(world, "a.example", mine, link("a.example/1", f"reunite.localhost/{own}"))
    [view] = list_leads(world.services, world.reviewer)
    assert view.found.case.reference == own
    assert suggested(world) == []
