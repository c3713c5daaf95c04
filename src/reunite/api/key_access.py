"""Who may read a feed: each route declares the scopes that open it, and none goes without.

A key is a partner's, not a person's: it opens nothing but these routes, and a session's token
opens none of them.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from reunite.api.problems import problem_responses
from reunite.app.services import Services
from reunite.app.use_key import KeyGate, admit, log_use
from reunite.kernel.errors import ReuniteError
from reunite.partners.keys import ApiKey, Scope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_DECLARED = "__reunite_scopes__"
# No scope: everybody may, without a key.
OPEN: frozenset[Scope] = frozenset()


def opened_by(*scopes: Scope) -> Callable[[Endpoint], Endpoint]:
    """Declare which scopes open the function below, one of them being enough; none: everybody."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _DECLARED, frozenset(scopes))
        return endpoint

    return declare


class KeyRoute(APIRoute):
    """A route that says which scopes open it.

    Raises TypeError when it is registered without ``opened_by``.  The key is checked before the
    body is read, and every request with a key is logged, the failed ones with their reason.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        scopes = getattr(endpoint, _DECLARED, None)
        if not isinstance(scopes, frozenset):
            raise TypeError(f"{path} does not declare what opens it")
        self.scopes: frozenset[Scope] = scopes
        options["responses"] = problem_responses(401, 403, 422, 429)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """The operation behind the check."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            services: Services = request.app.state.services
            if not self.scopes:
                return await handle(request)
            gate: KeyGate = request.app.state.gate
            client = request.client.host if request.client is not None else ""
            secret = secret_of(request)
            key = await run_in_threadpool(admit, services, gate, secret, self.scopes, client)
            request.state.key = key
            request.state.records = 0
            try:
                response = await handle(request)
            except ReuniteError as error:
                await run_in_threadpool(log_use, services, key, self.name, 0, error.code)
                raise
            await run_in_threadpool(log_use, services, key, self.name, request.state.records)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return checked


def secret_of(request: Request) -> str | None:
    """The secret that came with a request; in a header, because addresses end up in logs."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("X-API-Key", "").strip() or None


def key_of(request: Request) -> ApiKey:
    """The key that let the request in."""
    key: ApiKey = request.state.key
    return key


def count_records(request: Request, number: int) -> None:
    """Say how many records went out or came in, for the log of uses."""
    request.state.records = number
