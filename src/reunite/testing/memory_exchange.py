"""API keys, partners' records, CAP messages and webhooks in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reunite.cases.case import Case, CaseStatus
from reunite.cases.duplicates import Duplicate
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import ApiKeyId, CapMessageId, CaseId, DuplicateId, WebhookId
from reunite.partners.cap.ledger import ReceivedAlert, SentMessage
from reunite.partners.exchange import (
    FieldOrigin,
    PartnerRecord,
    PublicChange,
    RecordState,
    Repository,
)
from reunite.partners.keys import ApiKey, KeyUse
from reunite.partners.pfif.fields import Kind
from reunite.partners.webhooks import Webhook
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table

_PUBLIC_STEPS = (CaseStatus.PUBLISHED, CaseStatus.RESOLVED, CaseStatus.WITHDRAWN)


class MemoryApiKeys:
    """Implements ``ApiKeyRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._keys: Table[ApiKeyId, ApiKey] = session.table("api_keys")
        self._uses: Table[int, KeyUse] = session.table("api_key_uses")

    def add(self, key: ApiKey) -> ApiKeyId:
        require_account(self._session, key.account_id)
        key.id = ApiKeyId(self._session.store.next_id("api_keys"))
        self._keys.put(key.id, key)
        return key.id

    def get(self, key_id: ApiKeyId) -> ApiKey:
        key = self._keys.get(key_id)
        if key is None:
            raise NotFoundError
        return key

    def find_by_digest(self, digest: bytes) -> ApiKey | None:
        return next(iter(self._keys.values(lambda key: key.digest == digest)), None)

    def list_all(self) -> list[ApiKey]:
        return self._keys.values()

    def save(self, key: ApiKey) -> None:
        stored = self._keys.get(key.id)
        if stored is not None:
            self._keys.put(
                key.id,
                replace(
                    stored,
                    expires_at=key.expires_at,
                    revoked_at=key.revoked_at,
                    last_used_at=key.last_used_at,
                ),
            )

    def add_use(self, use: KeyUse) -> None:
        key = self.get(use.key_id)
        self._uses.put(self._session.store.next_id("api_key_uses"), use)
        self._keys.put(key.id, replace(key, last_used_at=use.at))

    def list_uses(self, key_id: ApiKeyId, *, limit: int = 100) -> list[KeyUse]:
        rows = self._uses.items(lambda use: use.key_id == key_id)
        rows.sort(key=lambda row: (row[1].at, row[0]), reverse=True)
        return [use for _, use in rows[:limit]]

    def count_uses(self) -> Mapping[ApiKeyId, int]:
        return dict(Counter(use.key_id for use in self._uses.values()))

    def delete_uses_before(self, at: datetime) -> int:
        old = self._uses.items(lambda use: use.at < at)
        for number, _ in old:
            self._uses.delete(number)
        return len(old)


