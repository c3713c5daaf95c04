"""An adapter is fitted on what there is, tried on people left out, and installed if better."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from reunite.accounts.account import Actor
from reunite.app.fit_adapter import fit_on_folder, fit_on_own_cases, roll_back_adapter
from reunite.app.gallery_sync import LiveGallery
from reunite.app.reembed import reembed
from reunite.app.review_lead import decide_lead
from reunite.app.search_face import start_search, view_search
from reunite.app.services import Services
from reunite.cases.leads import Verdict
from reunite.faces.adapters import AdapterError
from reunite.faces.installed_adapters import AdapterFolder
from reunite.faces.photo import Pixels
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import TemplateSpace
from reunite.kernel.errors import InvalidInputError
from reunite.testing.faces import FakeFaceReader, _read, paint_people, paint_person
from reunite.worker.loop import Worker
from tests.unit.app.world import World

PEOPLE, PHOTOS = 40, 4
AGED = 200


class AgeingReader(FakeFaceReader):
    """Variants below 100 are children: what ageing does to all of them hides who they are."""

    def __init__(self, ageing: float) -> None:
        super().__init__(dim=32, name="ageing")
        self._ageing = ageing

    def embed(self, chips: Pixels) -> tuple[npt.NDArray[np.float32], ...]:
        (rows,) = super().embed(chips)
        young = np.array([self.is_young(chip) for chip in chips])
        # Not the same in everybody, or a shift of all would change no ranks.
        pace = np.random.default_rng(7).standard_normal((len(chips), 4))
        directions = np.stack([self._direction(f"ageing {n}") for n in range(4)])
        aged = rows + self._ageing * (np.where(young, 1.0, -1.0)[:, None] + pace) @ directions
        return ((aged / np.linalg.norm(aged, axis=1, keepdims=True)).astype(np.float32),)

    def is_young(self, chip: Pixels) -> bool:
        person = _read(chip)
        return person is not None and person.variant < 100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People in the layout of LAG."""
    root = tmp_path_factory.mktemp("people")
    for person in range(PEOPLE):
        for photo in range(PHOTOS):
            young = photo < PHOTOS // 2
            path = root / f"person-{person}" / ("y" if young else "") / f"{photo}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(paint_person(person, photo if young else 100 + photo))
    (root / "person-0" / "nobody.jpg").write_bytes(paint_people())
    return root


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces of known age in the layout of UTKFace."""
    root = tmp_path_factory.mktemp("aged")
    for number in range(AGED):
        age = 5 + number % 8 if number % 2 else 30 + number % 40
        picture = paint_person(1000 + number, 1 if age < 18 else 101)
        (root / f"{age}_0_0_{number:08d}.jpg").write_bytes(picture)
    return root


@pytest.fixture
def installed(tmp_path: Path) -> AdapterFolder:
    return AdapterFolder(tmp_path)


def test_what_helps_is_installed_and_can_be_taken_back(
    folder: Path, aged: Path, installed: AdapterFolder
) -> None:
    world = World()
    reader = AgeingReader(ageing=1.0)
    told: list[int] = []
    report = fit_on_folder(
        world.admin, reader, installed, None, folder, aged_folder=aged, progress=told.append
    )
    trial = report.trial
    assert (trial.people, trial.photos, report.unread) == (PEOPLE, PEOPLE * PHOTOS, 1)
    assert trial.candidate.rank1 > trial.current.rank1 + 0.1
    assert trial.rank1_gain_at_least > 0
    assert report.installed
    assert told[-1] == PEOPLE * PHOTOS + 1 + AGED
    used = installed.find_current(reader.model)
    assert used is not None
    assert used.digest == report.adapter.digest
    assert f"{PEOPLE} people" in used.training_data
    assert roll_back_adapter(world.admin, installed).digest == used.digest
    assert installed.find_current(reader.model) is None


def test_what_helps_nobody_is_not_installed(
    folder: Path, aged: Path, installed: AdapterFolder
) -> None:
    world = World()
    reader = AgeingReader(ageing=0.0)  # everybody is found already
    report = fit_on_folder(world.admin, reader, installed, None, folder, aged_folder=aged)
    assert report.trial.current.rank1 == 1.0
    assert not report.installed
    assert installed.list_installed() == []


def test_what_knows_the_people_is_fitted_anew_before_it_is_compared(
    folder: Path, aged: Path, installed: AdapterFolder
) -> None:
    """The same data and models a second time: no better, and not worse either."""
    world = World()
    reader = AgeingReader(ageing=1.0)
    first = fit_on_folder(world.admin, reader, installed, None, folder, aged_folder=aged)
    assert first.installed
    again = fit_on_folder(world.admin, reader, installed, first.adapter, folder, aged_folder=aged)
    # Fitted on everybody, it is tried on people whom it knows.
    assert again.trial.current.rank1 > again.trial.candidate.rank1
    fair = fit_on_folder(
        world.admin, reader, installed, first.adapter, folder, aged_folder=aged, refit_current=True
    )
    assert fair.trial.current == fair.trial.candidate
    assert not fair.installed


def test_too_few_people_and_strange_folders_are_refused(
    aged: Path, installed: AdapterFolder, tmp_path: Path
) -> None:
    world = World()
    few = tmp_path / "few"
    for photo in range(PHOTOS):
        path = few / "one" / ("y" if photo < 2 else "") / f"{photo}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(paint_person(1, photo))
    with pytest.raises(AdapterError) as caught:
        fit_on_folder(world.admin, FakeFaceReader(), installed, None, few, aged_folder=aged)
    assert caught.value.code == "adapter_data_too_small"
    with pytest.raises(InvalidInputError) as unknown:
        fit_on_folder(world.admin, FakeFaceReader(), installed, None, tmp_path / "none")
    assert unknown.value.code == "folder_layout_unknown"


def test_own_pairs_are_those_that_two_reviewers_confirmed(installed: AdapterFolder) -> None:
    world = World()
    reference = world.open_public(1, 1)
    world.open_found(1, 2)
    world.drain()
    [lead] = world.leads(reference)
    read: list[int] = []

    def photos_read() -> int:
        read.clear()
        with pytest.raises(AdapterError) as caught:
            fit_on_own_cases(world.services, world.admin, world.faces, installed, None, read.append)
        assert caught.value.code == "adapter_data_too_small"
        return max(read, default=0)

    assert photos_read() == 0
    for reviewer in (world.reviewer, world.second_reviewer):
        decide_lead(world.services, reviewer, lead.id, Verdict.ACCEPT)
    assert photos_read() == 2


def with_faces(world: World, faces: FakeFaceReader) -> Services:
    """The same database read by another model."""
    space = TemplateSpace(faces.model.sha256, faces.adapter_digest, faces.dim)
    gallery = LiveGallery(world.database, ExactGallery, space)
    return replace(world.services, faces=faces, gallery=gallery)


def found(services: Services, actor: Actor, photo: bytes) -> list[str]:
    started = start_search(services, actor, photo)
    result = view_search(services, actor, started.token)
    return [resemblance.case.reference for resemblance in result.resemblances]


def test_after_a_change_of_model_everybody_is_found_again_once_embedded_anew() -> None:
    world = World()
    reference = world.open_public(1, 1)
    world.open_found(1, 2)
    world.drain()
    stronger = with_faces(world, FakeFaceReader(name="stronger"))
    assert found(stronger, world.family, paint_person(1, 3)) == []
    report = reembed(stronger, world.admin)
    assert (report.made, report.already, report.unreadable) == (2, 0, 0)
    assert found(stronger, world.family, paint_person(1, 3)) == [reference]
    again = reembed(stronger, world.admin)
    assert (again.made, again.already) == (0, 2)
    # Every photo is matched again; the lead is known and stays one.
    Worker(stronger).drain()
    assert len(world.leads(reference)) == 1
    # The templates of before are still there for a way back.
    assert found(world.services, world.family, paint_person(1, 3)) == [reference]


def test_a_picture_that_is_gone_is_counted() -> None:
    world = World()
    world.open_public(1, 1)
    world.photos.delete(sorted(world.files()))
    report = reembed(with_faces(world, FakeFaceReader(name="third")), world.admin)
    assert (report.made, report.unreadable) == (0, 1)
