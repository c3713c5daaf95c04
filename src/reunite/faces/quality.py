"""Decide whether a face is good enough to search with.

Accepts: a frontal face; a small, grey or soft one of twenty years ago with a warning.
Refuses: a face of a few pixels, one too blurred to tell anybody apart, a full profile.

Components follow ISO/IEC 29794-5 (face image quality): inter-eye distance, sharpness,
luminance mean and contrast, under- and over-exposure, head pose.  They are measured on the
aligned chip, at the scale that the embedder sees.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.alignment import Points
from reunite.faces.detection import DetectedFace
from reunite.faces.photo import Pixels

Grey = npt.NDArray[np.float32]

WEAK_POINTS = 50.0


class Verdict(StrEnum):
    """Whether to search with a face: gladly, with a warning, not at all."""

    GOOD = "good"
    WEAK = "weak"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Limits:
    """From what value on a component is faultless, a warning, a refusal.

    ``best`` may lie above or below ``unusable``: that says which way is better.
    """

    best: float
    weak: float
    unusable: float

    def points(self, value: float) -> float:
        """100 at ``best`` and beyond, 50 at ``weak``, 0 at ``unusable``; linear between."""
        sign = 1.0 if self.best > self.unusable else -1.0
        at = [sign * v for v in (self.unusable, self.weak, self.best)]
        return float(np.interp(sign * value, at, [0.0, 50.0, 100.0]))


# Calibrated by degrading 36 portraits and looking for the newer photograph of the same
# person among 75 people; in brackets the median similarity to it, 0.70 undegraded.
# Refused is what lies below about 0.5, warned of what lies below about 0.65.
INTER_EYE_PX: Final = Limits(best=90.0, weak=24.0, unusable=12.0)  # 24: .70, 12: .61, 8: .43
SHARPNESS: Final = Limits(best=50.0, weak=26.0, unusable=14.0)  # 26: .64, 15: .49, 13: .30
LUMINANCE: Final = Limits(best=100.0, weak=30.0, unusable=10.0)  # 41: .67, 20: .63, 9: .45
OVEREXPOSED: Final = Limits(best=0.0, weak=0.25, unusable=0.75)  # .26: .63, .72: .50, .80: .40
CONTRAST: Final = Limits(best=25.0, weak=8.0, unusable=3.0)  # 9: .66, 6: .59, 4: .41
# The portraits hold no profiles: these are judgement, to be measured when photos allow it.
YAW_DEGREES: Final = Limits(best=5.0, weak=35.0, unusable=65.0)
PITCH_DEGREES: Final = Limits(best=5.0, weak=35.0, unusable=60.0)
# Never refuses: the detector reports nothing below 0.7.
DETECTION_SCORE: Final = Limits(best=0.9, weak=0.8, unusable=0.6)

SATURATED = 250  # luminance at which paper or sensor keeps no detail

# The part of the chip that is face on nearly everybody: brows to chin, cheek to cheek.
FACE_ROWS: Final = slice(24, 108)
FACE_COLUMNS: Final = slice(20, 92)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good one face is, and why.

    ``reasons`` are codes, the gravest first: ``face_too_small``, ``face_blurred``,
    ``face_dark``, ``face_overexposed``, ``face_low_contrast``, ``face_profile``,
    ``face_tilted``, ``face_uncertain``; empty exactly when the verdict is good.
    ``score`` runs from 0 to 100 and orders faces of one person; it promises no accuracy.
    Luminance runs from 0 to 255, its standard deviation is the contrast; the overexposed
    share runs from 0 to 1.
    """

    inter_eye_px: float
    sharpness: float
    luminance_mean: float
    contrast: float
    overexposed_share: float
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    score: int
    verdict: Verdict
    reasons: tuple[str, ...]


def assess(face: DetectedFace, chip: Pixels) -> Quality:
    """The quality of ``face``, whose aligned chip is ``chip``.

    chip : uint8 array of shape (112, 112, 3), RGB
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)[FACE_ROWS, FACE_COLUMNS].astype(np.float32)
    sharpness = _sharpness(grey)
    mean, contrast = float(grey.mean()), float(grey.std())
    overexposed = float((grey >= SATURATED).mean())
    yaw, pitch, roll = head_pose(face.landmarks)
    points = {
        "face_too_small": INTER_EYE_PX.points(face.inter_eye_px),
        "face_blurred": SHARPNESS.points(sharpness),
        "face_profile": YAW_DEGREES.points(abs(yaw)),
        "face_dark": LUMINANCE.points(mean),
        "face_overexposed": OVEREXPOSED.points(overexposed),
        "face_low_contrast": CONTRAST.points(contrast),
        "face_tilted": PITCH_DEGREES.points(abs(pitch)),
        "face_uncertain": DETECTION_SCORE.points(face.score),
    }
    worst = min(points.values())
    return Quality(
        inter_eye_px=face.inter_eye_px,
        sharpness=sharpness,
        luminance_mean=mean,
        contrast=contrast,
        overexposed_share=overexposed,
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        score=round(worst),
        verdict=_verdict(worst),
        reasons=tuple(
            code for code, p in sorted(points.items(), key=lambda i: i[1]) if p < WEAK_POINTS
        ),
    )


def _verdict(worst_points: float) -> Verdict:
    if worst_points <= 0:
        return Verdict.UNUSABLE
    return Verdict.WEAK if worst_points < WEAK_POINTS else Verdict.GOOD


def _sharpness(grey: Grey) -> float:
    """Fine detail in per cent of coarse structure, each a band of the picture's scales.

    A quotient, so that neither a dark nor a flat picture counts as blurred; the finest
    scale is left out, for there noise and rounding look like detail.
    """
    first, second, third, fourth = (
        cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (0.7, 1.4, 2.8, 5.6)
    )
    fine = float(np.abs(first - second).mean())
    coarse = float(np.abs(third - fourth).mean())
    return 100.0 * fine / max(coarse, 0.3)


# A generic adult head in units of the inter-eye distance: x to the viewer's right, y down,
# z away from the camera.  In the plane these are the detector's mean landmarks on frontal
# portraits; the depths are those of an average skull.
_HEAD: Final[npt.NDArray[np.float64]] = np.array(
    [
        [-0.500, -0.513, 0.10],
        [0.500, -0.513, 0.10],
        [0.000, 0.069, -0.45],
        [-0.450, 0.480, 0.00],
        [0.450, 0.480, 0.00],
    ]
)


def head_pose(landmarks: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, estimated from five points.

    Positive yaw looks to the viewer's right, positive pitch down, positive roll is clockwise.
    Rough: a scaled orthographic camera and one head for everybody; good to tell a profile.
    """
    centred = landmarks.astype(np.float64) - landmarks.mean(axis=0, dtype=np.float64)
    model = _HEAD - _HEAD.mean(axis=0)
    rows, *_ = np.linalg.lstsq(model, centred, rcond=None)
    first, second = rows[:, 0], rows[:, 1]
    # The nearest pair of orthogonal rows of one length is a scaled rotation.
    u, _, vt = np.linalg.svd(np.stack([first, second]), full_matrices=False)
    right, down = u @ vt
    away = np.cross(right, down)
    # Turned about y, then nodded about x, then tilted about z; read off in reverse.
    yaw = np.degrees(np.arctan2(away[0], away[2]))
    pitch = np.degrees(np.arcsin(np.clip(away[1], -1, 1)))
    roll = np.degrees(np.arctan2(-right[1], down[1]))
    return float(yaw), float(pitch), float(roll)
