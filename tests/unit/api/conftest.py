"""An API over sessions alone: enough to see who is let in and how errors look."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from reunite.accounts.account import Account, Role
from reunite.api.main import create_api
from reunite.app.search_face import digest_of
from reunite.app.services import Services, Settings
from reunite.kernel.clock import FixedClock
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Accounts:
    """Everybody has one session, whose token is the name of their role."""

    def find_session(self, token_digest: bytes, now: datetime) -> Account | None:
        for number, role in enumerate(Role, start=1):
            if token_digest == digest_of(role.value):
                return Account(
                    f"{role.value}@example.org", role.value, "", role, NOW, id=AccountId(number)
                )
        return None

    def find_by_email(self, email: str) -> Account | None:
        return None


class Transaction:
    def __init__(self) -> None:
        self.accounts = Accounts()


class Database:
    """Knows sessions; whatever else is asked for is missing, which answers 500."""

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        yield Transaction()


@dataclass
class World:
    database: Database = field(default_factory=Database)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    settings: Settings = field(default_factory=Settings)


def describe(error: ReuniteError, language: Language) -> str:
    return f"{language.value}: {error.code}"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def api(world: World) -> FastAPI:
    return create_api(cast("Services", world), describe)


class Client:
    """Asks an application within this process, without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture
def client(api: FastAPI) -> Client:
    return Client(api)
