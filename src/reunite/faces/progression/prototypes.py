"""Mean faces by sex and age: shape, skin, fine detail, and where their templates lie.

The means were fitted by ``python -m evals.aging.fit`` on photographs whose licence is
research, non-commercial, and inherit it; see docs/models-and-data.md.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from io import BytesIO
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.progression.mesh import FACE_OVAL
from reunite.faces.progression.warping import grid, spline_operator
from reunite.kernel.people import Sex

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

DATA_FILE: Final = "prototypes.npz"
SIDE_PX: Final = 192  # of the frame that all mean faces share
EYE_DISTANCE_PX: Final = 50.0  # in that frame
EYES_AT: Final = (95.5, 82.0)  # their middle, in that frame
BANDS: Final = 3
BAND_SIGMAS_PX: Final = (0.8, 1.6, 3.2, 6.4)  # in that frame
STEPS: Final = 48  # of the grid on which smooth maps are computed
SEXES: Final = (Sex.FEMALE, Sex.MALE)


@dataclass(frozen=True, eq=False, slots=True)
class Prototype:
    """The mean face of one sex at one age.

    shape : float32 (468, 3), frontal, in distances between the eyes, their middle at 0
    skin : float32 (192, 192, 3), CIE Lab, drawn in the reference shape
    detail : float32 (side, side, 3), log energy of three bands of lightness, fine to coarse
    template : float32 (dim,), mean of the embedder's templates, not normalised
    """

    shape: Float32
    skin: Float32
    detail: Float32
    template: Float32


@dataclass(frozen=True, eq=False)
class Prototypes:
    """All mean faces, interpolated between the ages at which they are known.

    ages : years, float32 (k,), rising
    shape, skin, detail, template : as in Prototype with two axes before: sex (female, male)
        and age
    control : numbers of the mesh points that carry maps of the plane, int (n,)
    reference : float64 (468, 2), the shape in which skin is drawn, in pixels of the frame
    embedder_digest : SHA-256 of the model whose templates were averaged
    """

    ages: Float32
    shape: Float32
    skin: npt.NDArray[np.uint8]
    detail: Float32
    template: Float32
    control: npt.NDArray[np.int64]
    reference: Float64
    embedder_digest: str
    digest: str

    def get_prototype(self, sex: Sex, age: float) -> Prototype:
        """The mean face at ``age`` years; of both sexes where it is unknown.

        Beyond the first and the last age that age's face.
        """
        rows = [SEXES.index(sex)] if sex in SEXES else [0, 1]
        place = float(np.interp(age, self.ages, np.arange(len(self.ages))))
        low = min(int(place), len(self.ages) - 2)
        share = place - low

        def between(values: npt.NDArray[np.generic]) -> Float32:
            pair = values[rows, low : low + 2].astype(np.float32).mean(axis=0)
            return np.asarray((1 - share) * pair[0] + share * pair[1], dtype=np.float32)

        return Prototype(
            shape=between(self.shape),
            skin=lab_of_bytes(between(self.skin)),
            detail=between(self.detail),
            template=between(self.template),
        )

    @cached_property
    def frame_operator(self) -> Float64:
        """From values at the control points of the reference to the frame's grid."""
        return spline_operator(self.reference[self.control], grid(SIDE_PX, STEPS))

    @cached_property
    def face_mask(self) -> Float32:
        """How much of each pixel of the frame is face: 1 inside, 0 well outside."""
        return soft_mask(self.reference, grow_px=2, soften_px=7)

    @cached_property
    def flow_mask(self) -> Float32:
        """A little wider than the face: its outline moves with it."""
        return soft_mask(self.reference, grow_px=3, soften_px=8)


def soft_mask(reference: Float64, *, grow_px: int, soften_px: float) -> Float32:
    """The face's oval in the frame, grown and with a soft edge: float32 (192, 192)."""
    mask = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    oval = np.round(reference[list(FACE_OVAL)]).astype(np.int32)
    cv2.fillPoly(mask, [oval], 1)
    size = 2 * grow_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown = cv2.dilate(mask, disc)
    soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), soften_px)
    return np.asarray(soft, dtype=np.float32)


def lab_of_bytes(values: Float32) -> Float32:
    """CIE Lab (lightness 0 to 100) of OpenCV's eight-bit Lab."""
    scale = np.array([100 / 255, 1, 1], dtype=np.float32)
    shift = np.array([0, -128, -128], dtype=np.float32)
    return np.asarray(values * scale + shift, dtype=np.float32)


def bytes_of_lab(values: Float32) -> npt.NDArray[np.uint8]:
    """OpenCV's eight-bit Lab of CIE Lab."""
    scale = np.array([255 / 100, 1, 1], dtype=np.float32)
    shift = np.array([0, 128, 128], dtype=np.float32)
    return np.clip(np.round(values * scale + shift), 0, 255).astype(np.uint8)


def load_prototypes() -> Prototypes:
    """The mean faces that Reunite carries."""
    data = files("reunite.faces.progression").joinpath(DATA_FILE).read_bytes()
    return read_prototypes(data)


def read_prototypes(data: bytes) -> Prototypes:
    """The mean faces in a file that ``evals.aging.fit`` wrote."""
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        return Prototypes(
            ages=stored["ages"].astype(np.float32),
            shape=stored["shape"].astype(np.float32),
            skin=stored["skin"],
            detail=stored["detail"].astype(np.float32),
            template=stored["template"].astype(np.float32),
            control=stored["control"].astype(np.int64),
            reference=stored["reference"].astype(np.float64),
            embedder_digest=str(stored["embedder_digest"]),
            digest=hashlib.sha256(data).hexdigest(),
        )
