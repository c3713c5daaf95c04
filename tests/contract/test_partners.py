"""Stations, backgrounds and linkage keys, in memory and on PostgreSQL."""

from dataclasses import replace

import pytest

from reunite.cases.background import Background
from reunite.cases.case import CaseStatus, Person
from reunite.cases.leads import NO_PHOTO, Lead, LeadEvidence
from reunite.cases.registration import CardMessage, Registration
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import CaseId, StationId
from reunite.kernel.people import Sex, Side, YearRange
from reunite.partners.stations.station import Station
from reunite.ports import CaseKeys, Database, ResidentRecord
from reunite.testing.factories import HANGZHOU, NOW, make_case, store_account, store_case


def stored(
    database: Database, side: Side = Side.FOUND, status: CaseStatus = CaseStatus.VERIFIED
) -> CaseId:
    return store_case(database, side=side, status=status)[0].id


def a_station(name: str = "湖滨救助站") -> Station:
    return Station(name, NOW, region=2, place_label="杭州", place=HANGZHOU, capacity=40)


def test_a_station_comes_back(database: Database) -> None:
    station = a_station()
    with database.transaction() as transaction:
        assert transaction.stations.add(station) == station.id
    station.columns["姓名"] = "name"
    station.capacity = None
    with database.transaction() as transaction:
        transaction.stations.save(station)
        transaction.stations.add(a_station("A"))
    with database.transaction() as transaction:
        assert transaction.stations.get(station.id) == station
        assert transaction.stations.find_by_name(station.name) == station
        assert transaction.stations.find_by_name("B") is None
        assert [one.name for one in transaction.stations.list_all()] == ["A", station.name]
        with pytest.raises(NotFoundError):
            transaction.stations.get(StationId(99))
        with pytest.raises(ConflictError, match="station_exists"):
            transaction.stations.add(a_station())


def test_a_clerk_works_for_one_station(database: Database) -> None:
    clerk = store_account(database)
    first, second = a_station(), a_station("B")
    with database.transaction() as transaction:
        transaction.stations.add(first)
        transaction.stations.add(second)
        assert transaction.stations.find_of_clerk(clerk.id) is None
        transaction.stations.set_clerk(clerk.id, first.id)
        transaction.stations.set_clerk(clerk.id, second.id)
    with database.transaction() as transaction:
        assert transaction.stations.find_of_clerk(clerk.id) == second
        transaction.stations.set_clerk(clerk.id, None)
        assert transaction.stations.find_of_clerk(clerk.id) is None


def test_residents_are_known_by_number(database: Database) -> None:
    station = a_station()
    with database.transaction() as transaction:
        transaction.stations.add(station)
    open_id, closed_id = stored(database), stored(database, status=CaseStatus.RESOLVED)
    records = [
        ResidentRecord(station.id, "1", open_id, "d1"),
        ResidentRecord(station.id, "2", closed_id, "d2"),
    ]
    with database.transaction() as transaction:
        transaction.stations.put_residents(records)
        transaction.stations.put_residents([])
    again = ResidentRecord(station.id, "1", open_id, "d3")
    with database.transaction() as transaction:
        transaction.stations.put_residents([again])
    with database.transaction() as transaction:
        assert transaction.stations.known(station.id, ["1", "2", "3"]) == {
            "1": again,
            "2": records[1],
        }
        assert transaction.stations.known(StationId(station.id + 1), ["1"]) == {}
        assert transaction.stations.count_residents(station.id) == 1
        assert transaction.stations.station_of_case(open_id) == station
        assert transaction.stations.station_of_case(CaseId(9999)) is None


def test_backgrounds_are_written_over_and_erased(database: Database) -> None:
    case_id = stored(database)
    with database.transaction() as transaction:
        transaction.backgrounds.put({case_id: Background(condition="痴呆")})
        transaction.backgrounds.put({case_id: Background(habits="往车站走", home_places="达州")})
        transaction.backgrounds.put({})
    with database.transaction() as transaction:
        known = transaction.backgrounds.get_many([case_id, CaseId(9999)])
        assert known == {case_id: Background(habits="往车站走", home_places="达州")}
        transaction.backgrounds.erase(case_id)
        assert transaction.backgrounds.get_many([case_id]) == {}


def test_candidates_share_keys_and_stand_on_the_other_side(database: Database) -> None:
    missing = [stored(database, Side.MISSING) for _ in range(3)]
    found = stored(database)
    with database.transaction() as transaction:
        transaction.linkage.put(
            [
                CaseKeys(missing[0], Side.MISSING, (1, -2, 3)),
                CaseKeys(missing[1], Side.MISSING, (3,)),
                CaseKeys(missing[2], Side.MISSING, (9,)),
                CaseKeys(found, Side.FOUND, (1, -2, 3)),
            ]
        )
    with database.transaction() as transaction:
        asked = transaction.linkage.candidates([1, -2, 3, 3], Side.MISSING, 10)
        assert asked == [(missing[0], 3), (missing[1], 1)]
        assert transaction.linkage.candidates([1, -2, 3], Side.MISSING, 1) == asked[:1]
        assert transaction.linkage.candidates([], Side.MISSING, 10) == []
        transaction.linkage.put([CaseKeys(missing[0], Side.MISSING, ())])
        transaction.linkage.erase(missing[1])
        assert transaction.linkage.candidates([1, -2, 3], Side.MISSING, 10) == []


