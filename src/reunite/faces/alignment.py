"""Turn a face upright and to size, as the embedders were trained to see it."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.photo import Pixels
from reunite.faces.registry import CHIP_SIDE_PX

Points = npt.NDArray[np.float32]
"""Positions in pixels as (x, y), float32 array of shape (n, 2)."""

# Where eyes, nose tip and mouth corners lie in the 112 x 112 chip of ArcFace (Deng et al.,
# CVPR 2019); in the viewer's order, left to right.
ARCFACE_TEMPLATE: Final[Points] = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)


def similarity_transform(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """Rotation, uniform scale and shift that take ``source`` nearest to ``target``.

    Least squares in closed form (Umeyama 1991), without reflection.

    source, target : float32 arrays of shape (n, 2), n at least 2
    Returns a float64 array of shape (2, 3).
    """
    a = source.astype(np.float64)
    b = target.astype(np.float64)
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    a -= mean_a
    b -= mean_b
    # In the plane a rotation with scale is one complex factor, found by projection.
    spread = max(float((a * a).sum()), 1e-12)
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    shift = mean_b - linear @ mean_a
    return np.column_stack([linear, shift])


def align(pixels: Pixels, landmarks: Points) -> Pixels:
    """The chip of one face; black where it reaches beyond the picture.

    landmarks : float32 array of shape (5, 2), viewer's left eye first
    Returns a uint8 array of shape (112, 112, 3), RGB.
    """
    transform = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 0.5:  # noqa: PLR2004
        # Bilinear sampling looks at four pixels; below half size it would skip the rest.
        factor = int(1 / scale)
        pixels, transform = _reduced_around(pixels, landmarks, transform, factor)
    chip = cv2.warpAffine(pixels, transform, (CHIP_SIDE_PX, CHIP_SIDE_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(chip, dtype=np.uint8)


def _reduced_around(
    pixels: Pixels,
    landmarks: Points,
    transform: npt.NDArray[np.float64],
    factor: int,
) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """The surroundings of the face at ``1 / factor`` of the size, with a transform to match."""
    height, width = pixels.shape[:2]
    margin = 2.5 * float(np.ptp(landmarks, axis=0).max())
    left, top = (max(0, int(v)) for v in landmarks.min(axis=0) - margin)
    right = min(width, int(landmarks[:, 0].max() + margin))
    bottom = min(height, int(landmarks[:, 1].max() + margin))
    size = (max(1, (right - left) // factor), max(1, (bottom - top) // factor))
    small = cv2.resize(pixels[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    # Pixel centres: x = (x' + .5) * step - .5 + left.
    step_x, step_y = (right - left) / size[0], (bottom - top) / size[1]
    back = np.array(
        [
            [step_x, 0, 0.5 * step_x - 0.5 + left],
            [0, step_y, 0.5 * step_y - 0.5 + top],
            [0, 0, 1],
        ]
    )
    return np.asarray(small, dtype=np.uint8), transform @ back
