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