def test_many_cases_at_once(database: Database) -> None:
    account = store_account(database)
    cases = [make_case(account.id, side=Side.FOUND) for _ in range(3)]
    with database.transaction() as transaction:
        transaction.cases.add_many(cases)
        transaction.cases.add_many([])
    with database.transaction() as transaction:
        assert [transaction.cases.get(case.id) for case in cases] == cases
        assert transaction.cases.count_open(Side.FOUND, 10) == 3
        assert transaction.cases.count_open(Side.FOUND, 2) == 2
        assert transaction.cases.count_open(Side.MISSING, 2) == 0
    with (
        pytest.raises(ConflictError, match="reference_taken"),
        database.transaction() as transaction,
    ):
        transaction.cases.add_many([make_case(account.id, reference=cases[0].reference)])


def test_a_lead_without_photos_has_reasons(database: Database) -> None:
    lead = Lead(
        missing_case_id=stored(database, Side.MISSING),
        found_case_id=stored(database),
        missing_photo_id=NO_PHOTO,
        found_photo_id=NO_PHOTO,
        similarity=0.0,
        found_at=NOW,
        bits=17.5,
        evidence=[LeadEvidence("name", "same_sound", 11.0), LeadEvidence("sex", "differs", -5.6)],
    )
    with database.transaction() as transaction:
        transaction.leads.add_new(lead)
    with database.transaction() as transaction:
        assert transaction.leads.get(lead.id) == lead
        lead.bits, lead.evidence = 12.0, lead.evidence[:1]
        assert transaction.leads.add_new(lead) is None
    with database.transaction() as transaction:
        stored_lead = transaction.leads.get(lead.id)
    assert (stored_lead.bits, stored_lead.evidence) == (12.0, lead.evidence)


def test_alerts_come_before_comparisons_and_those_before_imports(database: Database) -> None:
    with database.transaction() as transaction:
        for topic in ("match_import", "match_facts", "notify_audience"):
            transaction.outbox.add(topic, {})
    order = []
    for _ in range(3):
        with database.transaction() as transaction:
            message = transaction.outbox.claim(NOW)
            assert message is not None
            order.append(message.topic)
            transaction.outbox.finish(message)
    assert order == ["notify_audience", "match_facts", "match_import"]


def test_registrations_episodes_and_messages(database: Database) -> None:
    owner = store_account(database)
    elder = Person(name="王", sex=Sex.FEMALE, birth_years=YearRange(1948, 1950))
    made = Registration(
        token="7K3M9QX2TB",
        owner=owner.id,
        created_at=NOW,
        person=elder,
        background=Background(condition="认知症"),
        contact="138",
        consent_publish=True,
        place=HANGZHOU,
        photo_key="k",
    )
    other = replace(made, token="X", person=Person(name="李"), place=None, photo_key=None)
    first, second = stored(database, Side.MISSING), stored(database, Side.MISSING)
    with database.transaction() as transaction:
        assert transaction.registrations.add(made) == made.id
        transaction.registrations.add(other)
        for case_id in (first, second, second):
            transaction.registrations.add_episode(made.id, case_id)
    messages = [
        CardMessage(made.id, first, NOW, "在车站", "139", HANGZHOU, "杭州"),
        CardMessage(made.id, second, NOW, "x"),
    ]
    with database.transaction() as transaction:
        for message in messages:
            transaction.registrations.add_message(message)
    with database.transaction() as transaction:
        kept = transaction.registrations
        assert kept.get_by_token(made.token, lock=True) == made
        assert kept.list_of_owner(owner.id) == [other, made]
        assert kept.list_episodes([made.id, other.id]) == {made.id: [second, first], other.id: []}
        assert kept.list_messages(made.id) == messages[::-1]
        assert kept.count_messages_since(made.id, NOW) == 2
        assert kept.count_messages_since(other.id, NOW) == 0
        assert "k" in set(transaction.photos.iter_storage_keys())
        kept.erase_of_case(second)
        assert kept.list_messages(made.id) == messages[:1]
        kept.delete(made.id)
    with database.transaction() as transaction:
        assert transaction.registrations.list_of_owner(owner.id) == [other]
        assert transaction.cases.get(first).id == first
        with pytest.raises(NotFoundError):
            transaction.registrations.get_by_token(made.token)
