"""Which face of a photo is meant."""

import pytest

from reunite.cases.photos import CasePhoto, PhotoFace, only_usable_face, require_face
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CaseId
from tests.unit.cases.builders import NOON


def face(verdict: str = "good", *reasons: str) -> PhotoFace:
    return PhotoFace((0, 0, 50, 60), ((1, 1),) * 5, 80.0, verdict, reasons)


GOOD, WEAK, SMALL = face(), face("weak", "face_blurred"), face("unusable", "face_too_small")
PLAIN = face("unusable")


def photo(*faces: PhotoFace) -> CasePhoto:
    return CasePhoto(CaseId(1), "key", "digest", 400, 300, NOON, faces=list(faces))


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ([GOOD], 0),
        ([WEAK], 0),
        ([GOOD, WEAK], None),
        ([SMALL, GOOD], None),
        ([GOOD, SMALL], None),
        ([GOOD] * 9, None),
    ],
)
def test_one_face_is_meant_and_of_several_somebody_chooses(
    faces: list[PhotoFace], expected: int | None
) -> None:
    assert only_usable_face(faces) == expected


@pytest.mark.parametrize(
    ("faces", "code", "reasons"),
    [
        ([], "photo_no_face", None),
        ([SMALL], "face_too_small", ["face_too_small"]),
        ([SMALL, PLAIN], "face_too_small", ["face_too_small"]),
        ([PLAIN], "face_unusable", []),
    ],
)
def test_a_photo_without_a_usable_face_is_refused_with_the_reason(
    faces: list[PhotoFace], code: str, reasons: list[str] | None
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        only_usable_face(faces)
    assert caught.value.code == code
    assert caught.value.details["field"] == "photo"
    assert caught.value.details.get("reasons") == reasons


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_a_face_that_is_not_there_cannot_be_chosen(index: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_face([GOOD, WEAK], index)
    assert caught.value.code == "no_such_face"
    assert caught.value.details == {"field": "face", "count": 2}


def test_choosing_says_whose_photo_it_is() -> None:
    group = photo(GOOD, WEAK, SMALL)
    assert (group.needs_choice, group.face) == (True, None)
    assert group.choose(1) is WEAK
    assert (group.needs_choice, group.face) == (False, WEAK)


@pytest.mark.parametrize("index", [2, 3])
def test_a_choice_that_fails_leaves_the_earlier_one(index: int) -> None:
    group = photo(GOOD, WEAK, SMALL)
    group.choose(0)
    with pytest.raises(InvalidInputError):
        group.choose(index)
    assert group.chosen == 0
