"""Photographs with an age in their name, in the layout of UTKFace, in two halves.

A name is ``AGE_SEX_RACE_....jpg`` with sex 0 for male and 1 for female.  The last hex digit
of the SHA-256 of the name decides: 0 to 7 fits, 8 to f measures.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reunite.faces.alignment import align
from reunite.faces.detection import DetectedFace, YunetDetector
from reunite.kernel.people import Sex

AGE_BANDS = ((0, 2), (3, 5), (6, 12), (13, 18), (19, 29), (30, 44), (45, 59), (60, 90))
OLDEST = 90


@dataclass(frozen=True, slots=True)
class AgedPhoto:
    path: Path
    age: int
    sex: Sex
    race: int

    @property
    def fits(self) -> bool:
        return digest_digit(self.path.name) in "01234567"

    @property
    def band(self) -> tuple[int, int]:
        return next(band for band in AGE_BANDS if band[0] <= self.age <= band[1])


def digest_digit(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[-1]


def find_utkface(data: Path) -> Path:
    """The folder itself, or ``utkface`` within it."""
    return data / "utkface" if (data / "utkface").is_dir() else data


def list_aged_photos(folder: Path, *, fits: bool) -> list[AgedPhoto]:
    """The photos of one half up to 90 years, in an order that does not follow age."""
    photos = []
    for path in folder.iterdir():
        parts = path.name.split("_")
        if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
            continue
        age, sex, race = (int(part) for part in parts[:3])
        photo = AgedPhoto(path, age, Sex.FEMALE if sex == 1 else Sex.MALE, race)
        if age <= OLDEST and photo.fits is fits:
            photos.append(photo)
    return sorted(photos, key=lambda p: hashlib.sha256(p.path.name.encode()).hexdigest())


def capped(photos: list[AgedPhoto], per_band: int | None) -> list[AgedPhoto]:
    """At most ``per_band`` of each age band."""
    if per_band is None:
        return photos
    counts = dict.fromkeys(AGE_BANDS, 0)
    kept = []
    for photo in photos:
        if counts[photo.band] < per_band:
            counts[photo.band] += 1
            kept.append(photo)
    return kept


def read_rgb(path: Path) -> npt.NDArray[Any]:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SystemExit(f"{path} is no picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def middle_face(detector: YunetDetector, pixels: npt.NDArray[Any]) -> DetectedFace | None:
    """The face that the photo is of: near the middle and large."""
    height, width = pixels.shape[:2]

    def off_centre(face: DetectedFace) -> float:
        left, top, w, h = face.box
        return float(np.hypot(left + w / 2 - width / 2, top + h / 2 - height / 2) - w / 2)

    return min(detector.detect(pixels), key=off_centre, default=None)


def iter_chips(
    photos: list[AgedPhoto], detector: YunetDetector
) -> Iterator[tuple[AgedPhoto, npt.NDArray[Any]]]:
    """The photos in which a face was found, with its aligned chip."""
    for photo in photos:
        pixels = read_rgb(photo.path)
        face = middle_face(detector, pixels)
        if face is not None:
            yield photo, align(pixels, face.landmarks)
