"""Let a partner's program in: the right key, the right scope, not too often, and logged."""

import threading
from datetime import timedelta

from reunite.accounts.account import Actor
from reunite.app.services import Services
from reunite.app.sign_in import actor_of
from reunite.app.throttle import Throttle
from reunite.kernel.clock import Clock
from reunite.kernel.errors import ForbiddenError
from reunite.partners.keys import ApiKey, KeyUse, Scope, digest_of

WINDOW = timedelta(minutes=1)
STRANGERS_PER_MINUTE = 30  # of one network address, with secrets that open nothing


class KeyGate:
    """Counts requests by key and guesses by network address, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._strangers = Throttle(clock, STRANGERS_PER_MINUTE, WINDOW)
        self._by_limit: dict[int, Throttle] = {}
        self._lock = threading.Lock()

    def count(self, key: ApiKey) -> None:
        """Count a request.  Raises TooManyRequestsError ``too_many_attempts``."""
        with self._lock:
            limit = key.requests_per_minute
            throttle = self._by_limit.setdefault(limit, Throttle(self._clock, limit, WINDOW))
        throttle.count(str(key.id))

    def count_stranger(self, client: str) -> None:
        """Count a secret that opened nothing.  Raises TooManyRequestsError."""
        self._strangers.count(client)


def admit(
    services: Services, gate: KeyGate, secret: str | None, scopes: frozenset[Scope], client: str
) -> ApiKey:
    """The key that ``secret`` is of, if it has one of the scopes.

    Raises ForbiddenError ``key_required``, ``key_unknown``, ``key_scope_missing``;
    TooManyRequestsError ``too_many_attempts``.
    """
    if not secret:
        raise ForbiddenError("key_required")
    with services.database.transaction() as transaction:
        key = transaction.api_keys.find_by_digest(digest_of(secret))
    if key is None or not key.is_valid(services.clock.now()):
        gate.count_stranger(client)
        raise ForbiddenError("key_unknown")
    gate.count(key)
    key.require(*sorted(scopes))
    return key


def log_use(
    services: Services, key: ApiKey, operation: str, records: int, outcome: str = ""
) -> None:
    """Write down a request, the refused ones too."""
    with services.database.transaction() as transaction:
        transaction.api_keys.add_use(
            KeyUse(key.id, services.clock.now(), operation, records, outcome)
        )


def actor_behind(services: Services, key: ApiKey) -> Actor:
    """Who answers for what the key does.

    Raises ForbiddenError ``key_unknown`` where that account has been shut out meanwhile.
    """
    with services.database.transaction() as transaction:
        account = transaction.accounts.get(key.account_id)
    if account.disabled:
        raise ForbiddenError("key_unknown")
    return actor_of(account)
