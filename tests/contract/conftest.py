"""Every port once in memory and once for real: one suite keeps the fakes honest."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reunite.ports import Database, PhotoStore
from reunite.storage.photo_files import PhotoDirectory
from reunite.testing.memory import MemoryDatabase, MemoryPhotoStore


@pytest.fixture(params=["memory", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database."""
    if request.param == "memory":
        return MemoryDatabase()
    opened: Database = request.getfixturevalue("postgres_database")
    return opened


@pytest.fixture(params=["memory", "directory"])
def photo_store(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    """An empty photo store."""
    stores: dict[str, Callable[[], PhotoStore]] = {
        "memory": lambda: MemoryPhotoStore(now=lambda: datetime.now(UTC)),
        "directory": lambda: PhotoDirectory(tmp_path / "photos"),
    }
    return stores[request.param]()
