"""Photos of face-find, the log of looks, imports and the outbox in memory."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId
from reunite.ports import FURTHEST_DUE, Look, Message, Probe
from reunite.testing.memory_accounts import require_account
from reunite.testing.memory_cases import require_case
from reunite.testing.memory_tables import MemorySession, Table

IMPORT_OUTCOMES = frozenset({"imported", "duplicate", "refused"})


class MemoryProbes:
    """Implements ``ProbeRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._probes: Table[bytes, Probe] = session.table("probes")

    def add(self, probe: Probe) -> None:
        require_account(self._session, probe.account_id)
        self._session.hold("probes", probe.token_digest)
        if probe.token_digest in self._probes:
            raise ConflictError
        if probe.beside is not None and probe.beside not in self._probes:
            raise NotFoundError
        self._probes.put(probe.token_digest, probe)

    def find(self, token_digest: bytes, now: datetime) -> Probe | None:
        probe = self._probes.get(token_digest)
        return None if probe is None or probe.expires_at <= now else probe

    def save(self, probe: Probe) -> None:
        stored = self._probes.get(probe.token_digest)
        if stored is not None:
            self._probes.put(
                probe.token_digest,
                replace(
                    stored,
                    chosen=probe.chosen,
                    captured_year=probe.captured_year,
                    set_aside=probe.set_aside,
                ),
            )

    def list_beside(self, token_digest: bytes, now: datetime) -> list[Probe]:
        listed = self._probes.values(lambda p: p.beside == token_digest and p.expires_at > now)
        return sorted(listed, key=lambda probe: (probe.created_at, probe.token_digest))

    def delete(self, token_digest: bytes) -> list[str]:
        gone = self._probes.values(lambda probe: token_digest in (probe.token_digest, probe.beside))
        for probe in gone:
            self._probes.delete(probe.token_digest)
        return [probe.storage_key for probe in gone]

    def count_since(self, account_id: AccountId, since: datetime) -> int:
        return len(
            self._probes.values(lambda p: p.account_id == account_id and p.created_at >= since)
        )

    def delete_expired(self, now: datetime) -> list[str]:
        expired = self._probes.values(lambda probe: probe.expires_at <= now)
        for probe in expired:
            self._probes.delete(probe.token_digest)
        return [probe.storage_key for probe in expired]


class MemoryLooks:
    """Implements ``LookRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._looks: Table[int, Look] = session.table("looks")

    def add(self, looks: Sequence[Look]) -> None:
        for look in looks:
            require_account(self._session, look.account_id)
            require_case(self._session, look.case_id)
            self._looks.put(self._session.store.next_id("looks"), look)

    def list_of_case(self, case_id: CaseId, *, limit: int = 100) -> list[Look]:
        listed = self._looks.items(lambda look: look.case_id == case_id)
        listed.sort(key=lambda row: (row[1].at, row[0]), reverse=True)
        return [look for _, look in listed[:limit]]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What became of one file of an import."""

    outcome: str
    detail: str


class MemoryImports:
    """Implements ``ImportRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._files: Table[tuple[str, str], StoredFile] = session.table("imports")

    def seen(self, source: str) -> set[str]:
        return {name for name, _, _ in self.list_outcomes(source)}

    def add(self, source: str, name: str, outcome: str, detail: str) -> None:
        if outcome not in IMPORT_OUTCOMES:
            raise ValueError(f"no outcome of an import: {outcome}")
        self._files.put((source, name), StoredFile(outcome, detail))

    def list_outcomes(self, source: str) -> list[tuple[str, str, str]]:
        return [
            (name, file.outcome, file.detail)
            for (of_source, name), file in self._files.items()
            if of_source == source
        ]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message that waits."""

    topic: str
    payload: str  # JSON, so that what cannot be stored is noticed here too
    attempts: int = 0
    due_at: datetime | None = None
    last_error: str = ""


class MemoryOutbox:
    """Implements ``Outbox``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._messages: Table[int, StoredMessage] = session.table("outbox")

    def add(
        self, topic: str, payload: Mapping[str, object], due_at: datetime | None = None
    ) -> None:
        message = StoredMessage(topic, json.dumps(dict(payload)), due_at=due_at)
        self._messages.put(self._session.store.next_id("outbox"), message)

    def claim(
        self, now: datetime, topics: Collection[str] = (), *, among: bool = False
    ) -> Message | None:
        def is_due(message: StoredMessage) -> bool:
            due_at = message.due_at
            if (message.topic in topics) is not among:
                return False
            return due_at is None or not now < due_at <= now + FURTHEST_DUE

        # Alerts before records that are compared, and those before whole imports.
        last = ("match_facts", "match_import")
        waiting = sorted(
            self._messages.items(is_due),
            key=lambda one: (last.index(one[1].topic) if one[1].topic in last else -1, one[0]),
        )
        for key, _ in waiting:
            if self._session.try_hold("outbox", key):
                stored = self._messages.get(key)
                if stored is not None and is_due(stored):
                    payload = json.loads(stored.payload)
                    return Message(key, stored.topic, payload, stored.attempts)
        return None

    def finish(self, message: Message) -> None:
        self._messages.delete(message.id)

    def postpone(self, message: Message, until: datetime, error: str) -> None:
        stored = self._messages.get(message.id)
        if stored is not None:
            self._messages.put(
                message.id,
                replace(stored, attempts=stored.attempts + 1, due_at=until, last_error=error),
            )

    def count_waiting(self) -> int:
        return len(self._messages.values())

    def list_waiting(self) -> list[Message]:
        """Every message, for tests to look at."""
        return [
            Message(key, stored.topic, json.loads(stored.payload), stored.attempts)
            for key, stored in self._messages.items()
        ]
