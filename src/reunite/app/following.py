"""A thread that keeps a process's copy of something in the database from growing old."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Follower:
    """Calls ``catch_up`` again and again in a thread of its own.

    ``name`` is the thread's, and stands in the log when the database cannot be read.
    """

    def __init__(self, name: str, catch_up: Callable[[], object]) -> None:
        self._name = name
        self._catch_up = catch_up
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, every_seconds: float) -> None:
        """Follow until ``close``; once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._follow, args=(every_seconds,), name=self._name, daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self, every_seconds: float) -> None:
        while not self._stop.is_set():
            try:
                self._catch_up()
            except Exception as error:  # noqa: BLE001
                # An unreachable database is waited for; whoever asks meanwhile sees the error.
                log.warning("not_followed", what=self._name, error=type(error).__name__)
            self._stop.wait(every_seconds)
