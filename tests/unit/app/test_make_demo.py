"""The demonstration town has something of everything, previews too; with the real models."""

from dataclasses import replace
from pathlib import Path

import pytest

from reunite.app.gallery_sync import LiveGallery
from reunite.app.make_demo import make_demo
from reunite.cases.previews import AgePreview
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import decode_photo
from reunite.faces.progression.marking import is_marked
from reunite.faces.progression.preview import AgeProgression
from reunite.faces.registry import load_registry
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import TemplateSpace
from reunite.kernel.people import Side
from reunite.ports import CaseQuery
from reunite.worker.loop import PREVIEWS_EVERY, Worker
from tests.unit.app.world import World


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World()
    faces = FaceEngine.from_registry(load_registry())
    space = TemplateSpace(faces.model.sha256, faces.adapter_digest, faces.dim)
    world.services = replace(
        world.services,
        faces=faces,
        ageing=AgeProgression(),
        gallery=LiveGallery(world.database, ExactGallery, space),
    )
    world.worker = Worker(world.services)
    folder: Path = tmp_path_factory.mktemp("town")
    accounts = make_demo(world.services, folder, world.drain)
    assert make_demo(world.services, folder) == accounts
    world.clock.advance(PREVIEWS_EVERY)
    world.drain()
    return world


def test_somebody_lost_young_has_previews_of_today(town: World) -> None:
    with town.database.transaction() as transaction:
        [reference] = [
            case.reference
            for case in transaction.cases.list_matching(CaseQuery(limit=100))
            if case.person.name == "王小妹"
        ]
        case = transaction.cases.get_by_reference(reference)
        previews: list[AgePreview] = transaction.previews.list_of_case(case.id)
    assert [preview.age for preview in previews] == [20, 30, 38]
    for preview in previews:
        picture = town.photos.get(preview.storage_key)
        assert is_marked(picture)
        assert decode_photo(picture).pixels.shape[0] > 100


def test_the_two_records_of_one_face_are_a_lead(town: World) -> None:
    with town.database.transaction() as transaction:
        cases = transaction.cases.list_matching(CaseQuery(limit=100))
        leads = {
            (lead.missing_case_id, lead.found_case_id)
            for case in cases
            for lead in transaction.leads.list_of_case(case.id)
        }
    names = {case.id: case.person.name for case in cases}
    assert ("王小妹", "陈安") in {(names[missing], names[found]) for missing, found in leads}
    assert {case.side for case in cases} == {Side.MISSING, Side.FOUND}
