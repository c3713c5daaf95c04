"""One engine with real models for all tests of this folder: loading takes half a second."""

import pytest

from reunite.faces.engine import FaceEngine
from reunite.faces.registry import load_registry


@pytest.fixture(scope="session")
def engine() -> FaceEngine:
    return FaceEngine.from_registry(load_registry())
