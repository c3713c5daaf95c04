"""The pictures of a row: embedded in the sheet, named in it, or named after its number."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reunite.app.import_sources import PHOTO_SUFFIXES
from reunite.kernel.errors import InvalidInputError
from reunite.partners.stations.residents import Resident
from reunite.partners.stations.sheets import Sheet

MOST_PHOTOS_A_ROW = 5
MAX_PHOTO_BYTES = 30_000_000


@dataclass(frozen=True, slots=True)
class RowPhotos:
    """Pictures with their names, as bytes; ``warnings`` tell of those that are not there."""

    pictures: list[tuple[str, bytes]]
    warnings: tuple[str, ...]

    @property
    def digest(self) -> str:
        each = [hashlib.sha256(data).hexdigest() for _, data in self.pictures]
        return hashlib.sha256("".join(each).encode()).hexdigest() if each else ""


class PhotoFolder:
    """Files of a folder by name.  Only what was listed is ever opened, whatever a sheet says."""

    def __init__(self, folder: Path | None) -> None:
        self._by_name: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*")) if folder is not None else []:
            if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
                for name in {path.name.lower(), path.stem.lower()}:
                    self._by_name.setdefault(name, []).append(path)

    def find(self, name: str, number: str) -> tuple[list[Path], str]:
        """The files meant by a name, and a warning where there is none, or more than one.

        Of several of one name, the one in a folder named after the row's number is meant.
        """
        plain = name.replace("\\", "/").rsplit("/", 1)[-1].strip().lower()
        paths = self._by_name.get(plain, [])
        if len(paths) > 1:
            paths = [path for path in paths if path.parent.name.lower() == number.lower()]
            if len(paths) != 1:
                return [], f"{name}: photo_ambiguous"
        return paths, "" if paths else f"{name}: photo_missing"

    def of_number(self, number: str) -> list[Path]:
        """Files called like the row's number."""
        paths = self._by_name.get(number.lower(), [])
        return paths if len(paths) == 1 else []


def photos_of_row(sheet: Sheet, folder: PhotoFolder, resident: Resident) -> RowPhotos:
    """Every picture of a row, at most ``MOST_PHOTOS_A_ROW``."""
    pictures: list[tuple[str, bytes]] = []
    warnings: list[str] = []
    for part in resident.embedded_photos[:MOST_PHOTOS_A_ROW]:
        try:
            pictures.append(("embedded", sheet.picture(part)))
        except InvalidInputError as error:
            warnings.append(f"embedded: {error.code}")
    paths: list[Path] = []
    for name in resident.photo_names:
        found, warning = folder.find(name, resident.number)
        paths += found
        if warning and not resident.embedded_photos:
            warnings.append(warning)
    paths = paths or folder.of_number(resident.number)
    for path in list(dict.fromkeys(paths))[:MOST_PHOTOS_A_ROW]:
        try:
            if path.stat().st_size > MAX_PHOTO_BYTES:
                warnings.append(f"{path.name}: photo_too_large")
            else:
                pictures.append((path.name, path.read_bytes()))
        except OSError:
            warnings.append(f"{path.name}: photo_unreadable")
    return RowPhotos(pictures, tuple(warnings))
