"""A broker that hands chunks to workers, where one is configured; the ledger stays the truth."""

from collections.abc import Sequence
from typing import Protocol

from reunite.alerts.fanout import ChunkTask


class Taken(Protocol):
    """One task that a broker has handed out; it comes again unless it is ended in time."""

    @property
    def task(self) -> ChunkTask: ...

    def done(self) -> None:
        """The ledger knows all that is to be known about it: not to be handed out again."""
        ...

    def later(self, seconds: float) -> None:
        """Hand it out again after so long."""
        ...

    def touch(self) -> None:
        """It is being worked on: do not hand it out to anybody else yet."""
        ...


class ChunkQueue(Protocol):
    """Chunk work, handed out at least once.  May be used from several threads."""

    def put(self, tasks: Sequence[tuple[ChunkTask, str]]) -> None:
        """Durable when this returns.  A task with a known mark, the second value, is ignored.

        Raises ReuniteError ``broker_unreachable``.
        """
        ...

    def take(self, channel: str, limit: int) -> list[Taken] | None:
        """Up to so many tasks; waits for the first one a moment at most.

        None while the broker does not answer: then the ledger is asked instead.
        """
        ...

    def close(self) -> None: ...
