"""Painted people and a reader that knows them: faces without models.

``paint_people`` makes a picture in which every person is a square of coloured cells; the
picture survives JPEG and scaling like a photograph does.  ``FakeFaceReader`` finds the
squares and gives each person a stable vector, a little different from photo to photo.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.alignment import ARCFACE_TEMPLATE
from reunite.faces.detection import DetectedFace
from reunite.faces.photo import Photo, Pixels, encode_jpeg
from reunite.faces.port import IDENTITY_ADAPTER, FaceView, Template, require_usable
from reunite.faces.quality import Quality, Verdict
from reunite.faces.registry import (
    CHIP_SIDE_PX,
    ChannelOrder,
    FaceModel,
    ModelFile,
    ModelKind,
    Preprocessing,
)

PANEL_SIDE_PX = 192
GRID = 6  # cells a side
TAG_BITS = 32
VARIANT_BITS = 16
VARIANT_SPREAD = 0.5  # similarity of two photos of one person: about 1 / (1 + 0.5 ** 2)
LOW, HIGH = 48, 208  # far enough apart for any JPEG

_MARK_ROW: Final = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
_VERDICTS: Final = (Verdict.GOOD, Verdict.WEAK, Verdict.UNUSABLE)
_REASONS: Final = {
    Verdict.GOOD: (),
    Verdict.WEAK: ("face_blurred",),
    Verdict.UNUSABLE: ("face_too_small",),
}


@dataclass(frozen=True, slots=True)
class PaintedPerson:
    """Who is in a painted picture.

    ``tag`` names the person, ``variant`` the photo; ``verdict`` is the quality that the
    reader will report.
    """

    tag: int
    variant: int = 0
    verdict: Verdict = Verdict.GOOD


def paint_people(*people: PaintedPerson) -> bytes:
    """A JPEG with these people side by side; without any, a plain grey picture."""
    if not people:
        grey = np.full((PANEL_SIDE_PX, PANEL_SIDE_PX, 3), 128, dtype=np.uint8)
        return encode_jpeg(grey)
    return encode_jpeg(np.concatenate([_paint(person) for person in people], axis=1), quality=95)


def paint_person(tag: int, variant: int = 0, verdict: Verdict = Verdict.GOOD) -> bytes:
    """A JPEG with one person."""
    return paint_people(PaintedPerson(tag, variant, verdict))


class FakeFaceReader:
    """A ``FaceReader`` of painted people; the same everywhere, with no file to load.

    Readers of two ``name``s disagree like two models do: other digests, other vectors.
    """

    def __init__(self, dim: int = 128, name: str = "fake") -> None:
        self._model = FaceModel(
            name=name,
            kind=ModelKind.EMBEDDER,
            file=ModelFile(path=name),
            sha256=hashlib.sha256(f"{name}:{dim}".encode()).hexdigest(),
            dim=dim,
            input_size_px=CHIP_SIDE_PX,
            preprocessing=Preprocessing(ChannelOrder.RGB),
            licence_package="Apache-2.0",
            licence_weights="none",
            source="computed",
        )

    @property
    def model(self) -> FaceModel:
        """A description in the place of a model."""
        return self._model

    @property
    def models(self) -> tuple[FaceModel, ...]:
        """Itself alone."""
        return (self._model,)

    @property
    def dim(self) -> int:
        """As asked for."""
        return self._model.dim

    @property
    def adapter_digest(self) -> str:
        """No adapter."""
        return IDENTITY_ADAPTER

    def detect(self, photo: Photo) -> tuple[FaceView, ...]:
        """The painted people from left to right."""
        height, width = photo.pixels.shape[:2]
        panels = max(1, round(width / height))
        views = []
        for number in range(panels):
            left, right = (round(width * n / panels) for n in (number, number + 1))
            chip = np.asarray(
                cv2.resize(
                    photo.pixels[:, left:right],
                    (CHIP_SIDE_PX, CHIP_SIDE_PX),
                    interpolation=cv2.INTER_AREA,
                ),
                dtype=np.uint8,
            )
            person = _read(chip)
            if person is not None:
                views.append(_view(person, chip, left, right - left))
        return tuple(views)

    def template(self, view: FaceView, age_years: float | None = None) -> Template:  # noqa: ARG002
        """The person's vector, at any age.

        Raises InvalidInputError for an unusable face, with the gravest reason as its code.
        """
        return self.templates_of([view])[0]

    def templates_of(self, views: Sequence[FaceView]) -> list[Template]:
        """The vectors of many faces, or of none when one is unusable."""
        for view in views:
            require_usable(view)
        return [
            Template(self.vector_of(view.chip), self._model.sha256, IDENTITY_ADAPTER, view.quality)
            for view in views
        ]

    def embed(self, chips: Pixels) -> tuple[npt.NDArray[np.float32], ...]:
        """The vectors of painted chips."""
        return (np.stack([self.vector_of(chip) for chip in chips]),)

    def vector_of(self, chip: Pixels) -> npt.NDArray[np.float32]:
        """The vector of a painted chip, float32 array of shape (dim,), L2-normalised."""
        person = _read(chip)
        if person is None:
            raise ValueError("not a painted person")
        vector = self._direction(f"person:{person.tag}") + VARIANT_SPREAD * self._direction(
            f"photo:{person.tag}:{person.variant}"
        )
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def _direction(self, name: str) -> npt.NDArray[np.float64]:
        seed = hashlib.sha256(f"{self._model.sha256}:{name}".encode()).digest()
        vector = np.random.default_rng(list(seed)).standard_normal(self._model.dim)
        unit: npt.NDArray[np.float64] = vector / np.linalg.norm(vector)
        return unit


def _bits(value: int, count: int) -> list[int]:
    if not 0 <= value < 2**count:
        raise ValueError(f"{value} does not fit into {count} bits")
    return [value >> n & 1 for n in range(count)]


def _number(bits: npt.NDArray[np.bool_]) -> int:
    return sum(1 << n for n, bit in enumerate(bits) if bit)


def _paint(person: PaintedPerson) -> Pixels:
    payload = [
        *_bits(person.tag, TAG_BITS),
        *_bits(person.variant, VARIANT_BITS),
        *_bits(_VERDICTS.index(person.verdict), 2),
    ]
    middle = np.zeros((GRID - 2) * GRID * 3, dtype=np.int64)
    middle[: len(payload)] = payload
    cells = np.concatenate([_MARK_ROW[None], middle.reshape(-1, GRID, 3), _MARK_ROW[None, ::-1]])
    side = PANEL_SIDE_PX // GRID
    painted = np.where(cells == 1, HIGH, LOW).astype(np.uint8)
    return np.repeat(np.repeat(painted, side, axis=0), side, axis=1)


def _read(chip: Pixels) -> PaintedPerson | None:
    """Who is painted in a chip, None where it is no painted person."""
    edges = np.linspace(0, CHIP_SIDE_PX, GRID + 1)
    centres = ((edges[:-1] + edges[1:]) / 2).astype(int)
    # The inner part of each cell: the rim has bled into its neighbours.
    soft = cv2.blur(chip, (5, 5))
    cells = soft[np.ix_(centres, centres)] > (LOW + HIGH) // 2
    if (cells[0] != (_MARK_ROW == 1)).any() or (cells[-1] != (_MARK_ROW[::-1] == 1)).any():
        return None
    payload = cells[1:-1].reshape(-1)
    verdict = _number(payload[TAG_BITS + VARIANT_BITS :][:2])
    if verdict >= len(_VERDICTS):
        return None
    return PaintedPerson(
        tag=_number(payload[:TAG_BITS]),
        variant=_number(payload[TAG_BITS:][:VARIANT_BITS]),
        verdict=_VERDICTS[verdict],
    )


def _view(person: PaintedPerson, chip: Pixels, left: int, side: int) -> FaceView:
    scale = side / CHIP_SIDE_PX
    landmarks = (ARCFACE_TEMPLATE * scale + np.array([left, 0])).astype(np.float32)
    face = DetectedFace((float(left), 0.0, float(side), float(side)), landmarks, 1.0)
    score = {Verdict.GOOD: 90, Verdict.WEAK: 30, Verdict.UNUSABLE: 0}[person.verdict]
    quality = Quality(
        inter_eye_px=face.inter_eye_px,
        sharpness=50.0,
        luminance_mean=128.0,
        contrast=40.0,
        overexposed_share=0.0,
        yaw_degrees=0.0,
        pitch_degrees=0.0,
        roll_degrees=0.0,
        score=score,
        verdict=person.verdict,
        reasons=_REASONS[person.verdict],
    )
    return FaceView(face, quality, chip)
