"""Answers that many open pages need in the same second, made once for all of them.

Ten thousand pages hear of a notice at once.  If each asked the database what it says, the last
would hear a minute later.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")

# A case that leaves the public side meanwhile is named for so long at most.
FRESH_SECONDS = 2.0


@dataclass(slots=True)
class _Answer:
    """Made by a task of its own: a page that is closed meanwhile takes it from nobody.

    Neither shields of one task nor waits for one event: ten thousand of those that end at once
    take time that grows with the square of their number.
    """

    is_there: bool = False
    value: Any = None
    error: Exception | None = None
    waiting: "list[asyncio.Future[None]]" = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    async def make(self, make: Callable[[], Any]) -> None:
        try:
            self.value = await run_in_threadpool(make)
        except Exception as error:  # noqa: BLE001  (raised where it was asked for)
            self.error = error
        self.is_there = True
        for one in self.waiting:
            if not one.done():  # cancelled, where a page was closed
                one.set_result(None)
        self.waiting.clear()

    async def wait(self) -> None:
        if not self.is_there:
            one = asyncio.get_running_loop().create_future()
            self.waiting.append(one)
            await one


@dataclass(slots=True)
class SharedAnswers:
    """Those of one server, that is of one event loop."""

    _answers: dict[Hashable, _Answer] = field(default_factory=dict)

    def find(self, key: Hashable) -> Any:
        """The answer to ``key`` where it is there already; else None."""
        answer = self._answers.get(key)
        return None if answer is None or answer.error is not None else answer.value

    async def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer to ``key``, made in a thread unless somebody has just asked for it.

        Raises what ``make`` raises, for everybody who asked.
        """
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = _Answer()
            answer.task = asyncio.ensure_future(answer.make(make))
            asyncio.get_running_loop().call_later(FRESH_SECONDS, self._answers.pop, key, None)
        await answer.wait()
        if answer.error is not None:
            raise answer.error
        return cast("T", answer.value)
