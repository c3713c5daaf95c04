"""What must happen later: rows of the table ``outbox``, written with what makes them necessary.

The table is made by the migrations of ``storage``; only these statements touch it.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from reunite.broker.announcements import announce
from reunite.ports import FURTHEST_DUE, Arrival, Message

Int64 = npt.NDArray[np.int64]

ERROR_LENGTH = 2000  # enough for a cause, too little for what a traceback carries

_ADD = text(
    "INSERT INTO outbox (topic, payload, due_at) VALUES (:topic, CAST(:payload AS jsonb), :due_at)"
)

# Oldest first, but alerts before records that are compared, and those before whole imports:
# people wait for the first two.  A row that another worker holds is passed over.
_CLAIM = text("""
    SELECT id, topic, payload, attempts FROM outbox
    WHERE (due_at IS NULL OR due_at <= :now OR due_at > :furthest)
        AND (topic = ANY(CAST(:topics AS text[]))) = :among
    ORDER BY topic = 'match_import', topic = 'match_facts', id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
""")

_FINISH = text("DELETE FROM outbox WHERE id = :id")

_POSTPONE = text("""
    UPDATE outbox SET due_at = :until, attempts = attempts + 1, last_error = :error
    WHERE id = :id
""")

_COUNT = text("SELECT count(*) FROM outbox")


class PostgresOutbox:
    """Implements ``Outbox`` within the transaction of ``connection``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, topic: str, payload: Mapping[str, object], due_at: datetime | None = None
    ) -> None:
        """Due as soon as the transaction commits, or then."""
        message = {"topic": topic, "payload": json.dumps(dict(payload)), "due_at": due_at}
        self._connection.execute(_ADD, message)

    def claim(
        self, now: datetime, topics: Collection[str] = (), *, among: bool = False
    ) -> Message | None:
        """The oldest due message nobody else works on, held until the transaction ends.

        One of these topics with ``among``, else one of all the others.  PostgreSQL lets go of it
        when the worker dies, and another one takes it up.
        """
        row = self._connection.execute(
            _CLAIM,
            {"now": now, "furthest": now + FURTHEST_DUE, "topics": list(topics), "among": among},
        ).one_or_none()
        if row is None:
            return None
        return Message(id=row.id, topic=row.topic, payload=row.payload, attempts=row.attempts)

    def finish(self, message: Message) -> None:
        """It has happened."""
        self._connection.execute(_FINISH, {"id": message.id})

    def postpone(self, message: Message, until: datetime, error: str) -> None:
        """It failed; try again then.  Also in a later transaction than the one that claimed it."""
        self._connection.execute(
            _POSTPONE, {"id": message.id, "until": until, "error": error[:ERROR_LENGTH]}
        )

    def announce(self, account_ids: Int64, arrival: Arrival | None = None) -> None:
        """Once the transaction commits, tell the open pages of these people of it."""
        announce(self._connection, account_ids, arrival)

    def count_waiting(self) -> int:
        """All that has not happened yet, due or not."""
        return int(self._connection.execute(_COUNT).scalar_one())
