"""Keep a process's pool of donors in step with PostgreSQL.

The pool is a cache.  Before each use this process reads who has come, changed or left since,
so that nobody who has left, or sleeps, is asked.  Servers and workers follow in a thread as well,
so that no request for blood waits until a million donors have been read.
"""

import threading
from time import monotonic

from reunite.app.following import Follower
from reunite.blood.live_pool import LivePool
from reunite.kernel.clock import Clock
from reunite.ports import Database

FOLLOW_SECONDS = 30.0
# The stream of changes is kept for a day (see ``erase_expired``); whoever has not looked for
# half of that reads everyone anew.
TRUSTED_SECONDS = 12 * 3600.0


class LiveDonors:
    """A pool of donors that follows the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pool: LivePool | None = None
        self._position = 0
        self._looked_at = 0.0
        self._lock = threading.Lock()
        self._follower = Follower("donors", self.pool)

    def pool(self) -> LivePool:
        """The pool, with everything in it that is committed now."""
        with self._lock:
            pool, now = self._pool, monotonic()
            today = self._clock.now().date()
            with self._database.transaction() as transaction:
                if pool is None or now - self._looked_at > TRUSTED_SECONDS:
                    # Before reading: what commits meanwhile is read twice, never missed.
                    position = transaction.donors.position()
                    pool = LivePool.pack(transaction.donors.iter_all(), today)
                else:
                    change = transaction.donors.changes_since(self._position)
                    position = change.position
                    if change.present or change.gone:
                        pool = pool.changed(change.present, change.gone, today)
            self._pool, self._position, self._looked_at = pool, position, now
            return pool

    def start(self) -> None:
        """Follow the database in a thread of its own until ``close``; once is enough."""
        self._follower.start(FOLLOW_SECONDS)

    def close(self) -> None:
        """Stop following."""
        self._follower.close()
