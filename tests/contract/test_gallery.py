"""The gallery contract against every implementation."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reunite.gallery.depth import FULL_DEPTH
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Gallery, TemplateSpace
from reunite.gallery.settings import GallerySettings, Upkeep
from reunite.gallery.sharded import ShardedGallery, ThreadShard
from tests.contract.gallery_contract import GalleryContract, GalleryFactory
from tests.contract.stored import StoredTemplates
from tests.unit.gallery.disk import scratch_folder


@contextmanager
def exact(space: TemplateSpace) -> Iterator[Gallery]:
    yield ExactGallery(space)


def _segments(space: TemplateSpace, upkeep: Upkeep) -> Iterator[Gallery]:
    stored = StoredTemplates(space.dim)
    settings = GallerySettings(depth=FULL_DEPTH, upkeep=upkeep, threads=2)
    with (
        scratch_folder() as folder,
        SegmentGallery(folder, space, templates=stored, settings=settings) as gallery,
    ):
        stored.follow(gallery)
        yield gallery


@contextmanager
def tail(space: TemplateSpace) -> Iterator[Gallery]:
    """Everything stays in the newest rows."""
    yield from _segments(space, Upkeep())


@contextmanager
def segments(space: TemplateSpace) -> Iterator[Gallery]:
    """Sealed after a few rows, so that most of it lies in several segments."""
    yield from _segments(space, Upkeep(tail_rows=16))


@contextmanager
def sharded(space: TemplateSpace) -> Iterator[Gallery]:
    """Two shards in threads; Ray's own are tried in ``tests/integration/gallery``."""
    stored = StoredTemplates(space.dim)
    settings = GallerySettings(depth=FULL_DEPTH, upkeep=Upkeep(tail_rows=16), threads=1)
    with scratch_folder() as folder:
        shards = [ThreadShard(folder / str(n), space, settings) for n in range(2)]
        gallery = ShardedGallery(space, shards, templates=stored, depth=FULL_DEPTH)
        stored.follow(gallery)
        try:
            yield gallery
        finally:
            gallery.close()


class TestGallery(GalleryContract):
    """Every engine behind the port."""

    @pytest.fixture(
        params=[exact, tail, segments, sharded], ids=lambda factory: str(factory.__name__)
    )
    def factory(self, request: pytest.FixtureRequest) -> GalleryFactory:
        made: GalleryFactory = request.param
        return made
