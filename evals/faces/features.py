"""Aligned faces and embeddings of a folder, made by the product's own engine and cached.

The cache is keyed by data and models, so that a figure is never measured on old features.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from evals.faces.layouts import data_digest
from reunite.faces.engine import FaceEngine
from reunite.faces.labelled import LabelledPhoto
from reunite.faces.photo import decode_photo
from reunite.faces.port import FaceView
from reunite.faces.registry import CHIP_SIDE_PX
from reunite.kernel.errors import ReuniteError

Chips = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

EMBED_AT_ONCE = 64


@dataclass(frozen=True)
class Faces:
    """The face of each photo.

    chips : uint8 array of shape (n, 112, 112, 3), RGB
    detected : False where the detector found nobody and the whole picture stands in, so
        that no photo is left out of a figure
    """

    chips: Chips
    detected: Bool
    digest: str


def read_faces(photos: list[LabelledPhoto], folder: Path, engine: FaceEngine, cache: Path) -> Faces:
    """The faces of ``photos``, from the cache where they have been read before."""
    digest = data_digest(photos, folder)
    stored = cache / f"faces-{digest[:16]}.npz"
    if stored.is_file():
        with np.load(stored) as arrays:
            return Faces(arrays["chips"], arrays["detected"], digest)
    chips = np.empty((len(photos), CHIP_SIDE_PX, CHIP_SIDE_PX, 3), dtype=np.uint8)
    detected = np.zeros(len(photos), dtype=np.bool_)
    tell = _teller("faces", len(photos))
    for i, photo in enumerate(photos):
        chips[i], detected[i] = _read(photo.path.read_bytes(), engine)
        tell(i)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(stored, chips=chips, detected=detected)
    return Faces(chips, detected, digest)


def _read(data: bytes, engine: FaceEngine) -> tuple[Chips, bool]:
    try:
        photo = decode_photo(data)
    except ReuniteError:
        # Smaller than the product accepts: measured all the same, as the picture it is.
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise
        return _whole(np.asarray(picture, dtype=np.uint8)), False
    views = engine.detect(photo)
    if not views:
        return _whole(photo.pixels[:, :, ::-1]), False
    height, width = photo.pixels.shape[:2]
    return min(views, key=lambda view: _off_centre(view, width, height)).chip, True


def _off_centre(view: FaceView, width: int, height: int) -> float:
    """Published pictures are cropped around the one who is meant; others may look in."""
    left, top, w, h = view.face.box
    distance = np.hypot(left + w / 2 - width / 2, top + h / 2 - height / 2)
    return float(distance - 0.5 * w)


def _whole(bgr: npt.NDArray[np.uint8]) -> Chips:
    small = cv2.resize(bgr, (CHIP_SIDE_PX, CHIP_SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:, :, ::-1], dtype=np.uint8)


def cached_rows(faces: Faces, key: str, make: Callable[[Chips], Float32], cache: Path) -> Float32:
    """``make`` of all chips, a row for each; ``key`` names everything that it depends on."""
    stored = cache / f"rows-{faces.digest[:16]}-{key}.npy"
    if stored.is_file():
        rows: Float32 = np.load(stored)
        return rows
    tell = _teller(key, len(faces.chips))
    parts = []
    for start in range(0, len(faces.chips), EMBED_AT_ONCE):
        parts.append(make(faces.chips[start : start + EMBED_AT_ONCE]))
        tell(start)
    rows = np.concatenate(parts)
    np.save(stored, rows)
    return rows


def _teller(what: str, total: int) -> Callable[[int], None]:
    started = time.monotonic()
    state = {"next": started + 30}

    def tell(done: int) -> None:
        if time.monotonic() > state["next"]:
            state["next"] += 30
            print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)

    return tell
