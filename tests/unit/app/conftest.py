"""One world a test."""

import pytest

from tests.unit.app.world import World


@pytest.fixture
def world() -> World:
    return World()
