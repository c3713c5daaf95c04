"""Keep a process's audience index in step with PostgreSQL.

The index is a cache.  Before each alert this process reads who has come, moved or left since,
so that nobody who has left is told; a thread does the same every second, so that there is
never much to read when somebody is lost.  Servers and workers start it; a command of a
second does not read ten million people for nothing.
"""

import threading
from time import monotonic

from reunite.alerts.audience_index import AudienceIndex
from reunite.app.following import Follower
from reunite.app.position_batches import PositionBatches
from reunite.ports import Database

FOLLOW_SECONDS = 1.0
# The stream of changes is kept for a day (see ``erase_expired``); whoever has not looked for
# half of that reads everyone anew.
TRUSTED_SECONDS = 12 * 3600.0


class LiveAudience:
    """An audience index that follows the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches = PositionBatches(database)
        self._index: AudienceIndex | None = None
        self._position = 0
        self._time_zones: dict[int, str] = {}
        self._looked_at = 0.0
        self._lock = threading.Lock()
        self._follower = Follower("audience", self.index)

    def index(self) -> AudienceIndex:
        """The index, with everything in it that is committed now."""
        with self._lock:
            index, now = self._index, monotonic()
            if index is None or now - self._looked_at > TRUSTED_SECONDS:
                with self._database.transaction() as transaction:
                    # Before reading: what commits meanwhile is read twice, never missed.
                    position = transaction.volunteers.position()
                    index = AudienceIndex(transaction.volunteers.positions())
                    zones = transaction.volunteers.time_zones()
            else:
                with self._database.transaction() as transaction:
                    change = transaction.volunteers.changes_since(self._position)
                    # After the changes: the zones of all who are in them are known.
                    zones = transaction.volunteers.time_zones()
                index.apply(change.positions)
                index.merge_in_background()
                position = change.position
            self._index, self._position, self._looked_at = index, position, now
            self._time_zones = zones
            return index

    @property
    def time_zones(self) -> dict[int, str]:
        """Names of the time zones of everyone in the index, by their numbers."""
        return self._time_zones

    def start(self) -> None:
        """Follow the database in a thread of its own until ``close``; once is enough."""
        self._follower.start(FOLLOW_SECONDS)

    def close(self) -> None:
        """Stop following."""
        self._follower.close()
