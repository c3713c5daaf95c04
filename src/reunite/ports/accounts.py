"""Where accounts and their sessions are kept."""

from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.accounts.account import Account
from reunite.kernel.ids import (
    AccountId,
)

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


class AccountRepository(Protocol):
    """Accounts and their sessions."""

    def add(self, account: Account) -> AccountId:
        """Raises ConflictError ``email_taken``."""
        ...

    def get(self, account_id: AccountId) -> Account:
        """Raises NotFoundError."""
        ...

    def find_by_email(self, email: str) -> Account | None: ...

    def list_all(self, *, after: AccountId = AccountId(0), limit: int = 100) -> list[Account]:
        """Accounts by id."""
        ...

    def save(self, account: Account) -> None:
        """Write name, password, role, language, organisation and whether it is disabled."""
        ...

    def add_session(self, token_digest: bytes, account_id: AccountId, expires_at: datetime) -> None:
        """Remember a session by the SHA-256 of its token."""
        ...

    def find_session(self, token_digest: bytes, now: datetime) -> Account | None:
        """The enabled account of an unexpired session."""
        ...

    def delete_session(self, token_digest: bytes) -> None: ...

    def delete_sessions_of(self, account_id: AccountId) -> None: ...

    def delete_expired_sessions(self, now: datetime) -> int: ...
