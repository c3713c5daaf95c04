"""Marks that say what a preview is: in its pixels, and in its file for machines.

The words are burned in twice: on a band below, and faintly across the face, so that no
cut-out passes for a photo.  The file says the same by the IPTC vocabulary
of digital source types, and ``is_marked`` reads it back, so that a preview that somebody has
saved is not taken in as a photo.
"""

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from reunite.faces.photo import Pixels

Float32 = npt.NDArray[np.float32]

LABEL_FILE: Final = "illustration_label.png"
BAND_SHARE: Final = 0.17  # of the picture's height, added below it
FAINT: Final = 0.16  # how strongly the words across the face show
FAINT_TURN_DEGREES: Final = 30.0
DARK: Final = np.array([24, 24, 28], dtype=np.float32)
JPEG_QUALITY: Final = 88

# "algorithmically enhanced" is a photo altered by a rule, which is what a preview is:
# http://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
STATEMENT: Final = (
    "Computer illustration of possible ageing; not a photograph. 电脑模拟图，不是照片。"
)
MARK: Final = "reunite:age-preview"
_EXIF_DESCRIPTION: Final = 0x010E
_EXIF_SOFTWARE: Final = 0x0131
_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{source}" dc:type="{mark}">
<dc:description><rdf:Alt>
<rdf:li xml:lang="x-default">{statement}</rdf:li>
</rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@cache
def _label() -> Image.Image:
    data = files("reunite.faces.progression").joinpath(LABEL_FILE).read_bytes()
    with Image.open(BytesIO(data)) as stored:
        return stored.convert("L")


def _mask(width: int, height: int) -> Float32:
    """The words as large as fits, in the middle of a field: float32 (height, width), 0 to 1."""
    label = _label()
    scale = min(width / label.width, height / label.height)
    size = (max(1, round(label.width * scale)), max(1, round(label.height * scale)))
    field = Image.new("L", (width, height), 0)
    field.paste(
        label.resize(size, Image.Resampling.LANCZOS),
        ((width - size[0]) // 2, (height - size[1]) // 2),
    )
    return np.asarray(np.asarray(field) / 255, dtype=np.float32)


def _faint_mask(side: tuple[int, int]) -> Float32:
    """The words, turned, across the whole picture."""
    height, width = side
    label = _label()
    scale = 0.62 * width / label.width
    small = label.resize((round(label.width * scale), round(label.height * scale)))
    tile = Image.new("L", (round(small.width * 1.15), round(small.height * 2.0)), 0)
    tile.paste(small, ((tile.width - small.width) // 2, (tile.height - small.height) // 2))
    diagonal = int(np.hypot(height, width)) + 1
    field = Image.new("L", (diagonal, diagonal), 0)
    for row, top in enumerate(range(0, diagonal, tile.height)):
        for left in range(-(row % 2) * tile.width // 2, diagonal, tile.width):
            field.paste(tile, (left, top))
    turned = field.rotate(FAINT_TURN_DEGREES, Image.Resampling.BICUBIC)
    left, top = (diagonal - width) // 2, (diagonal - height) // 2
    cut = turned.crop((left, top, left + width, top + height))
    return np.asarray(np.asarray(cut) / 255, dtype=np.float32)


def marked(pixels: Pixels) -> Pixels:
    """The picture with the words burned in, on a band below it and faintly across it.

    pixels : uint8 (height, width, 3), RGB
    Returns a picture of the same width, higher by the band.
    """
    out = pixels.astype(np.float32)
    height, width = pixels.shape[:2]
    faint = FAINT * _faint_mask((height, width))[..., None]
    # Light words on dark skin and dark words on light skin.
    contrast = np.where(out.mean(axis=2, keepdims=True) > 128, 0.0, 255.0)  # noqa: PLR2004
    out += faint * (contrast - out)
    band = round(BAND_SHARE * height)
    words = _mask(round(0.94 * width), band)
    pad = width - words.shape[1]
    words = np.pad(words, ((0, 0), (pad // 2, pad - pad // 2)))[..., None]
    below = (1 - words) * DARK + words * 255
    return np.round(np.clip(np.vstack([out, below]), 0, 255)).astype(np.uint8)


def encode_marked(pixels: Pixels) -> bytes:
    """A JPEG of the picture, marked in its pixels and in its file."""
    exif = Image.Exif()
    exif[_EXIF_DESCRIPTION] = STATEMENT.encode("ascii", "ignore").decode()
    exif[_EXIF_SOFTWARE] = f"Reunite {MARK}"
    xmp = _XMP.format(source=SOURCE_TYPE, mark=MARK, statement=STATEMENT)
    out = BytesIO()
    Image.fromarray(marked(pixels)).save(
        out,
        "JPEG",
        quality=JPEG_QUALITY,
        exif=exif,
        xmp=xmp.encode("utf-8"),
        comment=MARK.encode("ascii"),
    )
    return out.getvalue()


def is_marked(data: bytes) -> bool:
    """Whether a file says of itself that it is a preview.

    Any of the three places that ``encode_marked`` writes will do, in any format, for
    programs keep some and drop others; the marks stand at the beginning of a file.
    """
    return MARK.encode("ascii") in data
