"""Accounts, sessions and volunteers in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil

import numpy as np
import numpy.typing as npt

from reunite.accounts.account import Account
from reunite.alerts.positions import (
    EXPIRES,
    Positions,
    last_entries,
    mark_several,
    no_positions,
    nowhere,
    opt_in_bits,
)
from reunite.alerts.pushing import push_rule
from reunite.alerts.volunteers import (
    POSITION_RENEWED_AFTER,
    POSITION_TTL,
    PlaceKind,
    Volunteer,
    VolunteerPlace,
)
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


@dataclass(frozen=True, slots=True)
class StoredZone:
    """The name of a time zone."""

    name: str


class MemoryVolunteers:
    """Implements ``VolunteerRepository``."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._volunteers: Table[AccountId, Volunteer] = session.table("volunteers")
        self._changes: Table[int, StoredVolunteerChange] = session.table("volunteer_changes")
        self._zones: Table[int, StoredZone] = session.table("time_zones")

    def save(self, volunteer: Volunteer) -> None:
        require_account(self._session, volunteer.account_id)
        if volunteer.time_zone not in self.time_zones().values():
            zone_id = self._session.store.next_id("time_zones")
            self._zones.put(zone_id, StoredZone(volunteer.time_zone))
        self._volunteers.put(volunteer.account_id, volunteer)
        self._note_change(volunteer.account_id)

    def find_here(self, account_ids: Int64) -> dict[AccountId, VolunteerPlace]:
        found = (self._volunteers.get(AccountId(number)) for number in account_ids.tolist())
        places = {one.account_id: one.find_place(PlaceKind.HERE) for one in found if one}
        return {number: place for number, place in places.items() if place is not None}

    def move(self, account_ids: Int64, cells: Int64, now: datetime) -> int:
        moved = 0
        renewed_before = now + POSITION_TTL - POSITION_RENEWED_AFTER
        for row in last_entries(account_ids).tolist():
            volunteer = self._volunteers.get(AccountId(int(account_ids[row])))
            place = None if volunteer is None else volunteer.find_place(PlaceKind.HERE)
            if volunteer is None or place is None:
                continue
            cell = int(cells[row])
            expires_at = place.expires_at
            if place.cell != cell or (expires_at is not None and expires_at < renewed_before):
                volunteer.set_place(
                    replace(place, cell=cell, said_at=now, expires_at=now + POSITION_TTL)
                )
                self.save(volunteer)
                moved += 1
        return moved

    def find(self, account_id: AccountId, *, lock: bool = False) -> Volunteer | None:
        if lock:
            self._session.hold("volunteers", account_id)
        return self._volunteers.get(account_id)

    def delete(self, account_id: AccountId) -> None:
        if account_id in self._volunteers:
            self._volunteers.delete(account_id)
            self._note_change(account_id)

    def positions(self) -> Positions:
        return mark_several(
            Positions.together(no_positions(), *map(self._rows, self._volunteers.values()))
        )

    def position(self) -> int:
        return self._session.store.commits

    def changes_since(self, position: int) -> VolunteerChange:
        now = self.position()
        changes = self._changes.values(lambda change: change.commit >= position)
        parts = [no_positions()]
        for account_id in sorted({change.account_id for change in changes}):
            volunteer = self._volunteers.get(account_id)
            if volunteer is None or not volunteer.places:
                parts.append(nowhere(np.array([account_id], dtype=np.int64)))
            else:
                parts.append(self._rows(volunteer))
        return VolunteerChange(mark_several(Positions.together(*parts)), now)

    def time_zones(self) -> dict[int, str]:
        return {zone_id: zone.name for zone_id, zone in self._zones.items()}

    def _rows(self, volunteer: Volunteer) -> Positions:
        opt_ins = opt_in_bits(volunteer.modules, volunteer.language)
        zone_id = next(n for n, name in self.time_zones().items() if name == volunteer.time_zone)
        rule = push_rule(volunteer.weekly_pushes, volunteer.quiet, zone_id)
        places = volunteer.places
        ends = [place.expires_at for place in places]
        return Positions(
            np.full(len(places), volunteer.account_id, dtype=np.int64),
            np.array([place.cell for place in places], dtype=np.int64),
            np.array([opt_ins | (EXPIRES if end else 0) for end in ends], dtype=np.uint8),
            np.array([ceil(end.timestamp()) if end else 0 for end in ends], dtype=np.uint32),
            np.full(len(places), rule, dtype=np.int32),
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
