"""Tables in memory with the transactions of PostgreSQL's READ COMMITTED.

A transaction keeps its own changes beside what is committed: it sees both, others see only
the latter, and undoing is forgetting.  Rows that a transaction has written or locked are held
until it ends, and whoever wants them meanwhile waits.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, replace
from typing import Any, Generic, TypeVar, cast

from reunite.kernel.errors import ConflictError

LOCK_TIMEOUT_SECONDS = 5.0  # then two transactions are taken to wait for one another

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_Row = tuple[str, Hashable]


class _Deleted:
    """Marks a row that a transaction has deleted."""


_DELETED = _Deleted()


def clone(entity: V) -> V:
    """A copy that shares nothing that can change: stored things change only when saved."""
    value = cast("Any", entity)
    lists = {
        field.name: list(getattr(value, field.name))
        for field in fields(value)
        if isinstance(getattr(value, field.name), list)
    }
    return cast("V", replace(value, **lists))


class MemoryStore:
    """What is committed, and who holds which row."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.committed: dict[str, dict[Any, Any]] = {}
        self.held: dict[_Row, MemorySession] = {}
        self.commits = 0
        self._last_ids: dict[str, int] = {}

    def next_id(self, table: str) -> int:
        """A fresh number; like a sequence, it is not given back when a transaction is undone."""
        with self.changed:
            self._last_ids[table] = self._last_ids.get(table, 0) + 1
            return self._last_ids[table]


class MemorySession:
    """One transaction's view of a store."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self._thread = threading.get_ident()
        self._changes: dict[str, dict[Any, Any]] = {}
        self._at_commit: list[Callable[[int], None]] = []
        self._after_commit: list[Callable[[], None]] = []

    def table(self, name: str) -> "Table[Any, Any]":
        """This transaction's view of one table."""
        return Table(self, name)

    def hold(self, table: str, key: Hashable) -> None:
        """Wait for a row, or for the right to a unique value, and keep it to the end.

        Raises ConflictError ``changed_meanwhile`` when that takes too long, and RuntimeError
        when it would take for ever: the holder is further up in the same thread.
        """
        store = self.store
        with store.changed:
            while not self.try_hold(table, key):
                if store.held[table, key]._thread == self._thread:  # noqa: SLF001
                    raise RuntimeError(f"{table} {key!r} is held by a transaction around this one")
                if not store.changed.wait(LOCK_TIMEOUT_SECONDS):
                    raise ConflictError("changed_meanwhile")

    def try_hold(self, table: str, key: Hashable) -> bool:
        """Take a row unless somebody else has it; whether this transaction holds it now."""
        with self.store.changed:
            return self.store.held.setdefault((table, key), self) is self

    def at_commit(self, action: Callable[[int], None]) -> None:
        """Do this as the last thing before the commit, whose number it is given."""
        self._at_commit.append(action)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do this if the transaction commits."""
        self._after_commit.append(action)

    def commit(self) -> None:
        """Let everybody see the changes."""
        with self.store.changed:
            for last_change in self._at_commit:
                last_change(self.store.commits)
            for table, changes in self._changes.items():
                rows = self.store.committed.setdefault(table, {})
                for key, value in changes.items():
                    if value is _DELETED:
                        rows.pop(key, None)
                    else:
                        rows[key] = value
            self.store.commits += 1
            self.release()
        for action in self._after_commit:
            action()

    def release(self) -> None:
        """Let go of every row; on its own, this undoes the transaction."""
        with self.store.changed:
            held = self.store.held
            for row in [row for row, holder in held.items() if holder is self]:
                del held[row]
            self.store.changed.notify_all()

    def changes_of(self, table: str) -> dict[Any, Any]:
        return self._changes.setdefault(table, {})


class Table(Generic[K, V]):
    """Rows by key, as one transaction sees them.  What goes in and out are copies."""

    def __init__(self, session: MemorySession, name: str) -> None:
        self._session = session
        self._name = name

    def get(self, key: K) -> V | None:
        with self._session.store.changed:
            own = self._session.changes_of(self._name)
            value = own.get(key)
            if value is None:
                value = self._committed().get(key)
            return None if value is None or value is _DELETED else cast("V", clone(value))

    def put(self, key: K, value: V) -> None:
        """Insert or replace a row and hold it."""
        self._session.hold(self._name, key)
        self._session.changes_of(self._name)[key] = clone(value)

    def delete(self, key: K) -> None:
        self._session.hold(self._name, key)
        self._session.changes_of(self._name)[key] = _DELETED

    def items(self, admits: Callable[[V], bool] = lambda _: True) -> list[tuple[K, V]]:
        """Rows that are admitted, in the order of their keys."""
        with self._session.store.changed:
            rows = {**self._committed(), **self._session.changes_of(self._name)}
        return [
            (key, clone(value))
            for key, value in sorted(rows.items())
            if value is not _DELETED and admits(value)
        ]

    def values(self, admits: Callable[[V], bool] = lambda _: True) -> list[V]:
        """As ``items``, without the keys."""
        return [value for _, value in self.items(admits)]

    def __iter__(self) -> Iterator[K]:
        return iter([key for key, _ in self.items()])

    def __contains__(self, key: object) -> bool:
        return self.get(cast("K", key)) is not None

    def _committed(self) -> dict[Any, Any]:
        return self._session.store.committed.setdefault(self._name, {})
