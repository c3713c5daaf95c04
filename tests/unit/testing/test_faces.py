"""Painted people keep who they are through everything that happens to a photo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.faces.photo import decode_photo, encode_jpeg, thumbnail
from reunite.faces.quality import Verdict
from reunite.testing.faces import FakeFaceReader, PaintedPerson, paint_people, paint_person
from tests.photos import astronaut

READER = FakeFaceReader()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.sampled_from(Verdict))
def test_a_person_is_read_back_after_storage(tag: int, variant: int, verdict: Verdict) -> None:
    sent = decode_photo(paint_person(tag, variant, verdict))
    (before,) = READER.detect(sent)
    for stored in (encode_jpeg(sent), thumbnail(sent), encode_jpeg(sent, max_side=120)):
        (after,) = READER.detect(decode_photo(stored))
        assert after.quality.verdict is verdict
        np.testing.assert_array_equal(READER.vector_of(after.chip), READER.vector_of(before.chip))


def test_people_stand_from_left_to_right() -> None:
    people = (PaintedPerson(9), PaintedPerson(8, verdict=Verdict.WEAK), PaintedPerson(7))
    views = READER.detect(decode_photo(paint_people(*people)))
    alone = [READER.detect(decode_photo(paint_people(person)))[0] for person in people]
    for view, expected in zip(views, alone, strict=True):
        np.testing.assert_array_equal(READER.vector_of(view.chip), READER.vector_of(expected.chip))
    assert [view.quality.verdict for view in views] == [Verdict.GOOD, Verdict.WEAK, Verdict.GOOD]


def test_a_photograph_is_nobody_to_the_fake() -> None:
    assert READER.detect(decode_photo(astronaut())) == ()


def test_readers_of_two_names_are_two_models() -> None:
    other = FakeFaceReader(name="other")
    (view,) = READER.detect(decode_photo(paint_person(5)))
    assert READER.model.sha256 != other.model.sha256
    assert abs(READER.template(view).vector @ other.template(view).vector) < 0.5


def test_what_does_not_fit_is_not_painted() -> None:
    with pytest.raises(ValueError, match="bits"):
        paint_person(2**32)