class MemoryPartners:
    """Implements ``PartnerRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._repositories: Table[str, Repository] = session.table("repositories")
        self._records: Table[str, PartnerRecord] = session.table("partner_records")
        self._origins: Table[tuple[CaseId, str], FieldOrigin] = session.table("case_origins")
        self._cases: Table[CaseId, Case] = session.table("cases")

    def save_repository(self, repository: Repository) -> None:
        require_account(self._session, repository.account_id)
        self._repositories.put(repository.domain, repository)

    def find_repository(self, domain: str) -> Repository | None:
        return self._repositories.get(domain)

    def list_repositories(self) -> list[Repository]:
        return self._repositories.values()

    def claim_due(self, now: datetime) -> Repository | None:
        def is_due(one: Repository) -> bool:
            return not one.paused and (one.due_at is None or one.due_at <= now)

        for domain, _ in self._repositories.items(is_due):
            if self._session.try_hold("repositories", domain):
                found = self._repositories.get(domain)
                if found is not None and is_due(found):
                    return found
        return None

    def delete_repository(self, domain: str) -> None:
        self._repositories.delete(domain)

    def find_record(self, record_id: str, *, lock: bool = False) -> PartnerRecord | None:
        if lock and record_id in self._records:
            self._session.hold("partner_records", record_id)
        return self._records.get(record_id)

    def save_record(self, record: PartnerRecord) -> None:
        require_case(self._session, record.case_id)
        self._records.put(record.record.record_id, record)

    def list_of_case(self, case_id: CaseId) -> list[PartnerRecord]:
        return self._records.values(lambda one: one.case_id == case_id)

    def list_of_person(self, person_record_id: str) -> list[PartnerRecord]:
        return self._records.values(
            lambda one: (
                one.record.kind is Kind.NOTE
                and one.record.text("person_record_id") == person_record_id
            )
        )

    def list_of_domain(
        self, domain: str, *, after: str = "", limit: int = 100
    ) -> list[PartnerRecord]:
        return self._records.values(
            lambda one: one.record.domain == domain and one.record.record_id > after
        )[:limit]

    def list_due_to_expire(self, now: datetime, *, limit: int = 100) -> list[PartnerRecord]:
        due = [
            (at, one.record.record_id, one)
            for one in self._records.values(lambda one: one.state is RecordState.LIVE)
            if (at := one.record.time("expiry_date")) is not None and at <= now
        ]
        return [one for _, _, one in sorted(due, key=lambda row: row[:2])[:limit]]

    def record_ids_of(self, case_ids: Sequence[CaseId]) -> Mapping[CaseId, str]:
        wanted = set(case_ids)
        return {
            one.case_id: one.record.record_id
            for one in self._records.values(lambda one: one.record.kind is Kind.PERSON)
            if one.case_id is not None and one.case_id in wanted
        }

    def put_origins(self, case_id: CaseId, origins: Sequence[FieldOrigin]) -> None:
        require_case(self._session, case_id)
        for origin in origins:
            self._origins.put((case_id, origin.field), origin)

    def list_origins(self, case_id: CaseId) -> list[FieldOrigin]:
        return [origin for (of, _), origin in self._origins.items() if of == case_id]

    def list_public_changes(
        self, since: datetime | None, *, skip: int, limit: int
    ) -> list[PublicChange]:
        changes = []
        for case in self._cases.values():
            steps = [step for step in case.transitions if step.status in _PUBLIC_STEPS]
            if any(step.status is CaseStatus.PUBLISHED for step in steps):
                times = [step.at for step in steps]
                times += [origin.received_at for origin in self.list_origins(case.id)]
                times += [one.at for pair in self._pairs_of(case.id) for one in pair.decisions]
                changes.append(PublicChange(case.id, max(times)))
        changes.sort(key=lambda change: (change.at, change.case_id), reverse=since is None)
        return [one for one in changes if since is None or one.at >= since][skip : skip + limit]

    def _pairs_of(self, case_id: CaseId) -> list[Duplicate]:
        pairs: Table[DuplicateId, Duplicate] = self._session.table("duplicates")
        return pairs.values(lambda pair: case_id in pair.case_ids)

    def list_public_named(self, name: str, *, limit: int) -> list[CaseId]:
        found = self._cases.values(
            lambda case: case.is_public and name.lower() in case.person.name.lower()
        )
        return [case.id for case in found[::-1][:limit]]


class MemoryCapMessages:
    """Implements ``AlertLedger``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._sent: Table[CapMessageId, SentMessage] = session.table("cap_messages")
        self._received: Table[tuple[str, str], ReceivedAlert] = session.table("received_alerts")

    def add_sent(self, message: SentMessage) -> CapMessageId:
        require_case(self._session, message.case_id)
        message.id = CapMessageId(self._session.store.next_id("cap_messages"))
        self._sent.put(message.id, message)
        return message.id

    def find_sent(self, message_id: CapMessageId) -> SentMessage | None:
        return self._sent.get(message_id)

    def list_sent_of_case(self, case_id: CaseId) -> list[SentMessage]:
        return self._sent.values(lambda one: one.case_id == case_id)

    def list_sent(self, *, limit: int = 100) -> list[SentMessage]:
        return self._sent.values()[::-1][:limit]

    def save_received(self, alert: ReceivedAlert) -> bool:
        key = (alert.sender, alert.identifier)
        self._session.hold("received_alerts", key)
        if key in self._received:
            return False
        self._received.put(key, alert)
        return True

    def cancel_received(self, sender: str, identifiers: Sequence[str], at: datetime) -> int:
        wanted = self._received.items(
            lambda one: (
                one.sender == sender and one.identifier in identifiers and one.cancelled_at is None
            )
        )
        for key, one in wanted:
            self._received.put(key, replace(one, cancelled_at=at))
        return len(wanted)

    def list_received(self, *, limit: int = 100) -> list[ReceivedAlert]:
        found = self._received.values()
        found.sort(key=lambda one: one.received_at, reverse=True)
        return found[:limit]


class MemoryWebhooks:
    """Implements ``WebhookRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._webhooks: Table[WebhookId, Webhook] = session.table("webhooks")

    def add(self, webhook: Webhook) -> WebhookId:
        webhook.id = WebhookId(self._session.store.next_id("webhooks"))
        self._webhooks.put(webhook.id, webhook)
        return webhook.id

    def find(self, webhook_id: WebhookId, *, lock: bool = False) -> Webhook | None:
        if lock and webhook_id in self._webhooks:
            self._session.hold("webhooks", webhook_id)
        return self._webhooks.get(webhook_id)

    def list_all(self) -> list[Webhook]:
        return self._webhooks.values()

    def save(self, webhook: Webhook) -> None:
        stored = self._webhooks.get(webhook.id)
        if stored is not None:
            self._webhooks.put(
                webhook.id,
                replace(stored, failures=webhook.failures, disabled_at=webhook.disabled_at),
            )
