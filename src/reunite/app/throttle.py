"""Slow down whoever guesses passwords or opens accounts by the hundred."""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from math import ceil

from reunite.kernel.clock import Clock
from reunite.kernel.errors import TooManyRequestsError

# More keys than this are an attack with many addresses: the oldest are forgotten first,
# so that the memory stays bounded.
MAX_KEYS = 20_000

SIGN_IN_WINDOW = timedelta(minutes=10)
SIGN_INS_AN_ACCOUNT = 8  # a person who does not remember tries fewer
SIGN_INS_AN_ADDRESS = 60  # a whole station may sit behind one address
REGISTRATION_WINDOW = timedelta(hours=1)
REGISTRATIONS_AN_ADDRESS = 20
TRIAL_WINDOW = timedelta(minutes=10)
TRIALS_A_PERSON = 6  # each calls other people's servers


class Throttle:
    """At most ``limit`` attempts a key within ``window``, counted in this process."""

    def __init__(self, clock: Clock, limit: int, window: timedelta) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._attempts: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, key: str) -> None:
        """Count an attempt.  Raises TooManyRequestsError ``too_many_attempts``."""
        now = self._clock.now()
        with self._lock:
            attempts = self._attempts.setdefault(key, deque())
            self._attempts.move_to_end(key)
            while attempts and attempts[0] <= now - self._window:
                attempts.popleft()
            if len(attempts) >= self._limit:
                wait = attempts[0] + self._window - now
                raise TooManyRequestsError(
                    "too_many_attempts",
                    limit=self._limit,
                    retry_after_seconds=max(1, ceil(wait.total_seconds())),
                )
            attempts.append(now)
            while len(self._attempts) > MAX_KEYS:
                self._attempts.popitem(last=False)

    def forget(self, key: str) -> None:
        """Start anew: the attempt was a good one."""
        with self._lock:
            self._attempts.pop(key, None)


class Doorkeeper:
    """Counts who tries to come in.  Pages and API share one: a guesser has one limit, not two.

    ``client`` is the network address that a request comes from.
    """

    def __init__(self, clock: Clock) -> None:
        self._accounts = Throttle(clock, SIGN_INS_AN_ACCOUNT, SIGN_IN_WINDOW)
        self._clients = Throttle(clock, SIGN_INS_AN_ADDRESS, SIGN_IN_WINDOW)
        self._registrations = Throttle(clock, REGISTRATIONS_AN_ADDRESS, REGISTRATION_WINDOW)
        self._trials = Throttle(clock, TRIALS_A_PERSON, TRIAL_WINDOW)

    def count_sign_in(self, email: str, client: str) -> None:
        """Count an attempt to sign in.  Raises TooManyRequestsError ``too_many_attempts``."""
        self._clients.count(client)
        # Not by account alone: anybody could then lock anybody out.
        self._accounts.count(_pair(email, client))

    def welcome(self, email: str, client: str) -> None:
        """The password was right: attempts at this account from there start anew."""
        self._accounts.forget(_pair(email, client))

    def count_registration(self, client: str) -> None:
        """Count a new account.  Raises TooManyRequestsError ``too_many_attempts``."""
        self._registrations.count(client)

    def count_trial(self, account_id: int) -> None:
        """Count a message to oneself.  Raises TooManyRequestsError ``too_many_attempts``."""
        self._trials.count(str(account_id))


def _pair(email: str, client: str) -> str:
    # As ``sign_in`` reads the address: another spelling is the same account.
    return f"{client} {email.strip().lower()}"
