"""ProbeRepository, LookRepository, ImportRepository and Outbox, in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, CaseId
from reunite.ports import Database, Look, LookPurpose, Message
from reunite.testing.factories import NOW, make_probe, store_account, store_case
from tests.contract.undoing import undone

LATER = NOW + timedelta(minutes=5)


def test_a_probe_is_found_until_it_expires(database: Database) -> None:
    account = store_account(database)
    probe = make_probe(account.id)
    with database.transaction() as transaction:
        transaction.probes.add(probe)
    with database.transaction() as transaction:
        assert transaction.probes.find(probe.token_digest, NOW) == probe
        assert transaction.probes.find(bytes(32), NOW) is None
        assert transaction.probes.find(probe.token_digest, probe.expires_at) is None


def test_the_chosen_face_of_a_probe_is_saved(database: Database) -> None:
    probe = make_probe(store_account(database).id)
    with database.transaction() as transaction:
        transaction.probes.add(probe)
        probe.chosen = None
        transaction.probes.save(probe)
    with database.transaction() as transaction:
        assert transaction.probes.find(probe.token_digest, NOW) == probe


def test_searches_of_a_person_are_counted(database: Database) -> None:
    account, other = store_account(database), store_account(database)
    with database.transaction() as transaction:
        for minutes in (0, 10, 20):
            created_at = NOW + timedelta(minutes=minutes)
            transaction.probes.add(make_probe(account.id, created_at=created_at))
        transaction.probes.add(make_probe(other.id))
        assert transaction.probes.count_since(account.id, NOW) == 3
        assert transaction.probes.count_since(account.id, NOW + timedelta(minutes=10)) == 2
        assert transaction.probes.count_since(AccountId(99), NOW) == 0


def test_expired_probes_are_forgotten(database: Database) -> None:
    account = store_account(database)
    old = make_probe(account.id, created_at=NOW - timedelta(days=2))
    young = make_probe(account.id)
    with database.transaction() as transaction:
        transaction.probes.add(old)
        transaction.probes.add(young)
        assert transaction.probes.delete_expired(NOW) == [old.storage_key]
        assert transaction.probes.delete_expired(NOW) == []
        assert transaction.probes.find(young.token_digest, NOW) == young


def test_photos_beside_a_probe_come_and_go_with_it(database: Database) -> None:
    account = store_account(database)
    first, alone = make_probe(account.id), make_probe(account.id)
    others = [
        make_probe(account.id, created_at=NOW + timedelta(minutes=minutes), beside=first)
        for minutes in (1, 2)
    ]
    with database.transaction() as transaction:
        for probe in (first, alone, *reversed(others)):
            transaction.probes.add(probe)
        assert transaction.probes.list_beside(first.token_digest, NOW) == others
        assert transaction.probes.list_beside(alone.token_digest, NOW) == []
        assert transaction.probes.list_beside(first.token_digest, first.expires_at) == []
    with database.transaction() as transaction:
        gone = transaction.probes.delete(others[0].token_digest)
        assert gone == [others[0].storage_key]
        assert transaction.probes.list_beside(first.token_digest, NOW) == others[1:]
        gone = transaction.probes.delete(first.token_digest)
        assert set(gone) == {first.storage_key, others[1].storage_key}
        assert transaction.probes.find(others[1].token_digest, NOW) is None
        assert transaction.probes.find(alone.token_digest, NOW) == alone
        assert transaction.probes.delete(first.token_digest) == []


def test_expired_photos_are_forgotten_with_those_beside_them(database: Database) -> None:
    account = store_account(database)
    old = make_probe(account.id, created_at=NOW - timedelta(days=2))
    beside = make_probe(account.id, created_at=NOW - timedelta(days=1, hours=20), beside=old)
    with database.transaction() as transaction:
        transaction.probes.add(old)
        transaction.probes.add(beside)
    with database.transaction() as transaction:
        gone = transaction.probes.delete_expired(NOW)
        assert set(gone) == {old.storage_key, beside.storage_key}


def test_who_was_set_aside_is_saved(database: Database) -> None:
    probe = make_probe(store_account(database).id)
    with database.transaction() as transaction:
        transaction.probes.add(probe)
        probe.set_aside = frozenset({CaseId(7), CaseId(3)})
        transaction.probes.save(probe)
    with database.transaction() as transaction:
        assert transaction.probes.find(probe.token_digest, NOW) == probe


def test_no_photo_is_beside_an_unknown_one(database: Database) -> None:
    account = store_account(database)
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.probes.add(make_probe(account.id, beside=make_probe(account.id)))


def test_a_probe_needs_an_account(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.probes.add(make_probe(AccountId(99)))


def test_looks_are_listed_newest_first(database: Database) -> None:
    case, _ = store_case(database)
    other, _ = store_case(database)
    looks = [
        Look(case.opened_by, case.id, LookPurpose.VIEW, NOW),
        Look(None, case.id, LookPurpose.REVIEW, LATER),
        Look(other.opened_by, case.id, LookPurpose.SEARCH, NOW),
    ]
    with database.transaction() as transaction:
        transaction.looks.add(looks)
        transaction.looks.add([Look(case.opened_by, None, LookPurpose.SEARCH, NOW)])
        transaction.looks.add([])
    with database.transaction() as transaction:
        assert transaction.looks.list_of_case(case.id) == [looks[1], looks[2], looks[0]]
        assert transaction.looks.list_of_case(case.id, limit=1) == [looks[1]]
        assert transaction.looks.list_of_case(other.id) == []
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.looks.add([Look(None, CaseId(99), LookPurpose.VIEW, NOW)])


def test_an_import_knows_what_it_has_dealt_with(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.imports.add("folder", "b/2.jpg", "refused", "photo_no_face")
        transaction.imports.add("folder", "B/1.jpg", "imported", "7K3M9QX2TB")
        transaction.imports.add("folder", "a/王.jpg", "refused", "")
        transaction.imports.add("folder", "a/王.jpg", "duplicate", "7K3M9QX2TB")
        transaction.imports.add("other", "b/2.jpg", "imported", "")
    with database.transaction() as transaction:
        assert transaction.imports.seen("folder") == {"b/2.jpg", "B/1.jpg", "a/王.jpg"}
        assert transaction.imports.seen("nothing") == set()
        assert transaction.imports.list_outcomes("folder") == [
            ("B/1.jpg", "imported", "7K3M9QX2TB"),
            ("a/王.jpg", "duplicate", "7K3M9QX2TB"),
            ("b/2.jpg", "refused", "photo_no_face"),
        ]


def test_messages_come_oldest_first_and_are_finished(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.outbox.add("match_record", {"case_id": 7, "名": ["王", None, 1.5]})
        transaction.outbox.add("notify_audience", {})
    with database.transaction() as transaction:
        assert transaction.outbox.count_waiting() == 2
        first = transaction.outbox.claim(NOW)
        assert first is not None
        assert (first.topic, first.attempts) == ("match_record", 0)
        assert first.payload == {"case_id": 7, "名": ["王", None, 1.5]}
        transaction.outbox.finish(first)
    with database.transaction() as transaction:
        second = transaction.outbox.claim(NOW)
        assert second is not None
        assert second.topic == "notify_audience"
        transaction.outbox.finish(second)
        assert transaction.outbox.claim(NOW) is None
        assert transaction.outbox.count_waiting() == 0


def test_a_message_whose_handling_failed_comes_again(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.outbox.add("match_record", {})
    with undone(database) as transaction:
        message = transaction.outbox.claim(NOW)
        assert message is not None
        transaction.outbox.finish(message)
    with database.transaction() as transaction:
        assert transaction.outbox.claim(NOW) == message


def test_a_postponed_message_waits_its_time(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.outbox.add("match_record", {})
        transaction.outbox.add("notify_audience", {})
    with database.transaction() as transaction:
        message = transaction.outbox.claim(NOW)
        assert message is not None
    with database.transaction() as transaction:
        transaction.outbox.postpone(message, LATER, "x" * 10_000)
    with database.transaction() as transaction:
        other = transaction.outbox.claim(LATER - timedelta(seconds=1))
        assert other is not None
        assert other.topic == "notify_audience"
        transaction.outbox.finish(other)
        assert transaction.outbox.claim(NOW) is None
        assert transaction.outbox.count_waiting() == 1
    with database.transaction() as transaction:
        assert transaction.outbox.claim(LATER) == Message(message.id, "match_record", {}, 1)


def test_what_is_no_json_is_refused_when_it_is_written(database: Database) -> None:
    with pytest.raises(TypeError), database.transaction() as transaction:
        transaction.outbox.add("match_record", {"at": NOW})


def test_a_message_of_an_undone_transaction_does_not_exist(database: Database) -> None:
    with undone(database) as transaction:
        transaction.outbox.add("match_record", {})
    with database.transaction() as transaction:
        assert transaction.outbox.claim(NOW) is None
