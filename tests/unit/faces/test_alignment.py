"""A face arrives in the chip the same, wherever and however it lies in the photo."""

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.faces.alignment import ARCFACE_TEMPLATE, align, similarity_transform

Floats = npt.NDArray[np.floating]

ANGLE = st.floats(-3.1, 3.1)
SCALE = st.floats(0.2, 8)
SHIFT = st.floats(-500, 500)


def placed(angle: float, scale: float, dx: float, dy: float) -> Floats:
    """A transform from the chip into a photo."""
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, dx], [s, c, dy]])


def moved(points: Floats, transform: Floats) -> Floats:
    return np.asarray(points @ transform[:, :2].T + transform[:, 2])


@settings(max_examples=50)
@given(ANGLE, SCALE, SHIFT, SHIFT)
def test_the_transform_undoes_any_similarity(
    angle: float, scale: float, dx: float, dy: float
) -> None:
    photo_points = moved(ARCFACE_TEMPLATE, placed(angle, scale, dx, dy)).astype(np.float32)
    back = similarity_transform(photo_points, ARCFACE_TEMPLATE)
    np.testing.assert_allclose(moved(photo_points, back), ARCFACE_TEMPLATE, atol=0.05)


@settings(max_examples=50)
@given(st.lists(st.tuples(SHIFT, SHIFT), min_size=5, max_size=5, unique=True))
def test_the_transform_never_mirrors_or_shears(points: list[tuple[float, float]]) -> None:
    linear = similarity_transform(np.array(points, np.float32), ARCFACE_TEMPLATE)[:, :2]
    np.testing.assert_allclose(linear[0], [linear[1, 1], -linear[1, 0]], atol=1e-9)
    assert np.linalg.det(linear) >= 0


def test_landmarks_on_one_point_do_not_divide_by_zero() -> None:
    transform = similarity_transform(np.full((5, 2), 7, np.float32), ARCFACE_TEMPLATE)
    assert np.isfinite(transform).all()


def test_chips_of_turned_and_scaled_pictures_agree() -> None:
    rng = np.random.default_rng(3)
    pattern = cv2.resize(
        rng.integers(0, 256, (14, 14, 3), dtype=np.uint8), (112, 112), interpolation=cv2.INTER_CUBIC
    )
    for angle, scale in ((0.0, 1.0), (0.4, 2.0), (-2.0, 1.5), (1.57, 5.0), (0.1, 7.5)):
        half = 56 * scale * 1.5
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        centre = np.array([[c, -s], [s, c]]) @ np.array([56.0, 56.0])
        transform = placed(angle, scale, half - centre[0], half - centre[1])
        side = int(2 * half)
        photo = np.asarray(
            cv2.warpAffine(pattern, transform, (side, side), flags=cv2.INTER_CUBIC), np.uint8
        )
        chip = align(photo, moved(ARCFACE_TEMPLATE, transform).astype(np.float32))
        inner = (slice(20, 92), slice(20, 92))
        difference = np.abs(chip[inner].astype(int) - pattern[inner])
        assert difference.mean() < 8, (angle, scale)


def test_a_face_at_the_rim_still_gives_a_whole_chip() -> None:
    photo = np.full((60, 60, 3), 200, dtype=np.uint8)
    for offset in (-30, 0, 30):
        chip = align(photo, (ARCFACE_TEMPLATE * 0.5 + offset).astype(np.float32))
        assert chip.shape == (112, 112, 3)
        assert chip.dtype == np.uint8


def test_large_faces_are_averaged_not_sampled() -> None:
    """A fine checkerboard has no detail left at chip size: grey, without moiré."""
    board = np.indices((2000, 2000)).sum(axis=0) % 2 * 255
    photo = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    chip = align(photo, (ARCFACE_TEMPLATE * 15).astype(np.float32))
    assert chip[20:90, 20:90].std() < 6
