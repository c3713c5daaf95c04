"""Templates: unit length, the same one by one, together and from several threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reunite.faces.embedding import Chips, Embedder, Float32
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import decode_photo
from reunite.faces.registry import (
    SFACE,
    ChannelOrder,
    FaceModel,
    FaceModelError,
    ModelKind,
    Preprocessing,
    load_registry,
)
from tests.photos import PACKAGED
from tests.unit.faces.networks import registry_file


@pytest.fixture(scope="module")
def sface() -> Embedder:
    return Embedder(SFACE)


@pytest.fixture(scope="module")
def chips(engine: FaceEngine) -> Chips:
    photos = [decode_photo(data()) for data in PACKAGED.values()]
    return np.stack([engine.detect(photo)[0].chip for photo in photos] * 3)[:5]


def tiny(folder: Path, **options: object) -> FaceModel:
    return load_registry(registry_file(folder, **options)).get_model("tiny", ModelKind.EMBEDDER)


def test_templates_have_the_declared_shape_and_unit_length(sface: Embedder, chips: Chips) -> None:
    vectors = sface.embed(chips)
    assert vectors.shape == (5, 128)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_batch_is_what_its_members_are(sface: Embedder, chips: Chips) -> None:
    one_by_one = np.concatenate([sface.embed(chip[None]) for chip in chips])
    np.testing.assert_allclose(sface.embed(chips), one_by_one, atol=1e-4)
    assert sface.embed(chips[:0]).shape == (0, 128)


def test_a_mirrored_face_has_the_same_template(sface: Embedder, chips: Chips) -> None:
    mirrored = sface.embed(chips[:2, :, ::-1])
    np.testing.assert_allclose(sface.embed(chips[:2]), mirrored, atol=1e-4)
    plain = Embedder(SFACE, mirror=False)
    assert np.abs(plain.embed(chips[:1]) - plain.embed(chips[:1, :, ::-1])).max() > 1e-3


def test_chips_of_another_size_are_a_programming_error(sface: Embedder) -> None:
    with pytest.raises(ValueError, match="shape"):
        sface.embed(np.zeros((1, 96, 96, 3), dtype=np.uint8))


@pytest.mark.parametrize("fixed_batch", [True, False])
def test_an_operators_network_is_used(tmp_path: Path, chips: Chips, *, fixed_batch: bool) -> None:
    embedder = Embedder(tiny(tmp_path, fixed_batch=fixed_batch))
    vectors = embedder.embed(chips)
    assert vectors.shape == (5, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-5)  # the same photo
    assert vectors[0] @ vectors[1] < 0.99


def test_preprocessing_is_followed(tmp_path: Path, chips: Chips) -> None:
    model = tiny(tmp_path)
    rgb = Embedder(model, mirror=False).embed(chips)
    bgr_model = replace(
        model, preprocessing=replace(model.preprocessing, channel_order=ChannelOrder.BGR)
    )
    bgr = Embedder(bgr_model, mirror=False).embed(np.ascontiguousarray(chips[..., ::-1]))
    np.testing.assert_allclose(rgb, bgr, atol=1e-5)
    other_mean = replace(model, preprocessing=Preprocessing(ChannelOrder.RGB, (0.0, 0.0, 0.0)))
    assert np.abs(Embedder(other_mean, mirror=False).embed(chips) - rgb).max() > 1e-3


def test_a_network_that_breaks_its_promise_is_not_believed(tmp_path: Path, chips: Chips) -> None:
    with pytest.raises(FaceModelError) as caught:
        Embedder(replace(tiny(tmp_path), dim=64)).embed(chips)
    assert caught.value.code == "model_output"


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    config = registry_file(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(b"\x00 not a network " * 50)
    model = load_registry(config).get_model("tiny", ModelKind.EMBEDDER)
    with pytest.raises(FaceModelError) as caught:
        Embedder(model)
    assert caught.value.code == "model_unreadable"


def test_several_threads_get_what_one_gets(engine: FaceEngine) -> None:
    photos = [decode_photo(data()) for data in PACKAGED.values()] * 4
    expected = [engine.template(engine.detect(photo)[0]).vector for photo in photos[:2]] * 4
    fresh = FaceEngine.from_registry(load_registry())  # loaded by whichever comes first

    def read(number: int) -> Float32:
        return fresh.template(fresh.detect(photos[number])[0]).vector

    with ThreadPoolExecutor(4) as pool:
        for vector, other in zip(pool.map(read, range(len(photos))), expected, strict=True):
            np.testing.assert_allclose(vector, other, atol=1e-5)
