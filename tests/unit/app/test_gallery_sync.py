"""A gallery in memory that follows the database, also what other processes do there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reunite.app import gallery_sync
from reunite.app.close_case import withdraw_case
from reunite.app.gallery_sync import GalleryState, LiveGallery
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.errors import GalleryLockedError
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import NO_TEMPLATE, Enrolment, Gallery, Probes, TemplateSpace
from reunite.kernel.errors import InvalidInputError
from reunite.testing.faces import FakeFaceReader
from tests.unit.app.world import World


def another_process(world: World) -> LiveGallery:
    return LiveGallery(world.database, ExactGallery, world.services.gallery.space)


def held(gallery: LiveGallery) -> int:
    gallery.refresh()
    return gallery.state().templates


def test_nothing_is_read_before_it_is_needed(world: World) -> None:
    gallery = another_process(world)
    assert gallery.state() == GalleryState(templates=0, loaded=False)
    assert gallery.refresh() >= 0
    assert gallery.state() == GalleryState(templates=0, loaded=True, is_writable=True)


def test_additions_and_removals_are_seen_by_every_process(world: World) -> None:
    early = another_process(world)
    assert held(early) == 0
    references = [world.open(tag) for tag in range(1, 6)]
    late = another_process(world)
    assert held(early) == held(late) == 5
    withdraw_case(world.services, world.family, references[0])
    assert held(early) == held(late) == 4
    added_and_gone = world.open(9)
    withdraw_case(world.services, world.family, added_and_gone)
    world.open(10)
    assert held(early) == held(late) == 5
    assert held(early) == held(late) == 5


def test_an_erased_face_is_not_found_by_a_process_that_did_not_erase_it(world: World) -> None:
    gallery = another_process(world)
    reference = world.open(5)
    with world.database.transaction() as transaction:
        case_id = world.case(reference).id
        [(template_id, _, vector)] = transaction.templates.list_of_case(case_id, gallery.space)
    probe = Probes(gallery.space, vector[None, :])
    assert int(gallery.search(probe, 1).template_ids[0, 0]) == template_id
    withdraw_case(world.services, world.family, reference)
    hits = gallery.search(probe, 1)
    assert hits.searched == 0
    assert int(hits.template_ids[0, 0]) != template_id


def test_a_rebuild_reads_everything_anew(world: World) -> None:
    gallery = another_process(world)
    for tag in range(1, 4):
        world.open(tag)
    seen: list[int] = []
    assert gallery.rebuild(seen.append) == 3
    assert seen[-1] == 3
    withdraw_case(world.services, world.family, world.open(4))
    assert gallery.rebuild() == 3
    assert held(gallery) == 3


def test_templates_of_another_model_are_left_alone(world: World) -> None:
    world.open(5)
    other = FakeFaceReader(dim=64, name="other")
    space = TemplateSpace(other.model.sha256, other.adapter_digest, 64)
    gallery = LiveGallery(world.database, ExactGallery, space)
    assert gallery.space == space
    assert held(gallery) == 0
    world.open(6)
    assert held(gallery) == 0
    vector = np.eye(1, 128, dtype=np.float32)
    with pytest.raises(InvalidInputError, match="space_mismatch"):
        gallery.search(Probes(world.services.gallery.space, vector), 1)


def test_a_rebuild_that_fails_leaves_the_old_gallery(world: World) -> None:
    broken = False

    class Fragile(ExactGallery):
        def add(self, enrolment: Enrolment) -> None:
            if broken:
                raise MemoryError
            super().add(enrolment)

    gallery = LiveGallery(world.database, Fragile, world.services.gallery.space)
    world.open(5)
    assert held(gallery) == 1
    broken = True
    with pytest.raises(MemoryError):
        gallery.rebuild()
    assert held(gallery) == 1
    world.open(6)
    with pytest.raises(MemoryError):
        gallery.refresh()
    broken = False
    assert held(gallery) == 2  # what could not be taken in is taken in later


class OnDisk:
    """Processes that share one gallery on disk: the first writes, the others read."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.processes: list[LiveGallery] = []

    def start(self) -> LiveGallery:
        space = self.world.services.gallery.space
        process = LiveGallery(self.world.database, self.open, space)
        self.processes.append(process)
        return process

    def open(self, space: TemplateSpace) -> Gallery:
        try:
            return SegmentGallery(self.folder, space)
        except GalleryLockedError:
            return SegmentGallery(self.folder, space, writable=False)

    def find(self, process: LiveGallery, reference: str, vector: np.ndarray) -> bool:  # type: ignore[type-arg]
        hits = process.search(Probes(process.space, vector[None, :]), 5)
        found = hits.template_ids[0][hits.template_ids[0] != NO_TEMPLATE]
        assert len(np.unique(found)) == len(found)
        case_id = int(self.world.case(reference).id)
        return bool((hits.subject_ids[0] == case_id).any())

    def vector(self, reference: str) -> np.ndarray:  # type: ignore[type-arg]
        space = self.world.services.gallery.space
        with self.world.database.transaction() as transaction:
            case_id = self.world.case(reference).id
            [(_, _, vector)] = transaction.templates.list_of_case(case_id, space)
        return vector


