"""From a template to its 64-byte code and its int8 row, and from a probe to a query.

Every template is turned by one fixed rotation, after which its coordinates look like
draws from a normal distribution whatever the model; then they can be cut alike.  512
dimensions keep one bit each, 128 keep four: 64 bytes either way.  With a bit ``x`` read as
-1 or +1, and a four-bit number as the sum of its bits weighted 8, 4, 2, 1, the product of
two such numbers is a weighted sum over pairs of bits, and a sum of products over the
dimensions is a constant minus weighted counts of differing bits.  So XOR and popcount score
a code against a four-bit query, and no correction per row is needed.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.gallery.errors import GallerySpaceError
from reunite.gallery.port import Float32

UInt64 = npt.NDArray[np.uint64]
Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]

CODE_BYTES = 64
CODE_WORDS = 8
QUERY_BITS = 4
GROUP = 8  # rows whose words lie side by side, one vector register of 64 bytes

# The step of a uniform 16-level quantiser with the least error on a normal distribution
# of unit deviation (Max 1960, table of uniform quantisers).
_FOUR_BIT_STEP = 0.3352
_LEVELS = 16
# A rotated coordinate beyond so many deviations is cut; fewer than one in ten million is.
_INT8_REACH = 5.5
_INT8_TOP = 127
# 14 bits, so that a row of int8 times the probe stays inside int32 (Cauchy-Schwarz).
_INT16_TOP = 8191
_ROTATION_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """A score from a code's weightiest bits, and how far it may be trusted.

    unit : weight of its least pair of bits, in units of the full distance
    gap : by how much its constant falls short of the full one, halved
    slack : how much farther than the limit it may find a row that is still looked at again
    """

    unit: int
    gap: int
    slack: int


@dataclass(frozen=True, slots=True)
class CodeShape:
    """How the 512 bits of a code are used.

    dims : rotated coordinates kept
    bits : bits per coordinate
    head_words : words of a code that the first look reads; the others lie apart
    worst : the largest distance possible
    """

    dims: int
    bits: int
    head_words: int
    first: Look
    second: Look
    worst: int

    @property
    def tail_words(self) -> int:
        """Words that are read for the few rows that pass the first look."""
        return CODE_WORDS - self.head_words

    @property
    def rules(self) -> npt.NDArray[np.int64]:
        """Unit, and gap less slack, of the first two looks."""
        looks = (self.first, self.second)
        return np.array([(one.unit, one.gap - one.slack) for one in looks], dtype=np.int64)


# Every row is looked at; a row is looked at again while it may be among the nearest.
# The first look takes the two weightiest bits of the query, and of four-bit codes only the
# sign, 16 bytes a face; the second, for four-bit codes, two bits against three.  For
# normally distributed coordinates these scores correlate with the full one at .93 (one
# bit), .76 and .92 (four bits), at a slope of 1.  Without slack, half of the rows that are
# just good enough to be kept are lost, and of those as good as the fiftieth best about one
# in thirty by four bits: so many more are kept than anybody asks for.  Slack of 100 and 130
# brought one in two hundred of these back, none of the mates, and took half as long again.
# One-bit codes are read whole anyway; their 30 lose nothing that 60 found of the first fifty.
ONE_BIT = CodeShape(512, 1, 8, Look(4, 768, 30), Look(4, 768, 30), 512 * 15)
FOUR_BIT = CodeShape(128, 4, 2, Look(32, 8256, 0), Look(8, 3648, 0), 128 * 225)


def shape_for(dim: int) -> CodeShape:
    """The code of templates of ``dim`` numbers.

    Raises GallerySpaceError beyond 512 dimensions.
    """
    if 1 <= dim <= FOUR_BIT.dims:
        return FOUR_BIT
    if dim <= ONE_BIT.dims:
        return ONE_BIT
    raise GallerySpaceError("gallery_dimension", maximum=ONE_BIT.dims, got=dim)


@cache
def rotation(dims: int) -> Float32:
    """A fixed orthogonal matrix of shape (dims, dims), the same on every machine.

    A product of Hadamard matrices and sign changes from SHA-256: whole numbers until the
    last division, so that no library's rounding enters.
    """
    hadamard: npt.NDArray[np.int64] = np.ones((1, 1), dtype=np.int64)
    while len(hadamard) < dims:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    matrix = np.eye(dims, dtype=np.int64)
    for turn in range(_ROTATION_ROUNDS):
        digest = b"".join(
            hashlib.sha256(f"rotation {dims} {turn} {part}".encode()).digest()
            for part in range(-(-dims // 256))
        )
        bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))[:dims].astype(np.int64)
        matrix = hadamard @ ((2 * bits - 1)[:, None] * matrix)
    turned: Float32 = (matrix / float(dims) ** (_ROTATION_ROUNDS / 2)).astype(np.float32)
    return turned


@dataclass(frozen=True, slots=True)
class Query:
    """Probes made ready for the scan.

    planes : uint64 array of shape (n_probes, QUERY_BITS, CODE_WORDS), least bit first
    fine : int16 array of shape (n_probes, dims), for the int8 rows
    unit : float64 array of shape (n_probes,): cosine per unit of the integer product
    """

    planes: UInt64
    fine: Int16
    unit: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Makes codes and queries for templates of ``dim`` numbers."""

    dim: int

    @property
    def shape(self) -> CodeShape:
        """How the codes are laid out."""
        return shape_for(self.dim)

    def require_shape(self) -> None:
        """Raise GallerySpaceError if no code fits."""
        shape_for(self.dim)

    def encode(self, vectors: Float32) -> tuple[UInt64, Int8]:
        """Codes, uint64 of shape (n, CODE_WORDS), and rows, int8 of shape (n, dims)."""
        turned = self._turn(vectors)
        rows = np.rint(turned * np.float32(1 / self._int8_unit))
        np.clip(rows, -_INT8_TOP, _INT8_TOP, out=rows)
        if self.shape.bits == 1:
            codes = _pack(turned > 0)
        else:
            levels = _four_bits(turned)
            # The weightiest bits first: the first look reads only the front words.
            codes = np.concatenate([_pack((levels >> bit) & 1) for bit in (3, 2, 1, 0)], axis=1)
        return codes, rows.astype(np.int8)

    def ask(self, vectors: Float32) -> Query:
        """Probes of shape (n, dim) as queries."""
        turned = self._turn(vectors)
        levels = _four_bits(turned)
        n = len(vectors)
        planes = np.zeros((n, QUERY_BITS, CODE_WORDS), dtype=np.uint64)
        for bit in range(QUERY_BITS):
            words = _pack((levels >> bit) & 1)
            planes[:, bit, : words.shape[1]] = words
        scale = _INT16_TOP / np.abs(turned).max(axis=1, initial=1e-9).astype(np.float64)
        fine = np.rint(turned * scale[:, None]).astype(np.int16)
        return Query(planes, fine, self._int8_unit / scale)

    @property
    def _int8_unit(self) -> float:
        # A short vector that was padded may put everything on one coordinate.
        reach = min(1.0, _INT8_REACH / float(np.sqrt(self.shape.dims)))
        return reach / _INT8_TOP

    def _turn(self, vectors: Float32) -> Float32:
        turned: Float32 = vectors @ rotation(self.shape.dims)[: self.dim]
        return turned


def _four_bits(turned: Float32) -> npt.NDArray[np.uint8]:
    step = np.float32(_FOUR_BIT_STEP / np.sqrt(turned.shape[1]))
    levels = np.floor(turned * (1 / step)) + _LEVELS // 2
    np.clip(levels, 0, _LEVELS - 1, out=levels)
    small: npt.NDArray[np.uint8] = levels.astype(np.uint8)
    return small


def _pack(bits: npt.NDArray[Any]) -> UInt64:
    packed = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def group_words(words: UInt64) -> UInt64:
    """Words of rows, word-major in groups of eight rows; missing rows are zero.

    words : uint64 array of shape (n, n_words)
    Returns a flat uint64 array of ceil(n / GROUP) * n_words * GROUP elements.
    """
    n, n_words = words.shape
    groups = -(-n // GROUP)
    if n < groups * GROUP:
        padded = np.zeros((groups * GROUP, n_words), dtype=np.uint64)
        padded[:n] = words
        words = padded
    by_group = words.reshape(groups, GROUP, n_words).transpose(0, 2, 1)
    return np.ascontiguousarray(by_group).reshape(-1)
