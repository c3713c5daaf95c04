"""The gallery contract against every implementation."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Gallery, TemplateSpace
from tests.contract.gallery_contract import GalleryContract, GalleryFactory


@contextmanager
def exact(space: TemplateSpace) -> Iterator[Gallery]:
    yield ExactGallery(space)


class TestGallery(GalleryContract):
    """Every engine behind the port."""

    @pytest.fixture(params=[exact], ids=lambda factory: str(factory.__name__))
    def factory(self, request: pytest.FixtureRequest) -> GalleryFactory:
        made: GalleryFactory = request.param
        return made
