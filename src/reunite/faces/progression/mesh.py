"""468 points on a face, by the face mesh network of MediaPipe."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from reunite.faces.alignment import Points
from reunite.faces.photo import Pixels
from reunite.faces.registry import FaceModelError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Mesh = npt.NDArray[np.float64]
"""Points as (x, y, depth) in pixels of the photo, float64 array of shape (468, 3).

Depth grows away from the camera and has the scale of x and y.
"""

MESH_POINTS: Final = 468
MODEL_FILE: Final = "face_mesh.onnx"
MODEL_SHA256: Final = "caf3771aa33a790af1df0de1d7cea86865b91835f2ea172243d720d0436ee87c"
INPUT_SIDE_PX: Final = 192
MIN_PRESENCE: Final = 0.0  # of the network's logit; negative means "no face here"

# Numbers of single points, in the viewer's order.
LEFT_EYE: Final = (33, 133)  # outer and inner corner
RIGHT_EYE: Final = (263, 362)
MOUTH_CORNERS: Final = (61, 291)
INNER_LIPS: Final = (13, 14)
CHIN: Final = 152
FACE_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# The square that the network looks at, in widths of what it finds (MediaPipe's own choice).
CROP_PER_EXTENT: Final = 1.5
# Before the first look only five points are known; the face is about this many times the
# distance from the eyes to the mouth.
EXTENT_PER_EYES_TO_MOUTH: Final = 2.1


@dataclass(frozen=True, slots=True)
class _Square:
    """Where to look: centre and side in pixels, and how far the face is turned clockwise."""

    centre: Float64
    side: float
    angle: float

    def to_crop(self) -> Float64:
        """The affine map from the photo to the network's input, of shape (2, 3)."""
        scale = INPUT_SIDE_PX / self.side
        cosine, sine = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        linear = np.array([[cosine, sine], [-sine, cosine]])
        shift = INPUT_SIDE_PX / 2 - linear @ self.centre
        return np.column_stack([linear, shift])


class FaceMesh:
    """The network on onnxruntime; safe to call from several threads."""

    def __init__(self, intra_op_threads: int = 1) -> None:
        data = files("reunite.faces.progression").joinpath(MODEL_FILE).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != MODEL_SHA256:
            raise FaceModelError(
                "model_digest_mismatch", model=MODEL_FILE, expected=MODEL_SHA256, got=digest
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = intra_op_threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def find_mesh(self, pixels: Pixels, landmarks: Points) -> Mesh | None:
        """The mesh of the face with these five landmarks; None where there is no face.

        Looks twice: the second look is cut out by what the first has found, which makes the
        result nearly independent of the detector's five points.
        """
        mesh = self._look(pixels, _square_of_landmarks(landmarks))
        if mesh is None:
            return None
        return self._look(pixels, _square_of_mesh(mesh))

    def _look(self, pixels: Pixels, square: _Square) -> Mesh | None:
        to_crop = square.to_crop()
        # Bilinear sampling skips pixels when a large face shrinks; a blur first does not.
        factor = square.side / INPUT_SIDE_PX
        if factor > 2:  # noqa: PLR2004
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 * factor), dtype=np.uint8)
        crop = cv2.warpAffine(
            pixels, to_crop, (INPUT_SIDE_PX, INPUT_SIDE_PX), flags=cv2.INTER_LINEAR
        )
        blob = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], dtype=np.float32) / 255
        points, presence = self._session.run(["points", "presence"], {self._input: blob})
        if float(np.asarray(presence).ravel()[0]) < MIN_PRESENCE:
            return None
        mesh = np.asarray(points, dtype=np.float64).reshape(MESH_POINTS, 3)
        back = cv2.invertAffineTransform(to_crop)
        mesh[:, :2] = mesh[:, :2] @ back[:, :2].T + back[:, 2]
        mesh[:, 2] *= factor
        return mesh


def _square_of_landmarks(landmarks: Points) -> _Square:
    points = landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across = points[1] - points[0]
    # In a profile the eyes nearly meet, in a shout the mouth drops: the longer of the two.
    extent = EXTENT_PER_EYES_TO_MOUTH * max(
        float(np.linalg.norm(mouth - eyes)), float(np.linalg.norm(across))
    )
    return _Square(
        centre=(0.45 * eyes + 0.55 * mouth),
        side=CROP_PER_EXTENT * extent,
        angle=float(np.arctan2(across[1], across[0])),
    )


def _square_of_mesh(mesh: Mesh) -> _Square:
    flat = mesh[:, :2]
    across = flat[list(RIGHT_EYE)].mean(axis=0) - flat[list(LEFT_EYE)].mean(axis=0)
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = flat @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    return _Square(
        centre=turn.T @ ((low + high) / 2),
        side=CROP_PER_EXTENT * float((high - low).max()),
        angle=angle,
    )


def eye_centres(mesh: Mesh) -> Mesh:
    """The middles of the viewer's left and right eye, each between its corners: (2, 3)."""
    return np.stack([mesh[list(LEFT_EYE)].mean(axis=0), mesh[list(RIGHT_EYE)].mean(axis=0)])
