"""Find the faces in a photo: boxes and five landmarks, by YuNet."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.alignment import Points
from reunite.faces.onnx_graphs import free_axes, open_session, parse_model
from reunite.faces.photo import Pixels
from reunite.faces.registry import FaceModel

Float32 = npt.NDArray[np.float32]

STRIDES: Final = (8, 16, 32)
MIN_SCORE = 0.7
# Upright portraits have at least 0.90; a face upside down, its eyes taken for the mouth,
# up to 0.85, which is why less than this calls for a look at the turned photo.
SURE_SCORE = 0.88
TURNED_HANDICAP = 0.03  # photos are upright more often than not
MAX_OVERLAP = 0.3  # intersection over union above which two boxes are one face
MAX_FACES = 64
FIRST_SIDE_PX = 640  # what the network was trained at
# Only where nothing was found: finer for small faces in large photos, coarser for a face
# that fills the frame, twice the size for small files.
FURTHER_SIDES_PX: Final = (1280, 320)
PAD_TO_PX = 32  # the coarsest stride must divide the input


@dataclass(frozen=True, eq=False, slots=True)
class DetectedFace:
    """One face, in pixels of the photo that it was found in.

    box : left, top, width, height; may reach beyond the photo
    landmarks : float32 array of shape (5, 2): viewer's left eye, right eye, nose tip,
        left and right corner of the mouth
    score : the detector's confidence, 0 to 1
    """

    box: tuple[float, float, float, float]
    landmarks: Points
    score: float

    @property
    def inter_eye_px(self) -> float:
        """Distance between the centres of the eyes."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))

    @property
    def area_px(self) -> float:
        return self.box[2] * self.box[3]


class YunetDetector:
    """YuNet on onnxruntime; safe to call from several threads."""

    def __init__(self, model: FaceModel, intra_op_threads: int = 1) -> None:
        self.model = model
        proto = parse_model(model)
        free_axes(proto.graph.input, {2: "height", 3: "width"})
        free_axes(proto.graph.output, {1: "anchors"})
        self._session = open_session(proto, model, intra_op_threads)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [f"{part}_{s}" for part in ("cls", "obj", "bbox", "kps") for s in STRIDES]

    def detect(self, pixels: Pixels) -> tuple[DetectedFace, ...]:
        """The faces, the largest first; none is an empty tuple.

        Where the plain look is not sure of any, other sizes and the three quarter turns are
        tried as well: a print scanned sideways has no EXIF that says so.
        """
        best = self._detect_at(pixels, FIRST_SIDE_PX, enlarge=False)
        if _confidence(best) >= SURE_SCORE:
            return best
        for side in FURTHER_SIDES_PX:
            best = best or self._detect_at(pixels, side, enlarge=True)
        needed = _confidence(best) + TURNED_HANDICAP
        for quarter_turns in (1, 2, 3):
            turned = np.ascontiguousarray(np.rot90(pixels, quarter_turns))
            found = self._detect_at(turned, FIRST_SIDE_PX, enlarge=False)
            if _confidence(found) > needed:
                needed = _confidence(found)
                best = tuple(_turned_back(face, quarter_turns, pixels.shape) for face in found)
        return best

    def _detect_at(
        self, pixels: Pixels, side_px: int, *, enlarge: bool
    ) -> tuple[DetectedFace, ...]:
        height, width = pixels.shape[:2]
        scale = side_px / max(height, width)
        if not enlarge:
            scale = min(1.0, scale)
        scale = min(scale, 3.0)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(pixels, size, interpolation=shrinks) if scale != 1 else pixels
        padded_width, padded_height = (-(-v // PAD_TO_PX) * PAD_TO_PX for v in size)
        blob = np.zeros((1, 3, padded_height, padded_width), dtype=np.float32)
        blob[0, :, : size[1], : size[0]] = small[:, :, ::-1].transpose(2, 0, 1)
        outputs = self._session.run(self._outputs, {self._input: blob})
        boxes, landmarks, scores = _decode([np.asarray(o) for o in outputs], padded_width)
        kept = _suppress_overlaps(boxes, scores)
        # Padding rounds to whole pixels, so the two scales may differ slightly.
        ratio = np.array([width / size[0], height / size[1]], dtype=np.float32)
        faces = [
            DetectedFace(
                box=_as_box(boxes[i] * np.tile(ratio, 2)),
                landmarks=(landmarks[i] * ratio).astype(np.float32),
                score=float(scores[i]),
            )
            for i in kept
        ]
        return tuple(sorted(faces, key=lambda face: -face.area_px))


def _confidence(faces: tuple[DetectedFace, ...]) -> float:
    return max((face.score for face in faces), default=0.0)


def _as_box(values: Float32) -> tuple[float, float, float, float]:
    left, top, width, height = (float(v) for v in values)
    return left, top, width, height


def _decode(outputs: list[Float32], padded_width: int) -> tuple[Float32, Float32, Float32]:
    """Candidates above ``MIN_SCORE`` of all three strides: boxes, landmarks, scores."""
    boxes, landmarks, scores = [], [], []
    for level, stride in enumerate(STRIDES):
        cls, obj, box, points = (outputs[part * len(STRIDES) + level][0] for part in range(4))
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        chosen = np.flatnonzero(score >= MIN_SCORE)
        columns = padded_width // stride
        anchor = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
        centre = (anchor + box[chosen, :2]) * stride
        extent = np.exp(box[chosen, 2:]) * stride
        boxes.append(np.concatenate([centre - extent / 2, extent], axis=1))
        landmarks.append((points[chosen].reshape(-1, 5, 2) + anchor[:, None]) * stride)
        scores.append(score[chosen])
    return np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(scores)


def _suppress_overlaps(boxes: Float32, scores: Float32) -> list[int]:
    """Indices of the best candidate of each face, best first."""
    corner = boxes[:, :2] + boxes[:, 2:]
    area = boxes[:, 2] * boxes[:, 3]
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size and len(kept) < MAX_FACES:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(corner[best], corner[rest])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        order = rest[shared <= MAX_OVERLAP * (area[best] + area[rest] - shared)]
    return kept


def _turned_back(face: DetectedFace, quarter_turns: int, shape: tuple[int, ...]) -> DetectedFace:
    """``face``, found after ``np.rot90(pixels, quarter_turns)``, in the unturned picture.

    Landmarks keep their meaning, so alignment turns the face upright by itself.
    """
    height, width = shape[:2]
    left, top, w, h = face.box
    points = np.concatenate(
        [face.landmarks, np.array([[left, top], [left + w, top + h]], dtype=np.float32)]
    )
    x, y = points[:, 0].copy(), points[:, 1].copy()
    turned = {
        1: np.stack([width - 1 - y, x], axis=1),
        2: np.stack([width - 1 - x, height - 1 - y], axis=1),
        3: np.stack([y, height - 1 - x], axis=1),
    }[quarter_turns].astype(np.float32)
    low, high = turned[5:].min(axis=0), turned[5:].max(axis=0)
    return DetectedFace(
        box=(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])),
        landmarks=turned[:5],
        score=face.score,
    )
