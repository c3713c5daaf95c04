"""Who is sealed, verification lists, and what names the data that was measured on.

Folders are read by ``reunite.faces.labelled``; here are ``pairs.txt`` of LFW and InsightFace
``.bin`` verification sets (CALFW, AgeDB, CFP).
"""

import hashlib
import io
import pickle
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from reunite.faces.labelled import LabelledPhoto

SEALED_DIGITS = frozenset("89abcdef")
LFW_PARTS = 3  # words of a line of pairs.txt that names one person


class Split(StrEnum):
    DEV = "dev"
    SEALED = "sealed"


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
