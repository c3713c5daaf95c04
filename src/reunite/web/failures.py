"""Pages for what went wrong: what happened, and what to do now."""

from urllib.parse import urlencode

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.web.page import Page
from reunite.web.statuses import UNAVAILABLE, status_of

log = structlog.get_logger(__name__)


def answer_error(page: Page, error: ReuniteError) -> Response:
    """A page with the message; for somebody who is not signed in yet, the way to sign in."""
    if error.code == "sign_in_required" and page.request.method in {"GET", "HEAD"}:
        return RedirectResponse(
            page.url("/sign-in") + "?" + urlencode({"next": page.here}), status_code=303
        )
    status = status_of(error)
    if status == UNAVAILABLE:
        log.error("page_unavailable", request_id=page.request_id, code=error.code)
    response = page.render("error.html", status=status, error=error, message=page.message(error))
    retry = error.details.get("retry_after_seconds")
    if retry is not None:
        response.headers["Retry-After"] = str(retry)
    return response


def answer_http_error(page: Page, status: int) -> Response:
    """No such address, or not with this method."""
    error = NotFoundError("page_not_found")
    return page.render("error.html", status=status, error=error, message=page.message(error))


def answer_unexpected(page: Page) -> Response:
    """Something is broken on our side."""
    error = ReuniteError("unexpected", request_id=page.request_id)
    return page.render("error.html", status=500, error=error, message=page.message(error))


def handle_http_exception(request: Request, error: Exception) -> Response:
    """What Starlette raises for an address that no route has."""
    page = Page.blank(request)
    page.recognise()
    return page.finish(answer_http_error(page, getattr(error, "status_code", 404)))