@pytest.fixture
def on_disk(world: World, tmp_path: Path) -> Iterator[OnDisk]:
    shared = OnDisk(world, tmp_path / "gallery")
    yield shared
    for process in shared.processes:
        process.close()


def test_a_reader_finds_what_the_writer_has_not_written(on_disk: OnDisk, world: World) -> None:
    before = world.open(1)
    first = on_disk.vector(before)
    writer, reader = on_disk.start(), on_disk.start()
    assert held(writer) == held(reader) == 1
    assert writer.state().is_writable
    assert not reader.state().is_writable
    later = world.open(2)
    second = on_disk.vector(later)
    assert on_disk.find(reader, later, second)  # from its own memory
    assert on_disk.find(writer, later, second)
    assert on_disk.find(reader, later, second)  # from both, and named once
    withdraw_case(world.services, world.family, before)
    assert not on_disk.find(reader, before, first)  # the writer has not erased it yet
    assert not on_disk.find(writer, before, first)


def test_a_reader_forgets_what_the_writer_has_written(
    on_disk: OnDisk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_sync, "LARGEST_OVERLAY", 0)
    writer, reader = on_disk.start(), on_disk.start()
    assert held(writer) == held(reader) == 0
    references = [world.open(tag) for tag in range(1, 4)]
    vectors = [on_disk.vector(reference) for reference in references]
    assert held(reader) == 3
    assert held(writer) == 3
    assert held(reader) == 3
    for reference, vector in zip(references, vectors, strict=True):
        assert on_disk.find(reader, reference, vector)


def test_a_reader_takes_over_from_a_writer_that_is_gone(
    on_disk: OnDisk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_sync, "PROMOTION_SECONDS", 0.0)
    writer, reader = on_disk.start(), on_disk.start()
    assert held(writer) == held(reader) == 0
    one = world.open(1)
    vector = on_disk.vector(one)
    assert on_disk.find(reader, one, vector)
    assert not reader.state().is_writable
    writer.close()
    assert on_disk.find(reader, one, vector)
    assert reader.state() == GalleryState(templates=1, loaded=True, is_writable=True)
    assert reader.rebuild() == 1


def test_a_gallery_that_is_opened_again_is_held_against_the_database(
    on_disk: OnDisk, world: World
) -> None:
    stays, goes = world.open(1), world.open(2)
    kept, gone = on_disk.vector(stays), on_disk.vector(goes)
    process = on_disk.start()
    assert held(process) == 2
    process.close()
    withdraw_case(world.services, world.family, goes)
    added = world.open(3)
    again = on_disk.start()
    assert held(again) == 2
    assert on_disk.find(again, stays, kept)
    assert on_disk.find(again, added, on_disk.vector(added))
    assert not on_disk.find(again, goes, gone)
