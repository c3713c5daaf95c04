"""Keys with which partners' programs come in: what each may do, and until when."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reunite.kernel.errors import ForbiddenError, InvalidInputError
from reunite.kernel.ids import AccountId, ApiKeyId

SECRET_BYTES = 32
SECRET_PREFIX = "rk_"  # noqa: S105  (so that a leaked one is recognised, and by scanners too)
HINT_CHARACTERS = 8
# A partner needs time to put the new secret everywhere.
ROTATION_GRACE = timedelta(days=1)
DEFAULT_REQUESTS_PER_MINUTE = 60
MOST_REQUESTS_PER_MINUTE = 6000
MAX_NAME_LENGTH = 80

_DOMAIN = re.compile(
    r"(?=.{3,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)


class Scope(StrEnum):
    """What a key opens; values are stored and typed by operators."""

    READ_PUBLIC = "read_public"  # what the public pages show
    READ_FULL = "read_full"  # contacts and exact places too
    WRITE_OWN = "write_own"  # records of the partner's own domain
    SEARCH = "search"
    STATISTICS = "statistics"


@dataclass(slots=True)
class ApiKey:
    """One key.  Its secret is known to the partner alone; ``digest`` is its SHA-256.

    The secret is random and long, so that a plain digest cannot be guessed.  ``account_id`` is
    who answers for what the key does: never a reviewer of the records that it brings.
    """

    name: str
    digest: bytes
    hint: str  # the first characters, to tell keys apart
    scopes: frozenset[Scope]
    account_id: AccountId
    created_at: datetime
    domain: str = ""  # whose records it may write
    # The partner has the families' consent to publication, by contract.
    publication_agreed: bool = False
    photos_agreed: bool = False  # and allows us to fetch the photos that its records point at
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    id: ApiKeyId = ApiKeyId(0)

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def require(self, *scopes: Scope) -> None:
        """Raise ForbiddenError ``key_scope_missing`` unless it has one of the scopes."""
        if not self.scopes & set(scopes):
            raise ForbiddenError("key_scope_missing", scope=scopes[0].value)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One request that was made with a key."""

    key_id: ApiKeyId
    at: datetime
    operation: str
    records: int  # how many went out or came in
    outcome: str = ""  # the code of an error; empty where it went well


def new_secret() -> str:
    """A fresh secret, to be shown once."""
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def hint_of(secret: str) -> str:
    """What is shown of a secret: enough to tell it from others, too little to use it."""
    return secret[: len(SECRET_PREFIX) + HINT_CHARACTERS]


def check_key(name: str, scopes: Iterable[Scope], domain: str, requests_per_minute: int) -> None:
    """Raise InvalidInputError naming the first ``field`` that cannot be right."""
    wanted = frozenset(scopes)
    if not name.strip():
        raise InvalidInputError("required", field="name")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError("text_too_long", field="name", maximum=MAX_NAME_LENGTH)
    if not wanted:
        raise InvalidInputError("required", field="scopes")
    if Scope.WRITE_OWN in wanted and not domain:
        raise InvalidInputError("required", field="domain")
    if domain:
        require_domain(domain)
    if not 1 <= requests_per_minute <= MOST_REQUESTS_PER_MINUTE:
        raise InvalidInputError(
            "number_out_of_range",
            field="requests_per_minute",
            least=1,
            most=MOST_REQUESTS_PER_MINUTE,
        )


def require_domain(domain: str) -> str:
    """``domain`` itself.  Raises InvalidInputError ``domain_unreadable``."""
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInputError("domain_unreadable", field="domain")
    return domain
