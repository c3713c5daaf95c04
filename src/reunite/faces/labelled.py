"""Folders of labelled faces, as published collections lay them out.

LAG ``<person>/*.png`` with young photos in ``<person>/y/``; FG-NET ``001A02.JPG`` (person 1,
two years old); LFW ``<Name>/<Name>_0001.jpg``; UTKFace ``<age>_<sex>_<race>_<date>.jpg``,
without identities.  An operator's own folder in any of these layouts is read the same way.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from reunite.kernel.errors import InvalidInputError

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
FGNET_NAME: Final = re.compile(r"^(\d{3})[Aa](\d{2})[a-z]?$")
UTKFACE_NAME: Final = re.compile(r"^(\d{1,3})_([01])_([0-4])_\d+")
GROWN_AT_YEARS: Final = 18


class Layout(StrEnum):
    LAG = "lag"
    FGNET = "fgnet"
    LFW = "lfw"
    UTKFACE = "utkface"


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photo and what its name tells.

    ``person`` is empty where identities are unknown; ``young`` is None where nothing says.
    """

    path: Path
    person: str = ""
    age_years: int | None = None
    young: bool | None = None
    sex: str = ""


def detect_layout(folder: Path) -> Layout:
    """The layout of ``folder``, told by its names.

    Raises InvalidInputError ``folder_layout_unknown`` where none fits.
    """
    if any(path.is_dir() for path in folder.glob("*/y")):
        return Layout.LAG
    for path in _pictures(folder):
        if FGNET_NAME.match(path.stem):
            return Layout.FGNET
        if UTKFACE_NAME.match(path.name):
            return Layout.UTKFACE
        if path.parent != folder:
            return Layout.LFW
    raise InvalidInputError("folder_layout_unknown", path=str(folder))


def read_folder(folder: Path, layout: Layout | None = None) -> list[LabelledPhoto]:
    """Every photo of ``folder`` that its layout can name, sorted by path."""
    reader = {
        Layout.LAG: _lag_photo,
        Layout.FGNET: _fgnet_photo,
        Layout.LFW: _lfw_photo,
        Layout.UTKFACE: _utkface_photo,
    }[layout or detect_layout(folder)]
    photos = [reader(folder, path) for path in _pictures(folder)]
    return [photo for photo in photos if photo is not None]


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def _lag_photo(folder: Path, path: Path) -> LabelledPhoto | None:
    parts = path.relative_to(folder).parts
    if len(parts) < 2:  # noqa: PLR2004 - a file beside the people
        return None
    return LabelledPhoto(path, person=parts[0], young=parts[1] == "y")


def _fgnet_photo(_: Path, path: Path) -> LabelledPhoto | None:
    match = FGNET_NAME.match(path.stem)
    if match is None:
        return None
    age = int(match[2])
    return LabelledPhoto(path, person=match[1], age_years=age, young=age < GROWN_AT_YEARS)


def _lfw_photo(folder: Path, path: Path) -> LabelledPhoto | None:
    parts = path.relative_to(folder).parts
    return LabelledPhoto(path, person=parts[0]) if len(parts) == 2 else None  # noqa: PLR2004


def _utkface_photo(_: Path, path: Path) -> LabelledPhoto | None:
    match = UTKFACE_NAME.match(path.name)
    if match is None:
        return None
    age = int(match[1])
    return LabelledPhoto(
        path, age_years=age, young=age < GROWN_AT_YEARS, sex="male" if match[2] == "0" else "female"
    )
