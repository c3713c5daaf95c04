"""Accounts and sessions in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from reunite.accounts.account import Account, Role
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language
from reunite.storage.tables import accounts, sessions


class PostgresAccounts:
    """Implements ``AccountRepository``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: Account) -> AccountId:
        """Raises ConflictError ``email_taken``."""
        added = self._connection.execute(
            insert(accounts)
            .values(email=account.email, created_at=account.created_at, **_state_of(account))
            .on_conflict_do_nothing(index_elements=["email"])
            .returning(accounts.c.id)
        ).scalar()
        if added is None:
            raise ConflictError("email_taken", field="email")
        account.id = AccountId(added)
        return account.id

    def get(self, account_id: AccountId) -> Account:
        """Raises NotFoundError."""
        row = (
            self._connection.execute(select(accounts).where(accounts.c.id == account_id))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise NotFoundError
        return _account(row)

    def find_by_email(self, email: str) -> Account | None:
        row = (
            self._connection.execute(select(accounts).where(accounts.c.email == email))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _account(row)

    def list_all(self, *, after: AccountId = AccountId(0), limit: int = 100) -> list[Account]:
        """Accounts by id."""
        rows = self._connection.execute(
            select(accounts).where(accounts.c.id > after).order_by(accounts.c.id).limit(limit)
        ).mappings()
        return [_account(row) for row in rows]

    def save(self, account: Account) -> None:
        """Write what may change.  Raises NotFoundError."""
        saved = self._connection.execute(
            update(accounts).where(accounts.c.id == account.id).values(**_state_of(account))
        )
        if saved.rowcount == 0:
            raise NotFoundError

    def add_session(self, token_digest: bytes, account_id: AccountId, expires_at: datetime) -> None:
        """Remember a session by the SHA-256 of its token."""
        self._connection.execute(
            insert(sessions).values(
                token_digest=token_digest, account_id=account_id, expires_at=expires_at
            )
        )

    def find_session(self, token_digest: bytes, now: datetime) -> Account | None:
        """The enabled account of an unexpired session."""
        row = (
            self._connection.execute(
                select(accounts)
                .join(sessions, sessions.c.account_id == accounts.c.id)
                .where(sessions.c.token_digest == token_digest)
                .where(sessions.c.expires_at > now)
                .where(~accounts.c.disabled)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else _account(row)

    def delete_session(self, token_digest: bytes) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.token_digest == token_digest))

    def delete_sessions_of(self, account_id: AccountId) -> None:
        self._connection.execute(delete(sessions).where(sessions.c.account_id == account_id))

    def delete_expired_sessions(self, now: datetime) -> int:
        return self._connection.execute(
            delete(sessions).where(sessions.c.expires_at <= now)
        ).rowcount


def _state_of(account: Account) -> dict[str, Any]:
    return {
        "display_name": account.display_name,
        "password_hash": account.password_hash,
        "role": account.role.value,
        "language": account.language.value,
        "organisation": account.organisation,
        "disabled": account.disabled,
    }


def _account(row: RowMapping) -> Account:
    return Account(
        email=row["email"],
        display_name=row["display_name"],
        password_hash=row["password_hash"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        language=Language(row["language"]),
        organisation=row["organisation"],
        disabled=row["disabled"],
        id=AccountId(row["id"]),
    )
