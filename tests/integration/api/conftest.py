"""The API over a real database and painted people."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from reunite.api.main import create_api
from reunite.app.audience_sync import LiveAudience
from reunite.app.donor_sync import LiveDonors
from reunite.app.gallery_sync import LiveGallery
from reunite.app.services import Services, Settings
from reunite.broker.outbox import PostgresOutbox
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import TemplateSpace
from reunite.kernel.clock import SystemClock
from reunite.kernel.ids import AccountId
from reunite.ports import Arrival, Prepare
from reunite.storage.database import PostgresDatabase
from reunite.storage.photo_files import PhotoDirectory
from reunite.testing.faces import FakeFaceReader
from tests.unit.api.conftest import Client


class Silence:
    """A live channel on which nothing is ever said."""

    async def subscribe(
        self, account_id: AccountId, prepare: Prepare | None = None
    ) -> AsyncIterator[frozenset[Arrival]]:
        return
        yield


@pytest.fixture
def services(database_url: str, tmp_path: Path) -> Iterator[Services]:
    database = PostgresDatabase(database_url, PostgresOutbox)
    faces = FakeFaceReader()
    space = TemplateSpace(faces.model.sha256, faces.adapter_digest, faces.dim)
    yield Services(
        database=database,
        photos=PhotoDirectory(tmp_path / "photos"),
        faces=faces,
        gallery=LiveGallery(database, ExactGallery, space),
        audience=LiveAudience(database),
        donors=LiveDonors(database, SystemClock()),
        live=Silence(),
        clock=SystemClock(),
        settings=Settings(),
    )
    database.dispose()


class Caller:
    """Somebody who is signed in."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def ask(self, method: str, path: str, status: int, **options: object) -> httpx.Response:
        """The answer, which must have this status."""
        answer = self._client.request(method, path, headers=self._headers, **options)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
def client(services: Services) -> Client:
    return Client(create_api(services))
