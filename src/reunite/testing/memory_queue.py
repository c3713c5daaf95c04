"""A broker of chunks in memory, with the habits of a real one."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reunite.alerts.fanout import ChunkTask
from reunite.kernel.errors import ReuniteError
from reunite.ports import Taken

ACK_WAIT = timedelta(seconds=30)


@dataclass(slots=True)
class _Kept:
    task: ChunkTask
    free_at: datetime  # when it may be handed out


@dataclass(slots=True)
class MemoryQueue:
    """Implements ``ChunkQueue``.  ``away`` shows what happens without the broker."""

    now: Callable[[], datetime]
    away: bool = False
    kept: dict[int, _Kept] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    _numbers: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, tasks: Sequence[tuple[ChunkTask, str]]) -> None:
        if self.away:
            raise ReuniteError("broker_unreachable")
        with self._lock:
            for task, mark in tasks:
                if mark not in self.marks:
                    self.marks.add(mark)
                    self._numbers += 1
                    self.kept[self._numbers] = _Kept(task, self.now())

    def take(self, channel: str, limit: int) -> list[Taken] | None:
        if self.away:
            return None
        with self._lock:
            now = self.now()
            free = [
                number
                for number, kept in self.kept.items()
                if kept.task.channel == channel and kept.free_at <= now
            ][:limit]
            for number in free:
                self.kept[number].free_at = now + ACK_WAIT
            return [_MemoryTaken(self, number, self.kept[number].task) for number in free]

    def lose(self) -> None:
        """Forget everything, as a broker whose disk has gone."""
        with self._lock:
            self.kept.clear()
            self.marks.clear()

    def close(self) -> None:
        self.away = True


@dataclass(frozen=True, slots=True)
class _MemoryTaken:
    queue: MemoryQueue
    number: int
    task: ChunkTask

    def done(self) -> None:
        self.queue.kept.pop(self.number, None)

    def later(self, seconds: float) -> None:
        self._free(timedelta(seconds=seconds))

    def touch(self) -> None:
        self._free(ACK_WAIT)

    def _free(self, after: timedelta) -> None:
        kept = self.queue.kept.get(self.number)
        if kept is not None:
            kept.free_at = self.queue.now() + after
