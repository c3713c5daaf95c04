"""API keys, partners' records, CAP messages and webhooks, in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId, ApiKeyId, CaseId, WebhookId
from reunite.kernel.people import Module
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.ledger import ReceivedAlert, SentMessage
from reunite.partners.cap.signing import SignatureState
from reunite.partners.exchange import (
    FieldOrigin,
    PartnerRecord,
    PublicChange,
    RecordState,
    Repository,
)
from reunite.partners.keys import ApiKey, KeyUse, Scope, digest_of, hint_of, new_secret
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.records import PfifRecord, format_time
from reunite.partners.webhooks import EventName, Webhook, new_webhook_secret
from reunite.ports import Database
from reunite.testing.factories import NOW, make_case, store_account, store_case

HOUR = timedelta(hours=1)


def a_key(account_id: AccountId, secret: str = "") -> ApiKey:
    secret = secret or new_secret()
    return ApiKey(
        name="登记处",
        digest=digest_of(secret),
        hint=hint_of(secret),
        scopes=frozenset({Scope.READ_PUBLIC, Scope.WRITE_OWN}),
        account_id=account_id,
        created_at=NOW,
        domain="registry.example.org",
        publication_agreed=True,
        requests_per_minute=7,
    )


def a_record(
    record_id: str, case_id: CaseId | None = None, kind: Kind = Kind.PERSON, **fields: str
) -> PartnerRecord:
    own = {f"{kind.value}_record_id": record_id, "full_name": "王", **fields}
    return PartnerRecord(PfifRecord(kind, own, ("<x>1</x>",)), NOW, "push", case_id=case_id)


def test_a_key_is_found_by_its_digest_alone(database: Database) -> None:
    account = store_account(database)
    key = a_key(account.id, "rk_secret")
    with database.transaction() as transaction:
        assert transaction.api_keys.add(key) == key.id != 0
        transaction.api_keys.add(a_key(account.id))
    with database.transaction() as transaction:
        assert transaction.api_keys.find_by_digest(digest_of("rk_secret")) == key
        assert transaction.api_keys.find_by_digest(digest_of("rk_other")) is None
        assert transaction.api_keys.get(key.id) == key
        assert len(transaction.api_keys.list_all()) == 2
        with pytest.raises(NotFoundError):
            transaction.api_keys.get(ApiKeyId(99))
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.api_keys.add(a_key(AccountId(99)))


def test_a_key_ends(database: Database) -> None:
    key = a_key(store_account(database).id)
    with database.transaction() as transaction:
        transaction.api_keys.add(key)
        key.expires_at, key.revoked_at = NOW + HOUR, NOW
        transaction.api_keys.save(key)
    with database.transaction() as transaction:
        assert transaction.api_keys.get(key.id) == key


def test_every_use_of_a_key_is_logged(database: Database) -> None:
    key, other = (a_key(store_account(database).id) for _ in range(2))
    uses = [KeyUse(ApiKeyId(0), NOW + number * HOUR, "persons", number) for number in range(3)]
    with database.transaction() as transaction:
        transaction.api_keys.add(key)
        transaction.api_keys.add(other)
        for use in uses:
            transaction.api_keys.add_use(replace(use, key_id=key.id))
        transaction.api_keys.add_use(KeyUse(other.id, NOW, "write", 1, "xml_unreadable"))
    with database.transaction() as transaction:
        found = transaction.api_keys.list_uses(key.id)
        assert [use.records for use in found] == [2, 1, 0]
        assert transaction.api_keys.list_uses(key.id, limit=1) == found[:1]
        assert transaction.api_keys.list_uses(other.id)[0].outcome == "xml_unreadable"
        assert transaction.api_keys.count_uses() == {key.id: 3, other.id: 1}
        assert transaction.api_keys.get(key.id).last_used_at == NOW + 2 * HOUR
        assert transaction.api_keys.delete_uses_before(NOW + HOUR) == 2
        assert transaction.api_keys.count_uses() == {key.id: 2}


def test_repositories_are_claimed_when_they_are_due(database: Database) -> None:
    account = store_account(database)
    first = Repository("a.example", "https://a.example/feed", account.id, NOW, module=Module.ELDER)
    late = Repository("b.example", "https://b.example/feed", account.id, NOW, due_at=NOW + HOUR)
    paused = Repository("c.example", "https://c.example/feed", account.id, NOW, paused=True)
    with database.transaction() as transaction:
        for one in (late, first, paused):
            transaction.partners.save_repository(one)
        assert transaction.partners.list_repositories() == [first, late, paused]
        assert transaction.partners.find_repository("a.example") == first
        assert transaction.partners.find_repository("d.example") is None
    with database.transaction() as transaction:
        assert transaction.partners.claim_due(NOW) == first
        with database.transaction() as second:
            assert second.partners.claim_due(NOW) is None
        first.due_at, first.since, first.skip, first.error = NOW + HOUR, NOW, 3, "xml_unreadable"
        transaction.partners.save_repository(first)
    with database.transaction() as transaction:
        assert transaction.partners.claim_due(NOW) is None
        assert transaction.partners.claim_due(NOW + HOUR) == first
        transaction.partners.delete_repository("a.example")
        assert transaction.partners.find_repository("a.example") is None


def test_records_are_kept_as_they_came(database: Database) -> None:
    case, _ = store_case(database)
    person = a_record("r.example/1", case.id, expiry_date=format_time(NOW))
    note = a_record("r.example/n", case.id, Kind.NOTE, person_record_id="r.example/1", text="好")
    other = a_record("s.example/2")
    with database.transaction() as transaction:
        for one in (person, note, other):
            transaction.partners.save_record(one)
    with database.transaction() as transaction:
        partners = transaction.partners
        assert partners.find_record("r.example/1") == person
        assert partners.find_record("r.example/1", lock=True) == person
        assert partners.find_record("r.example/2") is None
        assert partners.list_of_case(case.id) == [person, note]
        assert partners.list_of_person("r.example/1") == [note]
        assert partners.list_of_domain("r.example") == [person, note]
        assert partners.list_of_domain("r.example", after="r.example/1") == [note]
        assert partners.list_of_domain("r.example", limit=1) == [person]
        assert partners.record_ids_of([case.id, CaseId(99)]) == {case.id: "r.example/1"}
        assert partners.list_due_to_expire(NOW - HOUR) == []
        assert partners.list_due_to_expire(NOW) == [person]
        partners.save_record(replace(person, state=RecordState.EXPIRED))
        assert partners.list_due_to_expire(NOW) == []


def test_a_record_needs_its_case(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.partners.save_record(a_record("r.example/1", CaseId(99)))


def test_fields_say_where_they_come_from(database: Database) -> None:
    case, _ = store_case(database)
    name = FieldOrigin("name", "r.example/1", NOW, NOW)
    sex = FieldOrigin("sex", "r.example/1", None, NOW)
    with database.transaction() as transaction:
        transaction.partners.put_origins(case.id, [sex, name])
        later = replace(name, record_id="r.example/2", received_at=NOW + HOUR)
        transaction.partners.put_origins(case.id, [later])
    with database.transaction() as transaction:
        assert transaction.partners.list_origins(case.id) == [later, sex]
        assert transaction.partners.list_origins(CaseId(99)) == []


def test_the_public_sees_cases_change(database: Database) -> None:
    reviewer = store_account(database)
    cases = []
    with database.transaction() as transaction:
        for number in range(4):
            case = make_case(store_account(database).id)
            transaction.cases.add(case)
            case.verify(reviewer.id, NOW + number * HOUR)
            if number != 3:
                case.publish(reviewer.id, NOW + number * HOUR)
            transaction.cases.save(case)
            cases.append(case)
    with database.transaction() as transaction:
        list_changes = transaction.partners.list_public_changes
        first, second, third = (
            PublicChange(case.id, NOW + number * HOUR) for number, case in enumerate(cases[:3])
        )
        assert list_changes(None, skip=0, limit=9) == [third, second, first]
        assert list_changes(NOW, skip=0, limit=9) == [first, second, third]
        assert list_changes(NOW + HOUR, skip=0, limit=9) == [second, third]
        assert list_changes(NOW, skip=1, limit=1) == [second]
    case = cases[0]
    case.resolve(Outcome.REUNITED, ResolutionCause.POLICE, reviewer.id, NOW + 5 * HOUR)
    with database.transaction() as transaction:
        transaction.cases.save(case)
        origin = FieldOrigin("name", "r.example/1", NOW, NOW + 6 * HOUR)
        transaction.partners.put_origins(cases[1].id, [origin])
    with database.transaction() as transaction:
        assert transaction.partners.list_public_changes(NOW, skip=0, limit=9) == [
            third,
            PublicChange(case.id, NOW + 5 * HOUR),
            PublicChange(cases[1].id, NOW + 6 * HOUR),
        ]


def test_published_people_are_found_by_name(database: Database) -> None:
    reviewer = store_account(database)
    with database.transaction() as transaction:
        case = make_case(store_account(database).id)
        case.person = replace(case.person, name="Wang 100% 小明")
        transaction.cases.add(case)
        assert transaction.partners.list_public_named("小明", limit=5) == []
        case.verify(reviewer.id, NOW)
        case.publish(reviewer.id, NOW)
        transaction.cases.save(case)
    with database.transaction() as transaction:
        for words in ("小明", "wang", "100%"):
            assert transaction.partners.list_public_named(words, limit=5) == [case.id]
        assert transaction.partners.list_public_named("_", limit=5) == []


def test_our_own_cap_messages(database: Database) -> None:
    case, _ = store_case(database)
    other, _ = store_case(database)
    alert = SentMessage(case.id, MessageType.ALERT, NOW, 30.0)
    cancel = SentMessage(case.id, MessageType.CANCEL, NOW + HOUR, 30.0)
    third = SentMessage(other.id, MessageType.ALERT, NOW, 5.0)
    with database.transaction() as transaction:
        for one in (alert, cancel, third):
            assert transaction.cap_messages.add_sent(one) == one.id != 0
    with database.transaction() as transaction:
        assert transaction.cap_messages.find_sent(cancel.id) == cancel
        assert transaction.cap_messages.list_sent_of_case(case.id) == [alert, cancel]
        assert transaction.cap_messages.list_sent() == [third, cancel, alert]
        assert transaction.cap_messages.list_sent(limit=1) == [third]
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.cap_messages.add_sent(replace(alert, case_id=CaseId(99)))


def test_cap_messages_of_others(database: Database) -> None:
    first = ReceivedAlert(
        "police.example", "1", NOW, MessageType.ALERT, "Actual", SignatureState.UNSIGNED,
        b"<alert/>", NOW, "走失", NOW + HOUR,
    )  # fmt: skip
    second = replace(first, identifier="2", received_at=NOW + HOUR)
    with database.transaction() as transaction:
        assert transaction.cap_messages.save_received(first)
        assert transaction.cap_messages.save_received(second)
        assert not transaction.cap_messages.save_received(replace(first, headline="again"))
    with database.transaction() as transaction:
        ledger = transaction.cap_messages
        assert ledger.list_received() == [second, first]
        assert ledger.list_received(limit=1) == [second]
        assert ledger.cancel_received("somebody.else", ["1"], NOW) == 0
        assert ledger.cancel_received("police.example", ["1", "9"], NOW) == 1
        assert ledger.cancel_received("police.example", ["1"], NOW) == 0
        assert ledger.list_received()[1].cancelled_at == NOW


def test_webhooks_count_their_failures(database: Database) -> None:
    webhook = Webhook(
        "https://partner.example/hook",
        frozenset({EventName.CASE_CLOSED, EventName.CASE_PUBLISHED}),
        NOW,
        new_webhook_secret(),
    )
    with database.transaction() as transaction:
        assert transaction.webhooks.add(webhook) == webhook.id != 0
        assert transaction.webhooks.find(webhook.id, lock=True) == webhook
        assert transaction.webhooks.find(WebhookId(99)) is None
        webhook.failures, webhook.disabled_at = 40, NOW
        transaction.webhooks.save(webhook)
    with database.transaction() as transaction:
        assert transaction.webhooks.list_all() == [webhook]
