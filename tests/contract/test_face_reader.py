"""The face reader contract against the real models and the shipped fake."""

import pytest

from reunite.faces.engine import FaceEngine
from reunite.faces.quality import Verdict
from reunite.faces.registry import load_registry
from reunite.testing.faces import FakeFaceReader, PaintedPerson, paint_people, paint_person
from tests.contract.face_reader_contract import FaceReaderContract, Subject
from tests.photos import astronaut, derived, grace_hopper, special


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return FaceEngine.from_registry(load_registry())


class TestFaceEngine(FaceReaderContract):
    """YuNet and SFace."""

    @pytest.fixture
    def subject(self, engine: FaceEngine) -> Subject:
        return Subject(
            reader=engine,
            person=grace_hopper(),
            same_person=derived(grace_hopper()),
            other_person=astronaut(),
            several_people=special("group-composite"),
            nobody=special("no-face-coffee"),
            unusable=special("tiny-face"),
        )


class TestFakeFaceReader(FaceReaderContract):
    """Painted people."""

    @pytest.fixture
    def subject(self) -> Subject:
        return Subject(
            reader=FakeFaceReader(),
            person=paint_person(1, variant=1),
            same_person=paint_person(1, variant=2),
            other_person=paint_person(2),
            several_people=paint_people(PaintedPerson(1), PaintedPerson(2), PaintedPerson(3)),
            nobody=paint_people(),
            unusable=paint_person(1, verdict=Verdict.UNUSABLE),
        )
