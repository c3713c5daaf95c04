"""Keys for partners' programs: make, rotate, revoke, and see what was done with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reunite.accounts.account import STAFF, Actor, Role, require_role
from reunite.app.services import Services
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import AccountId, ApiKeyId
from reunite.partners.keys import (
    DEFAULT_REQUESTS_PER_MINUTE,
    ROTATION_GRACE,
    ApiKey,
    KeyUse,
    Scope,
    check_key,
    digest_of,
    hint_of,
    new_secret,
)

ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key that an administrator wishes to hand out.

    ``account_id`` is the officer or reviewer who answers for what comes in with it.
    """

    name: str
    scopes: frozenset[Scope]
    account_id: AccountId
    domain: str = ""
    publication_agreed: bool = False
    photos_agreed: bool = False
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is never shown again."""

    key: ApiKey
    secret: str


def add_key(services: Services, actor: Actor | None, wanted: KeyRequest) -> NewKey:
    """Make a key.

    Raises InvalidInputError naming the ``field``, ``account_not_staff`` where nobody of the
    staff answers for it, ``date_in_past``; ConflictError ``own_domain`` for our own records.
    """
    require_role(actor, ADMINS)
    domain = wanted.domain.strip().lower()
    check_key(wanted.name, wanted.scopes, domain, wanted.requests_per_minute)
    now = services.clock.now()
    if domain and domain == services.settings.domain:
        raise ConflictError("own_domain", field="domain")
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise InvalidInputError("date_in_past", field="expires_at")
    secret = new_secret()
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(wanted.account_id)
        if account.role not in STAFF:
            raise InvalidInputError("account_not_staff", field="account", email=account.email)
        key = ApiKey(
            name=wanted.name.strip(),
            digest=digest_of(secret),
            hint=hint_of(secret),
            scopes=wanted.scopes,
            account_id=account.id,
            created_at=now,
            domain=domain,
            publication_agreed=wanted.publication_agreed,
            photos_agreed=wanted.photos_agreed,
            requests_per_minute=wanted.requests_per_minute,
            expires_at=wanted.expires_at,
        )
        transaction.api_keys.add(key)
    return NewKey(key, secret)


def rotate_key(services: Services, actor: Actor | None, key_id: ApiKeyId) -> NewKey:
    """A new secret for the same partner; the old one goes on for a day, then ends.

    Raises NotFoundError, or ConflictError ``key_ended`` for one that has ended already.
    """
    require_role(actor, ADMINS)
    now = services.clock.now()
    secret = new_secret()
    with services.database.transaction() as transaction:
        old = transaction.api_keys.get(key_id)
        if not old.is_valid(now):
            raise ConflictError("key_ended")
        key = replace(
            old,
            id=ApiKeyId(0),
            digest=digest_of(secret),
            hint=hint_of(secret),
            created_at=now,
            last_used_at=None,
        )
        transaction.api_keys.add(key)
        ends = now + ROTATION_GRACE
        old.expires_at = ends if old.expires_at is None else min(ends, old.expires_at)
        transaction.api_keys.save(old)
    return NewKey(key, secret)


def revoke_key(services: Services, actor: Actor | None, key_id: ApiKeyId) -> None:
    """End a key at once; a second time changes nothing.  Raises NotFoundError."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        key = transaction.api_keys.get(key_id)
        if key.revoked_at is None:
            key.revoked_at = services.clock.now()
            transaction.api_keys.save(key)


@dataclass(frozen=True, slots=True)
class KeyList:
    """Every key, and how many requests each has made."""

    keys: list[ApiKey]
    uses: Mapping[ApiKeyId, int]


def list_keys(services: Services, actor: Actor | None) -> KeyList:
    """Every key, ended ones too."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        return KeyList(transaction.api_keys.list_all(), transaction.api_keys.count_uses())


def list_key_uses(
    services: Services, actor: Actor | None, key_id: ApiKeyId, limit: int = 100
) -> list[KeyUse]:
    """What was done with a key, the newest first.  Raises NotFoundError."""
    require_role(actor, ADMINS)
    with services.database.transaction() as transaction:
        transaction.api_keys.get(key_id)
        return transaction.api_keys.list_uses(key_id, limit=limit)
