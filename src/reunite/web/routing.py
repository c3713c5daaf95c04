"""Routes that say who may call them.

A page is a plain function ``(page, **path parameters) -> Response``; it runs in a thread
unless it is ``async``.  A route without an ``access`` cannot be written down: the
argument has no default.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from reunite.app.access import Access
from reunite.kernel.errors import NotFoundError, ReuniteError
from reunite.kernel.languages import Language
from reunite.web import csrf
from reunite.web.failures import answer_error, answer_http_error, answer_unexpected
from reunite.web.page import Page, read_form

LARGEST_ID = 2**63 - 1  # PostgreSQL's bigint

log = structlog.get_logger(__name__)

PageFunction = Callable[..., Response | Awaitable[Response]]


class _LanguageConvertor(Convertor[str]):
    regex = "|".join(Language)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("language", _LanguageConvertor())


class PageRoute(Route):
    """One page and one method, with who may call it."""

    def __init__(
        self,
        path: str,
        function: PageFunction,
        *,
        method: str,
        access: Access,
        own_pages_only: bool = True,
    ) -> None:
        self.access = access
        self.function = function
        self.own_pages_only = own_pages_only

        async def serve(request: Request) -> Response:
            return await _serve(request, function, access, own_pages_only=own_pages_only)

        super().__init__(path, serve, methods=[method], name=function.__qualname__)


class Pages:
    """The routes of one file of pages.

    ``localised`` puts ``/zh`` and ``/en`` before the path; pictures and streams go without.
    """

    def __init__(self) -> None:
        self.routes: list[PageRoute] = []

    def get(
        self, path: str, *, access: Access, localised: bool = True
    ) -> Callable[[PageFunction], PageFunction]:
        """Serve GET and HEAD of ``path`` to whom ``access`` admits."""
        return self._route(path, "GET", access, localised=localised)

    def post(
        self, path: str, *, access: Access, localised: bool = True, own_pages_only: bool = True
    ) -> Callable[[PageFunction], PageFunction]:
        """Serve POST of ``path`` to whom ``access`` admits; the form is in ``page.form``.

        ``own_pages_only`` False admits forms that no page of ours has sent: only where the
        address itself proves that it may be done, and whoever is signed in does not matter.
        """
        return self._route(path, "POST", access, localised=localised, own_pages_only=own_pages_only)

    def _route(
        self,
        path: str,
        method: str,
        access: Access,
        *,
        localised: bool,
        own_pages_only: bool = True,
    ) -> Callable[[PageFunction], PageFunction]:
        full = "/{language:language}" + path if localised else path

        def register(function: PageFunction) -> PageFunction:
            self.routes.append(
                PageRoute(
                    full, function, method=method, access=access, own_pages_only=own_pages_only
                )
            )
            return function

        return register


def require_declared(routes: list[BaseRoute]) -> None:
    """Raise TypeError for a route that does not say who may call it; static files apart."""
    for route in routes:
        is_static = isinstance(route, Mount) and route.path == "/static"
        if not is_static and not isinstance(getattr(route, "access", None), Access):
            raise TypeError(f"{route!r} does not declare its access")


def _parameters(request: Request) -> dict[str, str | int]:
    """The parts of the address that vary.  Raises NotFoundError for what no record can have."""
    parameters = {k: v for k, v in request.path_params.items() if k != "language"}
    for value in parameters.values():
        if (isinstance(value, int) and value > LARGEST_ID) or (
            isinstance(value, str) and "\x00" in value
        ):
            raise NotFoundError
    return parameters


async def _serve(
    request: Request, function: PageFunction, access: Access, *, own_pages_only: bool
) -> Response:
    page = Page.blank(request)
    try:
        await run_in_threadpool(page.recognise)
        access.check(page.actor)
        if request.method not in csrf.SAFE_METHODS:
            page.form = await read_form(request)
            sent = request.headers.get(csrf.HEADER) or page.form.text(csrf.FIELD)
            if own_pages_only:
                csrf.check(request, page.csrf_cookie, sent)
        parameters = _parameters(request)
        if inspect.iscoroutinefunction(function):
            response = await function(page, **parameters)
        else:
            response = await run_in_threadpool(function, page, **parameters)
        return page.finish(cast("Response", response))
    except ReuniteError as error:
        return page.finish(await run_in_threadpool(answer_error, page, error))
    except HTTPException as error:
        return page.finish(await run_in_threadpool(answer_http_error, page, error.status_code))
    except Exception:
        # The request id is all that ties a report to the log: nothing personal is written.
        log.exception("page_failed", request_id=page.request_id, page=function.__qualname__)
        return page.finish(await run_in_threadpool(answer_unexpected, page))
