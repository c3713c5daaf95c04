"""Refuse bodies that are larger than any photo, without reading them to the end."""

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reunite.api.problems import ERROR_BY_HTTP_STATUS, MAX_BODY_BYTES, Describe, answer

log = structlog.get_logger(__name__)

TOO_LARGE = 413


class BodyLimit:
    """At most ``MAX_BODY_BYTES`` of a body, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, *, describe: Describe) -> None:
        self._app = app
        self._describe = describe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        announced = request.headers.get("Content-Length", "0")
        length = int(announced[:20]) if announced.isascii() and announced.isdigit() else None
        if length is None or length > MAX_BODY_BYTES:
            log.warning("body_refused", announced_bytes=length, limit_bytes=MAX_BODY_BYTES)
            refused = answer(request, ERROR_BY_HTTP_STATUS[TOO_LARGE](), self._describe, TOO_LARGE)
            # The rest of the body is still on its way: this connection is of no more use.
            refused.headers["Connection"] = "close"
            await refused(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)


def _counted(receive: Receive) -> Receive:
    received = 0

    async def count() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            log.warning("body_refused", received_bytes=received, limit_bytes=MAX_BODY_BYTES)
            # Answered by the handler of HTTPException, as the body is read inside of it.
            raise HTTPException(TOO_LARGE)
        return message

    return count
