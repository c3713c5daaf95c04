"""One face made older: shape, what shape leaves over, skin, and fine detail."""

from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.photo import Pixels
from reunite.faces.progression.mesh import Mesh, eye_centres
from reunite.faces.progression.pose import normalised, rotation_between
from reunite.faces.progression.prototypes import (
    BAND_SIGMAS_PX,
    BANDS,
    EYE_DISTANCE_PX,
    SIDE_PX,
    STEPS,
    Prototype,
    Prototypes,
)
from reunite.faces.progression.warping import (
    enlarged,
    grid,
    looked_up,
    smoothstep,
    spline_operator,
)
from reunite.kernel.people import Sex

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

CANVAS_PER_EYES: Final = 4.6  # its side, in distances between the eyes
EYES_DOWN: Final = 0.42  # where their middle is, from above
PAPER: Final = (236, 236, 232)  # beyond the photo's edge
MIN_CANVAS_PX, MAX_CANVAS_PX = 256, 448
# Beyond this ring nothing moves: distances from the middle of the eyes, in distances between
# them, so that shoulders and background stay.
RING_SIDES, RING_ABOVE, RING_BELOW = 2.2, 1.9, 2.6
RING_POINTS: Final = 28
DETAIL_GAIN: Final = (0.7, 1.6)
# A mean face is the middle of many: going its way a little farther than the mean difference
# lands nearer to the age (measured, see docs/age-progression.md).
STRENGTH: Final = 1.25
# Wrinkles and blemishes of the mean make a face older by little and a stranger by much.
DETAIL_SHARE: Final = 0.5
# So does the flow, which also bends whatever lies behind the head.
FLOW_SHARE: Final = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Canvas:
    """The part of a photo that is shown, upright, with its mesh.

    pixels : float32 (side, side, 3), RGB from 0 to 1
    mesh : in pixels of the canvas
    eye_distance_px : in the canvas, in space
    source_eye_px : in the photo
    """

    pixels: Float32
    mesh: Mesh
    eye_distance_px: float
    source_eye_px: float

    @property
    def side(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, slots=True)
class Step:
    """From one age to another."""

    sex: Sex
    age_from: float
    age_to: float


