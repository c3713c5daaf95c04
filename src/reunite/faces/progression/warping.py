"""Smooth maps of the plane that take given points to given places, and pixels moved by them."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Of the squared radius of the centres; a little slack, so that two points that nearly meet
# (lips) cannot fold the plane.
SLACK: Final = 1e-3


def spline_operator(centres: Float64, queries: Float64, slack: float = SLACK) -> Float64:
    """The matrix that turns values at ``centres`` into values at ``queries``.

    A thin-plate spline (Bookstein 1989) is linear in its values, so one matrix serves every
    value that is known at the same centres.

    centres : float64 array of shape (n, 2), n at least 3, not on one line
    queries : float64 array of shape (m, 2)
    Returns a float64 array of shape (m, n).
    """
    middle = centres.mean(axis=0)
    radius = float(np.sqrt(((centres - middle) ** 2).sum(axis=1).mean()))
    near, far = (centres - middle) / radius, (queries - middle) / radius
    count = len(near)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(near, near)
    system[np.arange(count), np.arange(count)] += slack
    system[:count, count:] = _plane(near)
    system[count:, :count] = _plane(near).T
    weights = np.linalg.solve(system, np.eye(count + 3)[:, :count])
    return np.hstack([_kernel(far, near), _plane(far)]) @ weights


def _kernel(a: Float64, b: Float64) -> Float64:
    squared = (a[:, None, 0] - b[None, :, 0]) ** 2 + (a[:, None, 1] - b[None, :, 1]) ** 2
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)), dtype=np.float64)


def _plane(points: Float64) -> Float64:
    return np.column_stack([np.ones(len(points)), points])


def grid(side: int, steps: int) -> Float64:
    """``steps`` x ``steps`` places spread over a square picture, in rows.

    They are the pixel centres of the same picture at ``steps`` pixels, so that ``enlarged``
    puts every value back where it belongs.  Returns a float64 array (steps * steps, 2).
    """
    at = (np.arange(steps) + 0.5) * side / steps - 0.5
    across, down = np.meshgrid(at, at)
    return np.column_stack([across.ravel(), down.ravel()])


def enlarged(values: Float64, steps: int, side: int) -> Float32:
    """Values on ``grid(side, steps)`` made a map with a value a pixel: (side, side, channels)."""
    small = values.reshape(steps, steps, -1).astype(np.float32)
    # Linear, which alone keeps straight what is straight.
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32).reshape(side, side, -1)


def looked_up(picture: Float32, at: Float32, interpolation: int = cv2.INTER_LINEAR) -> Float32:
    """``picture`` read at the places ``at`` (x, y); its edge goes on beyond it.

    picture : float32 array of shape (height, width) or (height, width, channels)
    at : float32 array of shape (rows, columns, 2)
    """
    read = cv2.remap(
        picture, at[..., 0], at[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(read, dtype=np.float32)


def smoothstep(values: Float32, low: float, high: float) -> Float32:
    """0 up to ``low``, 1 from ``high`` on, and no edge in between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
