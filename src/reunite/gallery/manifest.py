"""The one small file that says which files make up the gallery now."""

from dataclasses import asdict, dataclass
from pathlib import Path

from reunite.gallery.errors import GalleryDamagedError, GalleryMissingError
from reunite.gallery.files import read_json, replace_json
from reunite.gallery.port import TemplateSpace

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class HeldSegment:
    """A segment of the gallery and the file that says which of its rows live."""

    name: str
    live_file: str
    live_crc: int
    dead_since: float | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation of the gallery.

    log : the file of changes since this generation; applied on top of the segments
    next_number : for the next file's name, so that no name is ever used twice
    """

    generation: int
    space: TemplateSpace
    segments: tuple[HeldSegment, ...]
    log: str
    next_number: int

    def write(self, folder: Path) -> None:
        """Make this generation the current one, durably and at once."""
        replace_json(folder / MANIFEST, {"format": FORMAT, **asdict(self)})

    @property
    def files(self) -> set[str]:
        """Names, within the gallery's folder, of everything in use."""
        return {
            self.log,
            *(one.name for one in self.segments),
            *(one.live_file for one in self.segments),
        }


def read_manifest(folder: Path) -> Manifest:
    """The current generation.

    Raises GalleryMissingError, or GalleryDamagedError for a file of another format too.
    """
    try:
        body = read_json(folder / MANIFEST)
    except FileNotFoundError as error:
        raise GalleryMissingError(folder=folder.name) from error
    if body["format"] != FORMAT:
        raise GalleryDamagedError(file=MANIFEST, format=body["format"])
    return Manifest(
        body["generation"],
        TemplateSpace(**body["space"]),
        tuple(HeldSegment(**one) for one in body["segments"]),
        body["log"],
        body["next_number"],
    )