def canvas_of(pixels: Pixels, mesh: Mesh) -> Canvas:
    """The surroundings of a face, turned upright.

    As large as the photo allows up to 448 pixels: nothing is gained by pixels that the photo
    does not have.
    """
    eyes = eye_centres(mesh)
    _, distance = normalised(mesh)
    side = int(np.clip(round(CANVAS_PER_EYES * distance), MIN_CANVAS_PX, MAX_CANVAS_PX))
    side -= side % 4
    scale = side / (CANVAS_PER_EYES * distance)
    across = eyes[1, :2] - eyes[0, :2]
    angle = np.arctan2(across[1], across[0])
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = eyes[:, :2].mean(axis=0)
    shift = np.array([0.5, EYES_DOWN]) * side - linear @ middle
    if scale < 0.5:  # noqa: PLR2004
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale), dtype=np.uint8)
    drawn = cv2.warpAffine(
        pixels,
        np.column_stack([linear, shift]),
        (side, side),
        flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=PAPER,
    )
    placed = mesh.copy()
    placed[:, :2] = mesh[:, :2] @ linear.T + shift
    placed[:, 2] *= scale
    return Canvas(
        pixels=np.asarray(np.asarray(drawn) / 255, dtype=np.float32),
        mesh=placed,
        eye_distance_px=distance * scale,
        source_eye_px=distance,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Change:
    """What separates two mean faces, in the frame that they share.

    flow : where to look in the younger face, minus the place, float32 (192, 192, 2)
    skin : Lab to add, float32 (192, 192, 3)
    detail : log gain of amplitude of each band, float32 (192, 192, 3)
    """

    flow: Float32
    skin: Float32
    detail: Float32


class Progression:
    """Moves faces along the mean faces; safe to call from several threads."""

    def __init__(self, prototypes: Prototypes) -> None:
        self.prototypes = prototypes
        self._lock = Lock()
        self._changes: dict[Step, _Change] = {}

    def apply(self, canvas: Canvas, step: Step, strength: float = STRENGTH) -> Canvas:
        """The canvas at another age, and where its mesh has gone.

        Deterministic.  ``strength`` 0 gives the canvas itself.
        """
        young = self.prototypes.get_prototype(step.sex, step.age_from)
        old = self.prototypes.get_prototype(step.sex, step.age_to)
        change = self._change(step, young, old)
        moved = self._moved_mesh(canvas, young, old, strength)
        side, control = canvas.side, self.prototypes.control
        places = grid(side, STEPS)
        # Shape: every new place looks back to where its pixel was.
        ring = _ring(canvas)
        centres = np.vstack([moved[control, :2], ring])
        back = np.zeros_like(centres)
        back[: len(control)] = (canvas.mesh - moved)[control, :2]
        stretch = spline_operator(centres, places) @ back
        shape_shift = enlarged(stretch * _near_head(canvas, places), STEPS, side)
        # The same place in the frame of the mean faces.
        in_frame = enlarged(
            spline_operator(moved[control, :2], places) @ self.prototypes.reference[control],
            STEPS,
            side,
        )
        # What shape left over: the flow between the means, seen in the photo's pose.
        to_canvas = enlarged(
            self.prototypes.frame_operator @ canvas.mesh[control, :2], STEPS, SIDE_PX
        )
        flowed = in_frame + FLOW_SHARE * strength * looked_up(change.flow, in_frame)
        flow_shift = looked_up(to_canvas, flowed) - looked_up(to_canvas, in_frame)
        across, down = np.meshgrid(np.arange(side), np.arange(side))
        here = np.stack([across, down], axis=2).astype(np.float32)
        inside = _inside_frame(in_frame)
        source = here + shape_shift + inside[..., None] * flow_shift
        warped = np.clip(looked_up(canvas.pixels, source, cv2.INTER_CUBIC), 0, 1)
        lab = np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGB2LAB), dtype=np.float32)
        lab = _with_detail(
            lab,
            inside[..., None] * looked_up(change.detail, in_frame) * DETAIL_SHARE * strength,
            canvas.eye_distance_px / EYE_DISTANCE_PX,
        )
        lab += strength * inside[..., None] * looked_up(change.skin, in_frame)
        lab[..., 0] = np.clip(lab[..., 0], 0, 100)
        pixels = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
        return replace(canvas, pixels=np.asarray(pixels, dtype=np.float32), mesh=moved)

    def _moved_mesh(
        self, canvas: Canvas, young: Prototype, old: Prototype, strength: float
    ) -> Mesh:
        normal, distance = normalised(canvas.mesh)
        rotation = rotation_between(young.shape.astype(np.float64), normal)
        growth = (old.shape - young.shape).astype(np.float64)
        return canvas.mesh + strength * distance * growth @ rotation

    def _change(self, step: Step, young: Prototype, old: Prototype) -> _Change:
        with self._lock:
            change = self._changes.get(step)
        if change is None:
            change = self._compare(young, old)
            with self._lock:
                if len(self._changes) > 64:  # noqa: PLR2004
                    self._changes.clear()
                self._changes[step] = change
        return change

    def _compare(self, young: Prototype, old: Prototype) -> _Change:
        before, after = (
            np.asarray(np.clip(face.skin[..., 0] * 2.55, 0, 255), dtype=np.uint8)
            for face in (young, old)
        )
        finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        nothing = np.zeros((SIDE_PX, SIDE_PX, 2), dtype=np.float32)
        raw = np.asarray(finder.calc(after, before, nothing), dtype=np.float32)
        flow = cv2.GaussianBlur(raw, (0, 0), 5.0) * self.prototypes.flow_mask[..., None]
        across, down = np.meshgrid(np.arange(SIDE_PX), np.arange(SIDE_PX))
        here = np.stack([across, down], axis=2).astype(np.float32)
        mask = self.prototypes.face_mask[..., None]
        skin = old.skin - looked_up(young.skin, here + flow)
        # Tone-kept: how light and what colour a photo is comes from its lamp and from the
        # person, and both stay.
        tone = (mask * skin).sum(axis=(0, 1)) / mask.sum()
        gain = cv2.resize(
            0.5 * (old.detail - young.detail), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR
        )
        return _Change(
            flow=np.asarray(flow, dtype=np.float32),
            skin=np.asarray(mask * (skin - tone), dtype=np.float32),
            detail=np.asarray(mask * gain, dtype=np.float32),
        )


def _ring(canvas: Canvas) -> Float64:
    """Places around the head that stay where they are."""
    middle = eye_centres(canvas.mesh)[:, :2].mean(axis=0)
    turns = np.linspace(0, 2 * np.pi, RING_POINTS, endpoint=False)
    down = np.where(np.sin(turns) > 0, RING_BELOW, RING_ABOVE)
    oval = np.column_stack([RING_SIDES * np.cos(turns), down * np.sin(turns)])
    return np.asarray(middle + canvas.eye_distance_px * oval, dtype=np.float64)


def _near_head(canvas: Canvas, places: Float64) -> Float64:
    """1 on the face, 0 on the ring and beyond, where a spline would go on and on."""
    middle = eye_centres(canvas.mesh)[:, :2].mean(axis=0)
    away = (places - middle) / canvas.eye_distance_px
    down = np.where(away[:, 1] > 0, RING_BELOW, RING_ABOVE)
    radius = np.hypot(away[:, 0] / RING_SIDES, away[:, 1] / down)
    return 1 - smoothstep(radius[:, None].astype(np.float32), 0.75, 1.0).astype(np.float64)


def _inside_frame(in_frame: Float32) -> Float32:
    """1 well inside the frame of the mean faces, 0 at its rim and beyond."""
    to_rim = np.minimum(in_frame, SIDE_PX - 1 - in_frame).min(axis=2)
    return smoothstep(to_rim, 0.0, 8.0)


def _with_detail(lab: Float32, log_gain: Float32, scale: float) -> Float32:
    """Fine structure of lightness made stronger or weaker, each band by its own map."""
    lightness = lab[..., 0]
    layers = [cv2.GaussianBlur(lightness, (0, 0), scale * sigma) for sigma in BAND_SIGMAS_PX]
    result = lightness.copy()
    for k in range(BANDS):
        gain = np.clip(np.exp(log_gain[..., k]), *DETAIL_GAIN)
        result += (gain - 1) * (layers[k] - layers[k + 1])
    out = lab.copy()
    out[..., 0] = result
    return out
