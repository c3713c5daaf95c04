"""Where API keys, records of other registries, alerts and webhooks are kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reunite.kernel.ids import ApiKeyId, CapMessageId, CaseId, WebhookId
from reunite.partners.cap.ledger import ReceivedAlert, SentMessage
from reunite.partners.exchange import FieldOrigin, PartnerRecord, PublicChange, Repository
from reunite.partners.keys import ApiKey, KeyUse
from reunite.partners.webhooks import Webhook


class ApiKeyRepository(Protocol):
    """Keys and what was done with them."""

    def add(self, key: ApiKey) -> ApiKeyId:
        """Sets ``key.id``.  Raises NotFoundError without its account."""
        ...

    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Raises NotFoundError."""
        ...

    def find_by_digest(self, digest: bytes) -> ApiKey | None: ...

    def list_all(self) -> list[ApiKey]:
        """By id."""
        ...

    def save(self, key: ApiKey) -> None:
        """Write when it ends, was revoked and was last used."""
        ...

    def add_use(self, use: KeyUse) -> None:
        """Log a request; the key has been used then."""
        ...

    def list_uses(self, key_id: ApiKeyId, *, limit: int = 100) -> list[KeyUse]:
        """The newest first."""
        ...

    def count_uses(self) -> Mapping[ApiKeyId, int]:
        """How many requests each key has made, as far as the log goes back."""
        ...

    def delete_uses_before(self, at: datetime) -> int: ...


class PartnerRepository(Protocol):
    """Repositories that we pull from, their records, and where a case's fields come from."""

    def save_repository(self, repository: Repository) -> None:
        """Add a repository, or change it."""
        ...

    def find_repository(self, domain: str) -> Repository | None: ...

    def list_repositories(self) -> list[Repository]:
        """By domain."""
        ...

    def claim_due(self, now: datetime) -> Repository | None:
        """One that is due and nobody else works on, held until the transaction ends."""
        ...

    def delete_repository(self, domain: str) -> None: ...

    def find_record(self, record_id: str, *, lock: bool = False) -> PartnerRecord | None: ...

    def save_record(self, record: PartnerRecord) -> None:
        """Keep the latest of a record."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[PartnerRecord]:
        """Everything that a case was made from, by record id."""
        ...

    def list_of_person(self, person_record_id: str) -> list[PartnerRecord]:
        """The notes about a person, by record id."""
        ...

    def list_of_domain(
        self, domain: str, *, after: str = "", limit: int = 100
    ) -> list[PartnerRecord]:
        """Records that a repository answers for, by record id."""
        ...

    def list_due_to_expire(self, now: datetime, *, limit: int = 100) -> list[PartnerRecord]:
        """Live records whose expiry date has come."""
        ...

    def record_ids_of(self, case_ids: Sequence[CaseId]) -> Mapping[CaseId, str]:
        """The person record that each case was opened from; own cases are absent."""
        ...

    def put_origins(self, case_id: CaseId, origins: Sequence[FieldOrigin]) -> None:
        """Say where fields of a case come from; fields not named keep their origin."""
        ...

    def list_origins(self, case_id: CaseId) -> list[FieldOrigin]:
        """By field."""
        ...

    def list_public_changes(
        self, since: datetime | None, *, skip: int, limit: int
    ) -> list[PublicChange]:
        """Cases that have ever been public, by the time of their last change.

        From ``since`` on, oldest first; without it the newest first.
        """
        ...

    def list_public_named(self, name: str, *, limit: int) -> list[CaseId]:
        """Published cases whose name holds these words, whatever their case; newest first."""
        ...


class AlertLedger(Protocol):
    """CAP messages, ours and others'."""

    def add_sent(self, message: SentMessage) -> CapMessageId:
        """Sets ``message.id``."""
        ...

    def find_sent(self, message_id: CapMessageId) -> SentMessage | None: ...

    def list_sent_of_case(self, case_id: CaseId) -> list[SentMessage]:
        """By id."""
        ...

    def list_sent(self, *, limit: int = 100) -> list[SentMessage]:
        """The newest first."""
        ...

    def save_received(self, alert: ReceivedAlert) -> bool:
        """Keep a message of somebody else; False where we had it."""
        ...

    def cancel_received(self, sender: str, identifiers: Sequence[str], at: datetime) -> int:
        """Its sender has taken messages back; how many of them we had."""
        ...

    def list_received(self, *, limit: int = 100) -> list[ReceivedAlert]:
        """The newest first."""
        ...


class WebhookRepository(Protocol):
    """Servers that wish to hear."""

    def add(self, webhook: Webhook) -> WebhookId:
        """Sets ``webhook.id``."""
        ...

    def find(self, webhook_id: WebhookId, *, lock: bool = False) -> Webhook | None: ...

    def list_all(self) -> list[Webhook]:
        """By id."""
        ...

    def save(self, webhook: Webhook) -> None:
        """Write failures and whether it is disabled."""
        ...
