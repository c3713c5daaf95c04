"""Who may call an operation: each one declares it, and none is registered without.

The check comes before the body is read, so that nobody makes the server parse a photo
that it will not take.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from reunite.accounts.account import Actor
from reunite.api.problems import problem_responses
from reunite.app.access import Access
from reunite.app.services import Services
from reunite.app.sign_in import find_actor
from reunite.kernel.errors import ForbiddenError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_DECLARED = "__reunite_access__"


def allow(access: Access) -> Callable[[Endpoint], Endpoint]:
    """Declare who may call the function below; goes right above it."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _DECLARED, access)
        return endpoint

    return declare


class AccessRoute(APIRoute):
    """An operation that says who may call it.

    Raises TypeError when it is registered without ``allow``: forgetting the rule must not
    mean that everybody may.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        access = getattr(endpoint, _DECLARED, None)
        if not isinstance(access, Access):
            raise TypeError(f"{path} does not declare who may call it")
        self.access = access
        statuses = (422, 429, 500, 503) if access.roles is None else (401, 403, 422, 500, 503)
        options["responses"] = {**problem_responses(*statuses), **(options.get("responses") or {})}
        if access.roles is not None:
            # For the document: that a session is needed.
            options["dependencies"] = [*(options.get("dependencies") or ()), Depends(_scheme)]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """The operation behind the check."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            services: Services = request.app.state.services
            request.state.token = _bearer_token(request)
            request.state.actor = await run_in_threadpool(_actor, services, request.state.token)
            self.access.check(request.state.actor)
            response = await handle(request)
            # Answers speak of people: no cache on the way keeps them unless one says so.
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            return response

        return checked


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _actor(services: Services, token: str | None) -> Actor | None:
    actor = find_actor(services, token)
    if token is not None and actor is None:
        # A program that believes it is signed in must not be served as a stranger.
        raise ForbiddenError("sign_in_required")
    return actor


_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="session",
    description="The token that `POST /sessions` hands out.",
)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _caller(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]
) -> Actor | None:
    actor: Actor | None = request.state.actor
    return actor


Caller = Annotated[Actor | None, Depends(_caller)]
Wired = Annotated[Services, Depends(_services)]
