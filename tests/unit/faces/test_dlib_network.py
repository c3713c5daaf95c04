"""dlib's file becomes a network that tells people apart."""

import numpy as np
import pytest

from reunite.faces.dlib_network import build_network, read_tensors
from reunite.faces.embedding import Embedder
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import decode_photo
from reunite.faces.registry import DLIB_RESNET, FaceModelError
from tests.photos import astronaut, derived, grace_hopper


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(DLIB_RESNET)


def test_every_layer_is_found_in_the_order_of_the_network() -> None:
    sizes = [len(tensor) for tensor in read_tensors(DLIB_RESNET.read())]
    # 29 convolutions, each followed by its scaling, and the last matrix.
    assert len(sizes) == 2 * 29 + 1
    assert sizes[:4] == [7 * 7 * 3 * 32 + 32, 64, 3 * 3 * 32 * 32 + 32, 64]
    assert sizes[-1] == 256 * 128


def test_one_person_is_nearer_than_another(embedder: Embedder, engine: FaceEngine) -> None:
    chips = np.stack(
        [
            engine.detect(decode_photo(photo))[0].chip
            for photo in (grace_hopper(), derived(grace_hopper()), astronaut())
        ]
    )
    person, same, other = embedder.embed(chips)
    assert person @ same > 0.97
    assert person @ same > person @ other + 0.05


def test_a_batch_gives_what_each_face_gives(embedder: Embedder) -> None:
    chips = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    together = embedder.embed(chips)
    alone = np.concatenate([embedder.embed(chip[None]) for chip in chips])
    np.testing.assert_allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("kept", [0, 100_000, 22_000_000])
def test_half_a_file_is_refused(kept: int) -> None:
    with pytest.raises(FaceModelError) as caught:
        build_network(DLIB_RESNET.read()[:kept], DLIB_RESNET)
    assert caught.value.code == "model_unreadable"
