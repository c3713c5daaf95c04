"""Where a face looks: the rotation between it and a frontal one."""

import numpy as np
import numpy.typing as npt

from reunite.faces.progression.mesh import INNER_LIPS, MOUTH_CORNERS, Mesh, eye_centres

Float64 = npt.NDArray[np.float64]


def normalised(mesh: Mesh) -> tuple[Float64, float]:
    """``mesh`` with the middle of the eyes at 0 and their distance 1; and that distance.

    The distance is taken in space, so that a face turned aside is no smaller.
    """
    eyes = eye_centres(mesh)
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    return (mesh - eyes.mean(axis=0)) / distance, distance


def rotation_between(frontal: Float64, seen: Float64) -> Float64:
    """The rotation that takes ``frontal`` nearest to ``seen`` (Kabsch 1976).

    frontal, seen : (n, 3), both normalised
    Returns a float64 array of shape (3, 3) for row vectors: ``seen ~ frontal @ rotation``.
    """
    a = frontal - frontal.mean(axis=0)
    b = seen - seen.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    sign = np.sign(np.linalg.det(u @ vt))
    return np.asarray(u @ np.diag([1.0, 1.0, sign]) @ vt, dtype=np.float64)


def yaw_pitch_degrees(rotation: Float64) -> tuple[float, float]:
    """Yaw (positive to the viewer's right) and pitch (positive down) of ``rotation``."""
    ahead = -rotation[2]  # where a frontal face's -z axis, its gaze, points
    yaw = np.degrees(np.arctan2(ahead[0], -ahead[2]))
    pitch = np.degrees(np.arcsin(np.clip(ahead[1], -1, 1)))
    return float(yaw), float(pitch)


def expression(normal: Float64) -> tuple[float, float]:
    """How far the mouth is open and how wide, in distances between the eyes."""
    upper, lower = (normal[i] for i in INNER_LIPS)
    left, right = (normal[i] for i in MOUTH_CORNERS)
    return float(np.linalg.norm(lower - upper)), float(np.linalg.norm(right - left))
