"""Slow down guessing, in the memory of one process."""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from math import ceil

from reunite.kernel.errors import TooManyRequestsError

MAX_KEYS = 10_000  # bounds the memory that somebody with many addresses can take


class SlidingWindow:
    """At most ``limit`` attempts per key within the last ``window_seconds``."""

    def __init__(self, limit: int, window_seconds: float) -> None:
        self._limit = limit
        self._window = timedelta(seconds=window_seconds)
        self._attempts: OrderedDict[tuple[str, ...], deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, key: tuple[str, ...], now: datetime) -> None:
        """Count one attempt.

        Raises TooManyRequestsError ``too_many_attempts`` with ``retry_after_seconds``.
        """
        with self._lock:
            times = self._attempts.setdefault(key, deque())
            self._attempts.move_to_end(key)
            while times and now - times[0] >= self._window:
                times.popleft()
            if len(times) >= self._limit:
                wait = (times[0] + self._window - now).total_seconds()
                raise TooManyRequestsError("too_many_attempts", retry_after_seconds=ceil(wait))
            times.append(now)
            while len(self._attempts) > MAX_KEYS:
                self._attempts.popitem(last=False)

    def forget(self, key: tuple[str, ...]) -> None:
        """Start anew, after somebody has proved to be who they say."""
        with self._lock:
            self._attempts.pop(key, None)
