"""The gallery contract against every implementation."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from reunite.gallery.depth import FULL_DEPTH
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Enrolment, Float32, Gallery, Int64, TemplateSpace
from reunite.gallery.settings import GallerySettings, Upkeep
from tests.contract.gallery_contract import GalleryContract, GalleryFactory
from tests.unit.gallery.disk import scratch_folder


class StoredTemplates:
    """Stands for the database: templates by id."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._rows: dict[int, Float32] = {}

    def keep(self, enrolment: Enrolment) -> None:
        ids = enrolment.template_ids.tolist()
        self._rows.update(zip(ids, enrolment.vectors, strict=True))

    def __call__(self, ids: Int64) -> Float32:
        unknown = np.full(self._dim, np.nan, dtype=np.float32)
        rows = [self._rows.get(one, unknown) for one in ids.tolist()]
        return np.array(rows, dtype=np.float32).reshape(len(ids), self._dim)


class StoringGallery(SegmentGallery):
    """A segment gallery whose templates are stored when they are added."""

    stored: StoredTemplates

    def add(self, enrolment: Enrolment) -> None:
        super().add(enrolment)
        self.stored.keep(enrolment)


@contextmanager
def exact(space: TemplateSpace) -> Iterator[Gallery]:
    yield ExactGallery(space)


def _segments(space: TemplateSpace, upkeep: Upkeep) -> Iterator[Gallery]:
    stored = StoredTemplates(space.dim)
    settings = GallerySettings(depth=FULL_DEPTH, upkeep=upkeep, threads=2)
    with (
        scratch_folder() as folder,
        StoringGallery(folder, space, templates=stored, settings=settings) as gallery,
    ):
        gallery.stored = stored
        yield gallery


@contextmanager
def tail(space: TemplateSpace) -> Iterator[Gallery]:
    """Everything stays in the newest rows."""
    yield from _segments(space, Upkeep())


@contextmanager
def segments(space: TemplateSpace) -> Iterator[Gallery]:
    """Sealed after a few rows, so that most of it lies in several segments."""
    yield from _segments(space, Upkeep(tail_rows=16))


class TestGallery(GalleryContract):
    """Every engine behind the port."""

    @pytest.fixture(params=[exact, tail, segments], ids=lambda factory: str(factory.__name__))
    def factory(self, request: pytest.FixtureRequest) -> GalleryFactory:
        made: GalleryFactory = request.param
        return made
