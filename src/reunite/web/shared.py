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
class SharedAnswers:
    """Those of one server, that is of one event loop."""

    _tasks: "dict[Hashable, asyncio.Task[Any]]" = field(default_factory=dict)

    async def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer to ``key``, made in a thread unless somebody has just asked for it.

        Raises what ``make`` raises, for everybody who asked.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(run_in_threadpool(make))
            self._tasks[key] = task
            asyncio.get_running_loop().call_later(FRESH_SECONDS, self._tasks.pop, key, None)
        # Shielded: a page that is closed meanwhile must not take the answer from the others.
        return cast("T", await asyncio.shield(task))
