"""Accounts, roles, and who may do what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reunite.kernel.errors import ForbiddenError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language


class Role(StrEnum):
    """What an account is for."""

    FAMILY = "family"
    VOLUNTEER = "volunteer"
    REVIEWER = "reviewer"
    OFFICER = "officer"  # police or a registered organisation
    ADMIN = "admin"


STAFF = frozenset({Role.REVIEWER, Role.OFFICER, Role.ADMIN})
EVERYONE = frozenset(Role)


@dataclass(slots=True)
class Account:
    """Somebody who can sign in."""

    email: str  # lower case; unique
    display_name: str
    password_hash: str
    role: Role
    created_at: datetime
    language: Language = DEFAULT_LANGUAGE
    organisation: str = ""
    disabled: bool = False
    id: AccountId = AccountId(0)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking.  Every use case that is not public takes one."""

    account_id: AccountId
    role: Role
    display_name: str
    language: Language
    organisation: str = ""

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF


def require_role(actor: Actor | None, roles: frozenset[Role]) -> Actor:
    """``actor`` itself.

    Raises ForbiddenError ``sign_in_required`` or ``role_required``.  The edges check
    too; this is the check that no edge can forget.
    """
    if actor is None:
        raise ForbiddenError("sign_in_required")
    if actor.role not in roles:
        raise ForbiddenError("role_required", roles=sorted(roles))
    return actor
