"""What every answer carries and what no request may exceed, beneath all pages."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reunite.kernel.errors import InvalidInputError
from reunite.web.page import new_request_id

log = structlog.get_logger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; "
    "img-src 'self' data: blob:; "
    "object-src 'none'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of a case is its secret until it is published.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOT_WHERE_FRAMED = frozenset({"X-Frame-Options", "Cross-Origin-Resource-Policy"})
HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}

# A browser shows an answer only after it has sent everything; up to this many times the
# limit is read and thrown away, so that the reader sees why and not a broken connection.
DRAINED_TIMES_LIMIT = 5


class SecurityMiddleware:
    """Security headers, a request id, and a limit on bodies while they stream in."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["reunite_request_id"] = new_request_id()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A page that is meant to stand in others says so in a policy of its own, which
                # the older header cannot express.
                framed = "frame-ancestors *" in headers.get("Content-Security-Policy", "")
                for name, value in HEADERS.items():
                    if framed and name in NOT_WHERE_FRAMED:
                        continue
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    for name, value in HTTPS_HEADERS.items():
                        headers.setdefault(name, value)
                headers["X-Request-ID"] = scope["reunite_request_id"]
            await send(message)

        limited = self._limited(receive, scope["reunite_request_id"])
        await self._app(scope, limited, send_with_headers)

    def _limited(self, receive: Receive, request_id: str) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= self._max_body_bytes:
                return message
            while message.get("more_body") and received <= (
                self._max_body_bytes * DRAINED_TIMES_LIMIT
            ):
                message = await receive()
                received += len(message.get("body", b""))
            log.warning(
                "body_refused",
                request_id=request_id,
                received_bytes=received,
                limit_bytes=self._max_body_bytes,
            )
            raise InvalidInputError("body_too_large", max_bytes=self._max_body_bytes)

        return limited
