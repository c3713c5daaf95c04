"""Previews: the photo itself at strength nought, growth where children grow, marked for ever."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reunite.faces.engine import FaceEngine
from reunite.faces.photo import Photo, decode_photo
from reunite.faces.port import FaceView
from reunite.faces.progression.engine import Canvas, Progression, Step, canvas_of
from reunite.faces.progression.marking import MARK, SOURCE_TYPE, encode_marked, is_marked, marked
from reunite.faces.progression.mesh import (
    CHIN,
    LEFT_EYE,
    MESH_POINTS,
    RIGHT_EYE,
    FaceMesh,
    Mesh,
    eye_centres,
)
from reunite.faces.progression.pose import normalised, rotation_between, yaw_pitch_degrees
from reunite.faces.progression.preview import (
    PUSHES,
    AgeProgression,
    Previews,
    landmarks_of,
)
from reunite.faces.progression.prototypes import (
    Prototypes,
    bytes_of_lab,
    lab_of_bytes,
    load_prototypes,
)
from reunite.faces.progression.warping import enlarged, grid, spline_operator
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Sex
from tests.photos import astronaut

MAX_DATA_BYTES = 3_000_000


@pytest.fixture(scope="module")
def photo() -> Photo:
    return decode_photo(astronaut())


@pytest.fixture(scope="module")
def view(engine: FaceEngine, photo: Photo) -> FaceView:
    return engine.detect(photo)[0]


@pytest.fixture(scope="module")
def mesh(photo: Photo, view: FaceView) -> Mesh:
    found = FaceMesh().find_mesh(photo.pixels, view.face.landmarks)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def prototypes() -> Prototypes:
    return load_prototypes()


@pytest.fixture(scope="module")
def previews(photo: Photo, view: FaceView) -> Previews:
    return AgeProgression().preview(
        photo.pixels, view.face.landmarks, Sex.FEMALE, 12, [18, 12, 25, 18, 9]
    )


def test_the_mesh_lies_on_the_face(view: FaceView, mesh: Mesh) -> None:
    assert mesh.shape == (MESH_POINTS, 3)
    eye_distance = view.face.inter_eye_px
    np.testing.assert_allclose(landmarks_of(mesh), view.face.landmarks, atol=0.2 * eye_distance)


def test_a_wrong_guess_of_the_landmarks_hardly_moves_the_mesh(
    photo: Photo, view: FaceView, mesh: Mesh
) -> None:
    shaken = view.face.landmarks + np.float32(0.1 * view.face.inter_eye_px)
    again = FaceMesh().find_mesh(photo.pixels, shaken)
    assert again is not None
    off = np.linalg.norm(again[:, :2] - mesh[:, :2], axis=1).mean()
    assert off < 0.03 * view.face.inter_eye_px


def test_no_mesh_where_there_is_no_face() -> None:
    grey = np.full((200, 200, 3), 127, dtype=np.uint8)
    points = np.array([[80, 80], [120, 80], [100, 100], [85, 120], [115, 120]], np.float32)
    assert FaceMesh().find_mesh(grey, points) is None


def test_the_mean_faces_are_small_and_grow(prototypes: Prototypes) -> None:
    for sex in (Sex.FEMALE, Sex.MALE, Sex.UNKNOWN):
        chins = [float(prototypes.get_prototype(sex, a).shape[CHIN, 1]) for a in range(2, 19)]
        assert (np.diff(chins) > -0.004).all()
        assert chins[-1] > chins[0] * 1.03
    assert len(encoded(prototypes)) < MAX_DATA_BYTES


def encoded(prototypes: Prototypes) -> bytes:
    out = BytesIO()
    np.savez_compressed(out, skin=prototypes.skin, shape=prototypes.shape)
    return out.getvalue()


def test_both_halves_of_a_mean_face_are_alike(prototypes: Prototypes) -> None:
    shape = prototypes.get_prototype(Sex.MALE, 10).shape
    left, right = shape[list(LEFT_EYE)].mean(axis=0), shape[list(RIGHT_EYE)].mean(axis=0)
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=0.01)
    skin = prototypes.get_prototype(Sex.MALE, 10).skin
    # Stored as whole numbers.
    assert np.abs(skin - skin[:, ::-1]).max() <= 3


def test_ages_beyond_the_last_are_the_last(prototypes: Prototypes) -> None:
    last = float(prototypes.ages[-1])
    np.testing.assert_array_equal(
        prototypes.get_prototype(Sex.MALE, 99).shape,
        prototypes.get_prototype(Sex.MALE, last).shape,
    )


def test_an_unknown_sex_is_the_middle_of_both(prototypes: Prototypes) -> None:
    both = [prototypes.get_prototype(s, 10).shape for s in (Sex.FEMALE, Sex.MALE)]
    np.testing.assert_allclose(
        prototypes.get_prototype(Sex.UNKNOWN, 10).shape, np.mean(both, axis=0), atol=1e-5
    )


@given(st.integers(0, 2**32 - 1))
def test_a_spline_keeps_what_is_straight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, places = rng.uniform(0, 100, (12, 2)), rng.uniform(0, 100, (7, 2))
    linear, shift = rng.normal(size=(2, 2)), rng.normal(size=2)
    moved = spline_operator(centres, places) @ (centres @ linear + shift)
    np.testing.assert_allclose(moved, places @ linear + shift, atol=1e-6)


def test_a_spline_goes_through_its_centres() -> None:
    rng = np.random.default_rng(1)
    centres, values = rng.uniform(0, 100, (12, 2)), rng.normal(size=(12, 2))
    np.testing.assert_allclose(spline_operator(centres, centres, 0) @ values, values, atol=1e-8)


def test_an_enlarged_grid_is_where_it_was() -> None:
    at = enlarged(grid(96, 24), 24, 96)
    across, down = np.meshgrid(np.arange(96), np.arange(96))
    inner = (slice(8, 88), slice(8, 88))
    np.testing.assert_allclose(at[..., 0][inner], across[inner], atol=0.01)
    np.testing.assert_allclose(at[..., 1][inner], down[inner], atol=0.01)


@settings(deadline=None)
@given(st.floats(-30, 30), st.floats(-25, 25))
def test_a_turned_mean_face_is_found_turned(yaw: float, pitch: float) -> None:
    shape = load_prototypes().get_prototype(Sex.MALE, 20).shape.astype(np.float64)
    y, p = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rotation = about_x @ about_y
    found = rotation_between(shape, shape @ rotation)
    np.testing.assert_allclose(found, rotation, atol=1e-6)
    measured = yaw_pitch_degrees(found)
    assert abs(abs(measured[0]) - abs(yaw)) < 1.0 + abs(pitch) * abs(yaw) / 60
    assert abs(abs(measured[1]) - abs(pitch)) < 1.0 + abs(pitch) * abs(yaw) / 60


def test_the_canvas_is_upright(photo: Photo, mesh: Mesh) -> None:
    canvas = canvas_of(photo.pixels, mesh)
    eyes = eye_centres(canvas.mesh)
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=0.5)
    assert normalised(canvas.mesh)[1] == pytest.approx(canvas.eye_distance_px)


def difference(a: Canvas, b: Canvas) -> float:
    return float(np.abs(a.pixels - b.pixels).mean())


def test_strength_nought_changes_nothing(photo: Photo, mesh: Mesh, prototypes: Prototypes) -> None:
    canvas = canvas_of(photo.pixels, mesh)
    same = Progression(prototypes).apply(canvas, Step(Sex.FEMALE, 8, 25), strength=0.0)
    # Colours go through another colour space and back.
    assert np.abs(same.pixels - canvas.pixels).max() < 3 / 255
    np.testing.assert_allclose(same.mesh, canvas.mesh)


def test_more_years_and_more_strength_change_more(
    photo: Photo, mesh: Mesh, prototypes: Prototypes
) -> None:
    canvas, progression = canvas_of(photo.pixels, mesh), Progression(prototypes)
    near = progression.apply(canvas, Step(Sex.FEMALE, 8, 10))
    far = progression.apply(canvas, Step(Sex.FEMALE, 8, 25))
    stronger = progression.apply(canvas, Step(Sex.FEMALE, 8, 25), strength=1.75)
    assert difference(canvas, near) < difference(canvas, far) < difference(canvas, stronger)
    # A child's face grows downward from the eyes.
    assert far.mesh[CHIN, 1] > canvas.mesh[CHIN, 1] + 0.03 * canvas.eye_distance_px


def test_what_surrounds_the_head_stays(photo: Photo, mesh: Mesh, prototypes: Prototypes) -> None:
    canvas = canvas_of(photo.pixels, mesh)
    moved = Progression(prototypes).apply(canvas, Step(Sex.FEMALE, 6, 30))
    rim = np.abs(moved.pixels - canvas.pixels)[:, :4]
    assert rim.mean() < 2 / 255


def test_previews_are_at_the_ages_that_lie_ahead(previews: Previews) -> None:
    assert [preview.age for preview in previews.previews] == [18, 25]
    for preview in previews.previews:
        assert preview.push in PUSHES
        assert preview.pixels.shape == previews.original.shape
        assert 0.3 < preview.similarity < 1


def test_previews_are_the_same_every_time(photo: Photo, view: FaceView, previews: Previews) -> None:
    again = AgeProgression().preview(photo.pixels, view.face.landmarks, Sex.FEMALE, 12, [18])
    np.testing.assert_array_equal(again.previews[0].pixels, previews.previews[0].pixels)


def test_doubts_are_named(photo: Photo, view: FaceView) -> None:
    made = AgeProgression().preview(photo.pixels, view.face.landmarks, Sex.FEMALE, 30, [45, 80])
    assert [preview.age for preview in made.previews] == [45]
    assert made.previews[0].doubts == ("preview_of_adult", "preview_far_age")
    small = AgeProgression().preview(photo.pixels, view.face.landmarks, Sex.MALE, 3, [10])
    assert small.previews[0].doubts == ("preview_of_toddler",)


def test_a_tiny_face_is_refused(photo: Photo, view: FaceView) -> None:
    step = int(view.face.inter_eye_px // 10)
    small = np.ascontiguousarray(photo.pixels[::step, ::step])
    with pytest.raises(InvalidInputError) as refused:
        AgeProgression().preview(
            small, (view.face.landmarks / step).astype(np.float32), Sex.FEMALE, 8, [18]
        )
    assert refused.value.code in {"preview_face_small", "preview_no_face"}


def test_marks_are_in_the_pixels(previews: Previews) -> None:
    pixels = previews.previews[0].pixels
    burned = marked(pixels)
    side = len(pixels)
    assert burned.shape[0] > side
    # Across the face too, not only below it.
    middle = (slice(side // 4, 3 * side // 4),) * 2
    touched = np.abs(burned[middle].astype(int) - pixels[middle]).max(axis=2) > 8
    assert touched.mean() > 0.03


def test_marks_are_in_the_file(previews: Previews) -> None:
    jpeg = encode_marked(previews.previews[0].pixels)
    assert is_marked(jpeg)
    with Image.open(BytesIO(jpeg)) as stored:
        assert "not a photograph" in str(stored.getexif()[0x010E])
        assert SOURCE_TYPE.encode() in stored.info["xmp"]
        assert MARK.encode() in stored.info["comment"]
    assert not is_marked(astronaut())


@given(st.integers(0, 2**32 - 1))
def test_lab_as_bytes_and_back(seed: int) -> None:
    stored = np.random.default_rng(seed).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    back = bytes_of_lab(lab_of_bytes(stored.astype(np.float32)))
    np.testing.assert_array_equal(back, stored)
