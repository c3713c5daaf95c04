"""Faces are found whatever the size and turn of the photo, and only where there are any."""

from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from reunite.faces.engine import FaceEngine
from reunite.faces.photo import Photo, decode_photo
from tests.photos import astronaut, grace_hopper, special, to_jpeg


def image_of(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def as_photo(image: Image.Image) -> Photo:
    return Photo(np.asarray(image))


@pytest.mark.parametrize("name", ["no-face-cat", "no-face-coffee"])
def test_nobody_is_nobody(engine: FaceEngine, name: str) -> None:
    assert engine.detect(decode_photo(special(name))) == ()


def test_a_plain_wall_is_nobody(engine: FaceEngine) -> None:
    assert engine.detect(Photo(np.full((900, 1200, 3), 255, dtype=np.uint8))) == ()


def test_six_people_are_six_faces_the_largest_first(engine: FaceEngine) -> None:
    views = engine.detect(decode_photo(special("group-composite")))
    assert len(views) == 6
    areas = [view.face.area_px for view in views]
    assert areas == sorted(areas, reverse=True)


def test_nine_faces_are_nine(engine: FaceEngine) -> None:
    face = image_of(astronaut()).crop((130, 0, 330, 200))
    group = Image.new("RGB", (660, 660), (140, 150, 160))
    for number in range(9):
        group.paste(face, (10 + number % 3 * 220, 10 + number // 3 * 220))
    assert len(engine.detect(as_photo(group))) == 9


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_positions_follow_the_size_of_the_photo(engine: FaceEngine, factor: float) -> None:
    image = image_of(astronaut())
    (plain,) = engine.detect(as_photo(image))
    larger = image.resize((round(image.width * factor), round(image.height * factor)))
    (scaled,) = engine.detect(as_photo(larger))
    error = np.abs(scaled.face.landmarks - plain.face.landmarks * factor).max()
    assert error < 0.15 * factor * plain.face.inter_eye_px


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_print_scanned_sideways_is_read(engine: FaceEngine, quarter_turns: int) -> None:
    upright = np.asarray(image_of(grace_hopper()))
    (plain,) = engine.detect(Photo(upright))
    turned = Photo(np.ascontiguousarray(np.rot90(upright, quarter_turns)))
    (found,) = engine.detect(turned)
    similarity = engine.template(plain).vector @ engine.template(found).vector
    assert similarity > 0.9
    left, top, width, height = found.face.box
    points = found.face.landmarks
    assert (points > (left, top)).all()
    assert (points < (left + width, top + height)).all()


def test_a_photo_turned_by_exif_gives_the_same_template(engine: FaceEngine) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    upright = image_of(grace_hopper())
    turned = to_jpeg(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
    (plain,) = engine.detect(decode_photo(to_jpeg(upright)))
    (found,) = engine.detect(decode_photo(turned))
    assert np.abs(plain.face.landmarks - found.face.landmarks).max() < 3
    assert engine.template(plain).vector @ engine.template(found).vector > 0.98


def test_a_small_face_in_a_large_photo_is_found(engine: FaceEngine) -> None:
    face = image_of(astronaut()).crop((130, 0, 330, 200)).resize((100, 100))
    square = Image.new("RGB", (2048, 1536), (90, 120, 90))
    square.paste(face, (1500, 1100))
    (found,) = engine.detect(as_photo(square))
    left, top, _, _ = found.face.box
    assert 1480 < left < 1600
    assert 1080 < top < 1200


def test_a_face_that_fills_the_frame_is_found(engine: FaceEngine) -> None:
    close = image_of(astronaut()).crop((175, 55, 275, 185)).resize((1000, 1300))
    assert len(engine.detect(as_photo(close))) == 1
