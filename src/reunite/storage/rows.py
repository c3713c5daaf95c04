"""Between columns and the small values of the domain."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.cases.photos import PhotoFace
from reunite.kernel.places import Point

Int64 = npt.NDArray[np.int64]

_STORED_IDS = np.dtype("<i8")


def point_of(latitude: float | None, longitude: float | None) -> Point | None:
    """A place from its two columns, which are both null where it is unknown."""
    if latitude is None or longitude is None:
        return None
    return Point(latitude, longitude)


def columns_of_point(point: Point | None) -> dict[str, float | None]:
    """The two columns of a place."""
    return {
        "latitude": None if point is None else float(point.latitude),
        "longitude": None if point is None else float(point.longitude),
    }


def faces_to_json(faces: Sequence[PhotoFace]) -> list[dict[str, object]]:
    """Faces as JSON; numbers of numpy become Python's, which JSON knows."""
    return [
        {
            "box": [float(value) for value in face.box],
            "landmarks": [[float(x), float(y)] for x, y in face.landmarks],
            "quality_score": float(face.quality_score),
            "verdict": face.verdict,
            "reasons": list(face.reasons),
        }
        for face in faces
    ]


def faces_from_json(stored: Sequence[Mapping[str, Any]]) -> list[PhotoFace]:
    """Faces from JSON, as they were handed in."""
    faces = []
    for face in stored:
        left, top, width, height = face["box"]
        faces.append(
            PhotoFace(
                box=(left, top, width, height),
                landmarks=tuple((x, y) for x, y in face["landmarks"]),
                quality_score=face["quality_score"],
                verdict=face["verdict"],
                reasons=tuple(face["reasons"]),
            )
        )
    return faces


def ids_to_bytes(ids: Int64) -> bytes:
    """Ids as one value: a thousand in a row are read at once."""
    return np.ascontiguousarray(ids, dtype=_STORED_IDS).tobytes()
