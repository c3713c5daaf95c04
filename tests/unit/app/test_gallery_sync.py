"""A gallery in memory that follows the database, also what other processes do there."""

import numpy as np
import pytest

from reunite.app.close_case import withdraw_case
from reunite.app.gallery_sync import GalleryState, LiveGallery
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Enrolment, Probes, TemplateSpace
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
    assert gallery.state() == GalleryState(templates=0, loaded=True)


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
