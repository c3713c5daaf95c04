"""The pages over a Reunite in memory, and readers who use them."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from reunite.accounts.account import Actor
from reunite.app.search_face import digest_of
from reunite.kernel.languages import Language
from reunite.web.assets import Assets
from reunite.web.main import create_web
from reunite.web.rendering import Renderer
from reunite.web.settings import WebSettings
from tests.unit.app.world import World

CSRF = re.compile(r'name="csrf" value="(\w+)"')


class Browser:
    """Sends requests to the application and keeps its cookies; follows no redirect."""

    def __init__(self, app: Starlette, base_url: str) -> None:
        self.cookies = httpx.Cookies()
        self._app = app
        self._base_url = base_url

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._send("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._send("POST", path, **more)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._answer(method, path, **more))

    async def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url=self._base_url,
            cookies=self.cookies,
        ) as client:
            response = await client.request(method, path, **more)
            self.cookies = client.cookies
            return response


@dataclass
class Reader:
    """Somebody with a browser."""

    client: Browser
    token: str = ""  # of forms, once one has been seen

    def get(self, path: str, **more: Any) -> httpx.Response:
        response = self.client.get(path, **more)
        found = CSRF.search(response.text)
        if found:
            self.token = found[1]
        return response

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """As a form of ours would send it."""
        if not self.token:
            self.get("/en/sign-in")
        return self.client.post(path, data={"csrf": self.token, **(data or {})}, **more)


@dataclass
class Site:
    """The application and the world behind it."""

    world: World
    app: Starlette

    def reader(
        self, actor: Actor | None = None, base_url: str = "http://reunite.example"
    ) -> Reader:
        """A fresh browser, signed in as ``actor``."""
        client = Browser(self.app, base_url)
        if actor is not None:
            token = f"session-of-{actor.account_id}"
            with self.world.database.transaction() as transaction:
                transaction.accounts.add_session(
                    digest_of(token), actor.account_id, self.world.clock.now() + timedelta(days=1)
                )
            client.cookies.set("reunite_session", token)
        return Reader(client)


# Templates are compiled once for all tests: each application would do it anew.
_renderers = {language: Renderer(language, WebSettings(), Assets()) for language in Language}


def make_site(settings: WebSettings) -> Site:
    world = World()
    app = create_web(world.services, settings)
    app.state.web = replace(app.state.web, renderers=_renderers)
    return Site(world, app)


@pytest.fixture
def site() -> Site:
    return make_site(WebSettings(max_body_bytes=200_000))
