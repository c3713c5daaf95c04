"""Accounts, sessions and volunteers in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from reunite.accounts.account import Account
from reunite.alerts.positions import NOBODY, Positions, last_entries, opt_in_bits
from reunite.alerts.volunteers import Volunteer
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.ports import VolunteerChange
from reunite.testing.memory_tables import MemorySession, Table

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session of somebody who has signed in."""

    account_id: AccountId
    expires_at: datetime


def require_account(session: MemorySession, account_id: AccountId | None) -> None:
    """As a foreign key does: raise NotFoundError for an account that is not there."""
    if account_id is not None and account_id not in session.table("accounts"):
        raise NotFoundError


class MemoryAccounts:
    """Implements ``AccountRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._accounts: Table[AccountId, Account] = session.table("accounts")
        self._sessions: Table[bytes, StoredSession] = session.table("sessions")

    def add(self, account: Account) -> AccountId:
        self._session.hold("accounts.email", account.email)
        if self.find_by_email(account.email) is not None:
            raise ConflictError("email_taken", field="email")
        account.id = AccountId(self._session.store.next_id("accounts"))
        self._accounts.put(account.id, account)
        return account.id

    def get(self, account_id: AccountId) -> Account:
        account = self._accounts.get(account_id)
        if account is None:
            raise NotFoundError
        return account

    def find_by_email(self, email: str) -> Account | None:
        return next(iter(self._accounts.values(lambda a: a.email == email)), None)

    def list_all(self, *, after: AccountId = AccountId(0), limit: int = 100) -> list[Account]:
        return self._accounts.values(lambda a: a.id > after)[:limit]

    def save(self, account: Account) -> None:
        self._session.hold("accounts", account.id)
        stored = self.get(account.id)
        self._accounts.put(
            account.id, replace(account, email=stored.email, created_at=stored.created_at)
        )

    def add_session(self, token_digest: bytes, account_id: AccountId, expires_at: datetime) -> None:
        require_account(self._session, account_id)
        self._sessions.put(token_digest, StoredSession(account_id, expires_at))

    def find_session(self, token_digest: bytes, now: datetime) -> Account | None:
        session = self._sessions.get(token_digest)
        if session is None or session.expires_at <= now:
            return None
        account = self._accounts.get(session.account_id)
        return None if account is None or account.disabled else account

    def delete_session(self, token_digest: bytes) -> None:
        self._sessions.delete(token_digest)

    def delete_sessions_of(self, account_id: AccountId) -> None:
        for digest, _ in self._sessions.items(lambda s: s.account_id == account_id):
            self._sessions.delete(digest)

    def delete_expired_sessions(self, now: datetime) -> int:
        expired = self._sessions.items(lambda s: s.expires_at <= now)
        for digest, _ in expired:
            self._sessions.delete(digest)
        return len(expired)


UNCOMMITTED = 1 << 62  # later than any commit


@dataclass(frozen=True, slots=True)
class StoredVolunteerChange:
    """Somebody who came, moved or left, when, and the commit that made it so."""

    account_id: AccountId
    at: datetime
    commit: int


class MemoryVolunteers:
    """Implements ``VolunteerRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._volunteers: Table[AccountId, Volunteer] = session.table("volunteers")
        self._changes: Table[int, StoredVolunteerChange] = session.table("volunteer_changes")

    def save(self, volunteer: Volunteer) -> None:
        require_account(self._session, volunteer.account_id)
        self._volunteers.put(volunteer.account_id, volunteer)
        self._note_change(volunteer.account_id)

    def move(self, account_ids: Int64, cells: Int64) -> int:
        moved = 0
        for row in last_entries(account_ids).tolist():
            volunteer = self._volunteers.get(AccountId(int(account_ids[row])))
            if volunteer is not None and volunteer.cell != int(cells[row]):
                self.save(replace(volunteer, cell=int(cells[row])))
                moved += 1
        return moved

    def find(self, account_id: AccountId) -> Volunteer | None:
        return self._volunteers.get(account_id)

    def delete(self, account_id: AccountId) -> None:
        if account_id in self._volunteers:
            self._volunteers.delete(account_id)
            self._note_change(account_id)

    def positions(self) -> Positions:
        listed = self._volunteers.values()
        return Positions(
            account_ids=np.array([v.account_id for v in listed], dtype=np.int64),
            cells=np.array([v.cell for v in listed], dtype=np.int64),
            opt_ins=np.array([opt_in_bits(v.modules, v.language) for v in listed], dtype=np.uint8),
        )

    def position(self) -> int:
        return self._session.store.commits

    def changes_since(self, position: int) -> VolunteerChange:
        now = self.position()
        changes = self._changes.values(lambda change: change.commit >= position)
        rows = []
        for account_id in sorted({change.account_id for change in changes}):
            volunteer = self._volunteers.get(account_id)
            if volunteer is None:
                rows.append((account_id, 0, NOBODY))
            else:
                opt_ins = opt_in_bits(volunteer.modules, volunteer.language)
                rows.append((account_id, volunteer.cell, opt_ins))
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return VolunteerChange(
            Positions(table[:, 0], table[:, 1], table[:, 2].astype(np.uint8)), now
        )

    def forget_changes_before(self, at: datetime) -> int:
        old = self._changes.items(lambda change: change.at < at)
        for key, _ in old:
            self._changes.delete(key)
        return len(old)

    def count(self) -> int:
        return len(self._volunteers.values())

    def _note_change(self, account_id: AccountId) -> None:
        key = self._session.store.next_id("volunteer_changes")
        at = datetime.now(UTC)
        self._changes.put(key, StoredVolunteerChange(account_id, at, UNCOMMITTED))
        self._session.at_commit(
            lambda commit: self._changes.put(key, StoredVolunteerChange(account_id, at, commit))
        )
