"""Server-sent events: answers that go on until the reader leaves or their iterator ends."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

HEARTBEAT = ": still here\n\n"


class EventStream(StreamingResponse):
    """Events as they come.  The iterator is closed as soon as the reader has gone."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str | bytes, None]) -> None:
        self._events = events
        super().__init__(
            events,
            headers={
                "Cache-Control": "no-store",
                # Proxies collect answers otherwise, and a toast comes a minute late.
                "X-Accel-Buffering": "no",
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        # Starlette may leave it to a failing send to notice that the reader has gone, which
        # is a heartbeat later.
        answering = asyncio.ensure_future(self.stream_response(send))
        leaving = asyncio.ensure_future(_until_disconnect(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            ended = await asyncio.gather(answering, leaving, return_exceptions=True)
            await self._events.aclose()
        if isinstance(ended[0], Exception) and not isinstance(ended[0], OSError):
            raise ended[0]


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def event(data: str, *, name: str = "", event_id: str = "") -> str:
    """One event in the format of server-sent events."""
    lines = [f"event: {name}"] if name else []
    if event_id:
        lines.append(f"id: {event_id}")
    lines += [f"data: {line}" for line in data.split("\n")]
    return "\n".join(lines) + "\n\n"
