"""What every face reader must do, whatever models are behind it.

``FaceReaderContract`` asks for a ``subject`` fixture: a reader with photos to try it on.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from reunite.faces.photo import Photo, decode_photo, encode_jpeg
from reunite.faces.port import FittingReader, require_faces, require_usable
from reunite.faces.quality import Verdict
from reunite.kernel.errors import InvalidInputError


@dataclass(frozen=True)
class Subject:
    """A reader and encoded photos that it can read."""

    reader: FittingReader
    person: bytes
    same_person: bytes
    other_person: bytes
    several_people: bytes
    nobody: bytes
    unusable: bytes


class FaceReaderContract:
    """The tests; ``subject`` comes from the subclass."""

    def photo(self, data: bytes) -> Photo:
        return decode_photo(data)

    def test_it_says_what_its_templates_are(self, subject: Subject) -> None:
        reader = subject.reader
        view = require_faces(reader, self.photo(subject.person))[0]
        template = reader.template(view)
        assert template.model_digest == reader.model.sha256
        assert template.adapter_digest == reader.adapter_digest
        assert template.vector.shape == (reader.dim,)
        assert template.vector.dtype == np.float32
        assert np.linalg.norm(template.vector) == pytest.approx(1, abs=1e-4)
        assert template.quality == view.quality

    def test_one_person_is_more_similar_than_another(self, subject: Subject) -> None:
        person, same, other = (
            subject.reader.template(subject.reader.detect(self.photo(data))[0]).vector
            for data in (subject.person, subject.same_person, subject.other_person)
        )
        assert person @ same > 0.5 > person @ other

    def test_faces_keep_their_order_and_lie_in_the_photo(self, subject: Subject) -> None:
        photo = self.photo(subject.several_people)
        first, second = subject.reader.detect(photo), subject.reader.detect(photo)
        assert len(first) > 1
        assert [v.face.box for v in first] == [v.face.box for v in second]
        for view in first:
            assert view.chip.shape == (112, 112, 3)
            assert view.face.landmarks.shape == (5, 2)
            assert (view.face.landmarks >= 0).all()
            assert (view.face.landmarks < (photo.width, photo.height)).all()

    def test_a_stored_copy_shows_the_same_faces(self, subject: Subject) -> None:
        photo = self.photo(subject.several_people)
        copy = self.photo(encode_jpeg(photo))
        assert len(subject.reader.detect(copy)) == len(subject.reader.detect(photo))

    def test_what_the_models_say_is_shown_for_fitting(self, subject: Subject) -> None:
        views = subject.reader.detect(self.photo(subject.several_people))
        embeddings = subject.reader.embed(np.stack([view.chip for view in views]))
        assert len(embeddings) == len(subject.reader.models)
        assert subject.reader.models[0] == subject.reader.model
        for rows, model in zip(embeddings, subject.reader.models, strict=True):
            assert rows.shape == (len(views), model.dim)
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)

    def test_nobody_is_no_error_until_somebody_is_required(self, subject: Subject) -> None:
        photo = self.photo(subject.nobody)
        assert subject.reader.detect(photo) == ()
        with pytest.raises(InvalidInputError) as caught:
            require_faces(subject.reader, photo)
        assert caught.value.code == "photo_no_face"

    def test_an_unusable_face_is_shown_but_gives_no_template(self, subject: Subject) -> None:
        view = subject.reader.detect(self.photo(subject.unusable))[0]
        assert view.quality.verdict is Verdict.UNUSABLE
        for refuse in (require_usable, subject.reader.template):
            with pytest.raises(InvalidInputError) as caught:
                refuse(view)
            assert caught.value.code == view.quality.reasons[0]

    def test_many_templates_are_those_of_each(self, subject: Subject) -> None:
        views = subject.reader.detect(self.photo(subject.several_people))
        together = subject.reader.templates_of(views)
        for view, template in zip(views, together, strict=True):
            alone = subject.reader.template(view).vector
            np.testing.assert_allclose(template.vector, alone, atol=1e-4)
        assert subject.reader.templates_of([]) == []
