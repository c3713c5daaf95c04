"""Make sure that a form was sent from one of our own pages.

A token is an HMAC keyed by the session cookie (before sign-in by a random cookie of the
browser): another site can make a browser send the cookie, but cannot read it.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from reunite.kernel.errors import ForbiddenError

FIELD = "csrf"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
VISITOR_BYTES = 24


def new_visitor() -> str:
    """A fresh value for the cookie of a browser that is not signed in."""
    return secrets.token_urlsafe(VISITOR_BYTES)


def token_for(cookie: str) -> str:
    """The token that belongs to a session or visitor cookie."""
    return hmac.new(cookie.encode(), b"reunite form", hashlib.sha256).hexdigest()


def check(request: Request, cookie: str | None, sent: str) -> None:
    """Raise ForbiddenError ``csrf_failed`` unless our own page sent this request."""
    if not (
        _same_site(request)
        and cookie
        and hmac.compare_digest(token_for(cookie).encode(), sent.encode())
    ):
        raise ForbiddenError("csrf_failed")


def _same_site(request: Request) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    # Compared without the scheme: a proxy that ends TLS leaves us with http.
    return urlsplit(origin).netloc == request.headers.get("host", "")
