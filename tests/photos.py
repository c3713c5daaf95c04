"""Photographs for tests: portraits where they lie beside the repository, else derived pairs.

Looks in ``$REUNITE_PORTRAITS``, then in ``../shared/portraits`` seen from the repository.
Where neither is there, two free photographs out of installed packages stand in, each
with a second picture derived from it; nothing is fetched.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

ROOT = Path(__file__).resolve().parents[1]
NOT_PEOPLE = {"distractors", "distractors-synthetic", "special"}


@dataclass(frozen=True)
class Pair:
    """Two photographs of one person, the older first."""

    person: str
    older: bytes
    newer: bytes


def find_portraits() -> Path | None:
    """The folder with the portraits, None where this machine has none."""
    named = os.environ.get("REUNITE_PORTRAITS")
    for folder in [Path(named)] if named else [ROOT.parent / "shared" / "portraits"]:
        if (folder / "sources.csv").is_file():
            return folder
    return None


@cache
def pairs() -> tuple[Pair, ...]:
    """Every person with two photographs: 36 of the portraits, else two derived pairs."""
    folder = find_portraits()
    if folder is None:
        return tuple(
            Pair(name, older=photo(), newer=derived(photo())) for name, photo in PACKAGED.items()
        )
    people = sorted(p for p in folder.iterdir() if p.is_dir() and p.name not in NOT_PEOPLE)
    return tuple(
        Pair(person.name, *(path.read_bytes() for path in _older_first(person)))
        for person in people
    )


@cache
def distractors() -> tuple[bytes, ...]:
    """Photographs of other people; empty where there are no portraits."""
    folder = find_portraits()
    if folder is None:
        return ()
    return tuple(
        path.read_bytes()
        for name in ("distractors", "distractors-synthetic")
        for path in sorted((folder / name).glob("*.jpg"))
    )


@cache
def special(name: str) -> bytes:
    """A special picture such as ``tiny-face``, made from the packaged photographs if need be."""
    folder = find_portraits()
    if folder is not None:
        return (folder / "special" / f"{name}.jpg").read_bytes()
    return _STAND_INS[name]()


@cache
def astronaut() -> bytes:
    """scikit-image's portrait of Eileen Collins (NASA, public domain), as JPEG."""
    return _packaged("skimage", "data/astronaut.png")


@cache
def grace_hopper() -> bytes:
    """matplotlib's portrait of Grace Hopper (US Navy, public domain), as JPEG."""
    return _packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


PACKAGED: dict[str, Callable[[], bytes]] = {"astronaut": astronaut, "grace-hopper": grace_hopper}


def derived(data: bytes) -> bytes:
    """Another picture of the same person: grey, mirrored, half the size, darker, coarse."""
    image = ImageOps.mirror(Image.open(BytesIO(data)).convert("L"))
    image = image.resize((image.width // 2, image.height // 2)).point(
        [v * 3 // 4 for v in range(256)]
    )
    return to_jpeg(image.convert("RGB"), quality=20)


def to_jpeg(image: Image.Image, quality: int = 92, exif: Image.Exif | None = None) -> bytes:
    """``image`` as a JPEG."""
    buffer = BytesIO()
    # An Exif with sub-directories alone has the length 0 and would count as false.
    image.save(buffer, "JPEG", quality=quality, exif=Image.Exif() if exif is None else exif)
    return buffer.getvalue()


def _packaged(package: str, path: str) -> bytes:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    image = Image.open(Path(spec.submodule_search_locations[0]) / path)
    return to_jpeg(image.convert("RGB"))


def _older_first(person: Path) -> list[Path]:
    # "le2014" says "2014 or before"; otherwise the names sort by year.
    return sorted(person.glob("*.jpg"), key=lambda p: (not p.name.startswith("le"), p.name))[:2]


def _face_of_astronaut(scale: float) -> Image.Image:
    image = Image.open(BytesIO(astronaut())).crop((130, 0, 330, 200))
    side = max(1, round(image.width * scale))
    return image.resize((side, side), Image.Resampling.BOX)


def _tiny_face() -> bytes:
    paper = Image.new("RGB", (320, 240), (140, 150, 160))
    paper.paste(_face_of_astronaut(0.17), (150, 100))
    return to_jpeg(paper)


def _group() -> bytes:
    paper = Image.new("RGB", (620, 420), (140, 150, 160))
    for number in range(6):
        face = _face_of_astronaut(1.0)
        paper.paste(
            ImageOps.mirror(face) if number % 2 else face, (number % 3 * 205, number // 3 * 205)
        )
    return to_jpeg(paper)


_STAND_INS: dict[str, Callable[[], bytes]] = {
    "tiny-face": _tiny_face,
    "blurred-face": lambda: to_jpeg(
        Image.open(BytesIO(astronaut())).filter(ImageFilter.GaussianBlur(7))
    ),
    "group-composite": _group,
    "no-face-coffee": lambda: _packaged("skimage", "data/coffee.png"),
    "no-face-cat": lambda: _packaged("skimage", "data/chelsea.png"),
}
