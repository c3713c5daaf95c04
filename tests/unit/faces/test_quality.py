"""A poor photograph of long ago is searched with; one that tells nobody apart is not."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from reunite.faces.detection import DetectedFace
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import Photo, decode_photo
from reunite.faces.port import require_faces, require_usable
from reunite.faces.quality import _HEAD, INTER_EYE_PX, Quality, Verdict, assess, head_pose
from reunite.kernel.errors import InvalidInputError
from tests.photos import distractors, grace_hopper, pairs, special


def quality_of(engine: FaceEngine, photo: Photo) -> Quality:
    return require_faces(engine, photo)[0].quality


def changed(change: object) -> Photo:
    image = Image.open(BytesIO(grace_hopper())).convert("RGB")
    assert callable(change)
    return Photo(np.asarray(change(image)))


def test_no_portrait_is_refused(engine: FaceEngine) -> None:
    data = [d for pair in pairs() for d in (pair.older, pair.newer)] + list(distractors())
    verdicts = [quality_of(engine, decode_photo(d)).verdict for d in data]
    assert Verdict.UNUSABLE not in verdicts
    assert verdicts.count(Verdict.GOOD) >= 0.75 * len(verdicts)


def test_a_face_of_a_few_pixels_is_refused(engine: FaceEngine) -> None:
    view = require_faces(engine, decode_photo(special("tiny-face")))[0]
    assert view.quality.verdict is Verdict.UNUSABLE
    with pytest.raises(InvalidInputError) as caught:
        engine.template(view)
    assert caught.value.code == "face_too_small"
    assert view.quality.inter_eye_px < INTER_EYE_PX.unusable
    assert caught.value.details["reasons"] == view.quality.reasons


def test_a_blurred_face_is_not_good(engine: FaceEngine) -> None:
    quality = quality_of(engine, decode_photo(special("blurred-face")))
    assert quality.verdict is not Verdict.GOOD
    assert "face_blurred" in quality.reasons


def test_a_face_twenty_pixels_wide_is_refused(engine: FaceEngine) -> None:
    image = Image.open(BytesIO(grace_hopper())).convert("RGB")
    (plain,) = engine.detect(Photo(np.asarray(image)))
    factor = 20 / plain.face.box[2]
    small = image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.BOX
    )
    paper = Image.new("RGB", (400, 300), (120, 120, 120))
    paper.paste(small, (150, 100))
    view = require_faces(engine, Photo(np.asarray(paper)))[0]
    with pytest.raises(InvalidInputError) as caught:
        require_usable(view)
    assert caught.value.code == "face_too_small"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda i: i.filter(ImageFilter.GaussianBlur(7)), "face_blurred"),
        (lambda i: ImageEnhance.Brightness(i).enhance(0.14), "face_dark"),
        (lambda i: ImageEnhance.Brightness(i).enhance(2.2), "face_overexposed"),
        (
            lambda i: i.point([int(128 + (v - 128) * 0.15) for v in range(256)] * 3),
            "face_low_contrast",
        ),
        (lambda i: i.resize((i.width // 5, i.height // 5)), "face_too_small"),
    ],
    ids=["blurred", "dark", "overexposed", "flat", "small"],
)
def test_each_fault_is_named(engine: FaceEngine, change: object, reason: str) -> None:
    quality = quality_of(engine, changed(change))
    assert reason in quality.reasons
    assert quality.verdict is not Verdict.GOOD


@pytest.mark.parametrize(
    "change",
    [
        lambda i: i.convert("L").convert("RGB"),
        lambda i: ImageEnhance.Brightness(i).enhance(0.5),
        lambda i: i.filter(ImageFilter.GaussianBlur(3)),
        lambda i: i.resize((i.width // 5, i.height // 5)),
    ],
    ids=["grey", "dim", "soft", "small"],
)
def test_an_old_photograph_may_be_searched_with(engine: FaceEngine, change: object) -> None:
    assert quality_of(engine, changed(change)).verdict is not Verdict.UNUSABLE


def test_a_sharper_face_scores_higher(engine: FaceEngine) -> None:
    blurred = [
        quality_of(engine, changed(lambda i, r=radius: i.filter(ImageFilter.GaussianBlur(r))))
        for radius in (0, 2, 4, 6, 8)
    ]
    sharpness = [quality.sharpness for quality in blurred]
    assert sharpness == sorted(sharpness, reverse=True)
    scores = [quality.score for quality in blurred]
    assert scores == sorted(scores, reverse=True)


def test_a_good_face_has_no_reasons_and_another_has_some(engine: FaceEngine) -> None:
    for data in (grace_hopper(), special("tiny-face"), special("blurred-face")):
        quality = quality_of(engine, decode_photo(data))
        assert (quality.verdict is Verdict.GOOD) == (not quality.reasons)
        assert 0 <= quality.score <= 100


def test_an_empty_chip_is_unusable() -> None:
    landmarks = np.array([[40, 50], [70, 50], [55, 70], [42, 90], [68, 90]], dtype=np.float32)
    for tone in (0, 128, 255):
        chip = np.full((112, 112, 3), tone, dtype=np.uint8)
        quality = assess(DetectedFace((0, 0, 112, 112), landmarks, 0.9), chip)
        assert quality.verdict is Verdict.UNUSABLE
        assert np.isfinite(quality.sharpness)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (30, 0, 0), (-50, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 40), (20, 10, -15)],
)
def test_the_pose_of_the_model_head_is_recovered(yaw: float, pitch: float, roll: float) -> None:
    y, p, r = np.radians([yaw, pitch, roll])
    # x to the viewer's right, y down, z away: looking right moves the nose (z < 0) right.
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    points = (_HEAD @ (tilt @ nod @ turn).T)[:, :2] * 60 + 200
    assert head_pose(points.astype(np.float32)) == pytest.approx((yaw, pitch, roll), abs=0.5)


def test_a_profile_is_warned_of_and_a_full_one_refused() -> None:
    rng = np.random.default_rng(0)
    chip = rng.integers(60, 200, (112, 112, 3), dtype=np.uint8)
    for yaw, verdict in ((45, Verdict.WEAK), (-75, Verdict.UNUSABLE)):
        y = np.radians(yaw)
        turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
        points = ((_HEAD @ turn.T)[:, :2] * 150 + 300).astype(np.float32)
        quality = assess(DetectedFace((0, 0, 200, 200), points, 0.95), chip)
        assert "face_profile" in quality.reasons
        # Eyes come near one another in a profile, so the size may be named beside it.
        assert quality.verdict is verdict
