"""Folders of faces as they are published, read into one list.

LAG ``<person>/*.png`` with young photos in ``<person>/y/``; FG-NET ``001A02.JPG`` (person 1,
two years old); LFW ``<Name>/<Name>_0001.jpg`` with ``pairs.txt``; UTKFace
``<age>_<sex>_<race>_<date>.jpg``, without identities; InsightFace ``.bin`` verification sets
(CALFW, AgeDB, CFP).
"""

import hashlib
import io
import pickle
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
SEALED_DIGITS = frozenset("89abcdef")
FGNET_NAME = re.compile(r"^(\d{3})[Aa](\d{2})[a-z]?$")
UTKFACE_NAME = re.compile(r"^(\d{1,3})_([01])_([0-4])_\d+")
LFW_PARTS = 3  # words of a line of pairs.txt that names one person


class Layout(StrEnum):
    LAG = "lag"
    FGNET = "fgnet"
    LFW = "lfw"
    UTKFACE = "utkface"


class Split(StrEnum):
    DEV = "dev"
    SEALED = "sealed"


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


@dataclass(frozen=True, slots=True)
class NamedPair:
    """Two photos of a verification list, by path, and whether they show one person."""

    first: Path
    second: Path
    same: bool
    fold: int


def is_sealed(person: str) -> bool:
    """Whether nobody may look at this person before the final run.

    The last hexadecimal digit of the SHA-256 of the folder's name (UTF-8) is 8 to f.
    """
    return hashlib.sha256(person.encode()).hexdigest()[-1] in SEALED_DIGITS


def of_split(photos: list[LabelledPhoto], split: Split) -> list[LabelledPhoto]:
    """The photos of people who belong to ``split``."""
    return [p for p in photos if is_sealed(p.person) == (split is Split.SEALED)]


def detect_layout(folder: Path) -> Layout:
    """The layout of ``folder``, told by its names.  Raises ValueError where none fits."""
    if any(path.is_dir() for path in folder.glob("*/y")):
        return Layout.LAG
    for path in _pictures(folder):
        if FGNET_NAME.match(path.stem):
            return Layout.FGNET
        if UTKFACE_NAME.match(path.name):
            return Layout.UTKFACE
        if path.parent != folder:
            return Layout.LFW
    raise ValueError(f"no known layout in {folder}")


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
    if len(parts) < 2:
        return None
    return LabelledPhoto(path, person=parts[0], young=parts[1] == "y")


def _fgnet_photo(_: Path, path: Path) -> LabelledPhoto | None:
    match = FGNET_NAME.match(path.stem)
    if match is None:
        return None
    age = int(match[2])
    return LabelledPhoto(path, person=match[1], age_years=age, young=age < 18)


def _lfw_photo(folder: Path, path: Path) -> LabelledPhoto | None:
    parts = path.relative_to(folder).parts
    return LabelledPhoto(path, person=parts[0]) if len(parts) == 2 else None


def _utkface_photo(_: Path, path: Path) -> LabelledPhoto | None:
    match = UTKFACE_NAME.match(path.name)
    if match is None:
        return None
    age = int(match[1])
    return LabelledPhoto(
        path, age_years=age, young=age < 18, sex="male" if match[2] == "0" else "female"
    )


def read_lfw_pairs(pairs_file: Path, folder: Path) -> list[NamedPair]:
    """The verification list of LFW: ten folds of as many same as different pairs."""
    lines = [line.split() for line in pairs_file.read_text(encoding="utf-8").splitlines() if line]
    folds, per_fold = int(lines[0][0]), int(lines[0][1])
    pairs = []
    for number, words in enumerate(lines[1:]):
        if len(words) == LFW_PARTS:
            first, second = (words[0], words[1]), (words[0], words[2])
        else:
            first, second = (words[0], words[1]), (words[2], words[3])
        pairs.append(
            NamedPair(
                _lfw_path(folder, *first),
                _lfw_path(folder, *second),
                same=len(words) == LFW_PARTS,
                fold=min(number // (2 * per_fold), folds - 1),
            )
        )
    return pairs


def _lfw_path(folder: Path, name: str, number: str) -> Path:
    return folder / name / f"{name}_{int(number):04d}.jpg"


@dataclass(frozen=True, slots=True)
class BinaryPairs:
    """An InsightFace verification set: encoded pictures 2i and 2i + 1 are pair i."""

    pictures: list[bytes]
    same: list[bool]


def read_bin(path: Path) -> BinaryPairs:
    """A ``.bin`` file; nothing but lists, byte strings and truth values is unpickled.

    Raises pickle.UnpicklingError for anything else in it.
    """
    pictures, same = _PlainUnpickler(io.BytesIO(path.read_bytes())).load()
    return BinaryPairs([bytes(picture) for picture in pictures], [bool(one) for one in same])


class _PlainUnpickler(pickle.Unpickler):
    """Unpickles plain values; a file from somewhere else must not run code here."""

    def __init__(self, stream: io.BytesIO) -> None:
        # Written by Python 2: byte strings would otherwise be decoded.
        super().__init__(stream, encoding="bytes")

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) == ("_codecs", "encode"):
            return _encode  # how Python 3 writes byte strings for protocol 2
        raise pickle.UnpicklingError(f"{module_name}.{global_name} in a list of pictures")


def _encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


def data_digest(photos: list[LabelledPhoto], folder: Path) -> str:
    """SHA-256 over names and contents: names the data that a result was measured on."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(photo.path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(photo.path.read_bytes()).digest())
    return digest.hexdigest()
