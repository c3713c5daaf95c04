"""Codes score as the arithmetic says, on vectors of either length."""

import numpy as np
import numpy.typing as npt
import pytest

from reunite.gallery.codes import (
    CODE_WORDS,
    FOUR_BIT,
    GROUP,
    ONE_BIT,
    CodeShape,
    Encoder,
    group_words,
    rotation,
    shape_for,
)
from reunite.gallery.errors import GallerySpaceError
from reunite.gallery.kernels import (
    FOUR_BIT_TAG,
    NO_LIMIT,
    ONE_BIT_TAG,
    count_bits,
    keep_best,
    products,
    scan,
)
from tests.contract.gallery_contract import unit_vectors


def distances_by_hand(
    codes: npt.NDArray[np.uint64], planes: npt.NDArray[np.uint64], shape: CodeShape
) -> npt.NDArray[np.int64]:
    """Weighted counts of differing bits, a word and a plane at a time."""
    total = np.zeros(len(codes), dtype=np.int64)
    words_a_bit = CODE_WORDS // shape.bits
    for word in range(CODE_WORDS):
        power = shape.bits - 1 - word // words_a_bit
        for plane in range(4):
            differing = codes[:, word] ^ planes[plane, word % words_a_bit]
            total += np.bitwise_count(differing).astype(np.int64) << (power + plane)
    return total


def scan_all(
    dim: int, n: int, keep: int, *, limit: int | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and distances that the scan kept, and all distances by hand."""
    encoder = Encoder(dim)
    shape = encoder.shape
    codes, _ = encoder.encode(unit_vectors(1, n, dim))
    planes = encoder.ask(unit_vectors(2, 1, dim)).planes
    counts = np.zeros(1, dtype=np.int64)
    found = np.empty((1, 2 * keep + 64), dtype=np.int32)
    rows = np.empty((1, 2 * keep + 64), dtype=np.int64)
    live = np.full(-(-n // 8), 255, dtype=np.uint8)
    live[-1] = 255 >> (-n % 8)
    scan(
        FOUR_BIT_TAG if shape is FOUR_BIT else ONE_BIT_TAG,
        group_words(codes[:, : shape.head_words]),
        group_words(codes[:, shape.head_words :]),
        shape.head_words,
        shape.tail_words,
        live,
        np.zeros(1, dtype=np.int64),
        np.array([-(-n // GROUP)], dtype=np.int64),
        0,
        planes,
        shape.rules,
        keep,
        counts,
        np.array([NO_LIMIT if limit is None else limit], dtype=np.int64),
        found,
        rows,
        np.zeros(shape.worst + 1, dtype=np.int32),
    )
    at = slice(0, int(counts[0]))
    by_hand = distances_by_hand(codes, planes[0], shape)
    return rows[0, at], found[0, at].astype(np.int64), by_hand


@pytest.mark.parametrize("dim", [24, 128, 300, 512])
def test_scan_scores_as_by_hand(dim: int) -> None:
    rows, found, by_hand = scan_all(dim, 1003, keep=2000)
    assert rows.tolist() == list(range(1003))
    assert found.tolist() == by_hand.tolist()


@pytest.mark.parametrize("dim", [128, 512])
def test_scan_keeps_nearly_all_of_the_nearest(dim: int) -> None:
    rows, found, by_hand = scan_all(dim, 40_000, keep=400)
    assert (by_hand[rows] == found).all()
    nearest = np.argsort(by_hand, kind="stable")
    kept = np.isin(nearest[:40], rows)
    assert kept.mean() >= 0.95
    assert np.isin(nearest[:400], rows).mean() > 0.75


def test_rotation_keeps_lengths_and_is_the_same_everywhere() -> None:
    for dims in (128, 512):
        matrix = rotation(dims).astype(np.float64)
        assert np.allclose(matrix @ matrix.T, np.eye(dims), atol=1e-6)
    # Exact multiples of a power of two divided once: no library's rounding enters.
    assert rotation(128)[0, :3].tolist() == pytest.approx(rotation(128)[0, :3].tolist(), abs=0)


@pytest.mark.parametrize("dim", [24, 128, 512])
def test_int8_rows_give_the_cosine(dim: int) -> None:
    rows, probes = unit_vectors(3, 500, dim), unit_vectors(4, 3, dim)
    encoder = Encoder(dim)
    _, coarse = encoder.encode(rows)
    query = encoder.ask(probes)
    for probe in range(3):
        out = np.empty(500, dtype=np.int32)
        products(coarse, np.arange(500), query.fine[probe], out)
        similarity = out * query.unit[probe]
        assert np.abs(similarity - rows @ probes[probe]).max() < 0.008


def test_one_hot_vectors_survive_the_rotation() -> None:
    rows = np.eye(128, dtype=np.float32)
    encoder = Encoder(128)
    _, coarse = encoder.encode(rows)
    query = encoder.ask(rows)
    out = np.empty(128, dtype=np.int32)
    products(coarse, np.arange(128), query.fine[7], out)
    assert int(np.argmax(out)) == 7


def test_shapes() -> None:
    assert shape_for(1) is FOUR_BIT
    assert shape_for(128) is FOUR_BIT
    assert shape_for(129) is ONE_BIT
    with pytest.raises(GallerySpaceError, match="gallery_dimension"):
        Encoder(513).require_shape()


def test_keep_best_breaks_ties_by_order() -> None:
    distances = np.array([5, 3, 5, 1, 5, 3], dtype=np.int32)
    rows = np.arange(6, dtype=np.int64)
    left, limit = keep_best(distances, rows, 6, 4, np.zeros(10, dtype=np.int32))
    assert (left, limit) == (4, 5)
    assert rows[:4].tolist() == [0, 1, 3, 5]


def test_count_bits() -> None:
    bits = np.random.default_rng(5).integers(0, 256, 64).astype(np.uint8)
    assert count_bits(bits) == np.unpackbits(bits).sum()
