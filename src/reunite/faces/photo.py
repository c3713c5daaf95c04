"""An uploaded file made into plain pixels, or refused for a reason that can be mended.

The content decides what a file is, never its name.  Dimensions are read from the header
and judged before anything is decoded, only the parser of the recognised format runs, and
whatever that parser raises on hostile bytes becomes one refusal.  What leaves this module
is RGB in the upright orientation and one date: every other piece of metadata is gone.
"""

import hashlib
import re
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from io import BytesIO
from threading import BoundedSemaphore
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms
from pillow_heif import HeifImageFile

from reunite.kernel.errors import InvalidInputError

Pixels = npt.NDArray[np.uint8]
"""RGB, uint8 array of shape (height, width, 3)."""

EARLIEST_CAPTURE_YEAR = 1900  # a date typed in for a scanned print; earlier is a slip
MAX_ICC_PROFILE_BYTES = 4_000_000
WHITE = 255
LARGE_PIXELS = 16_000_000
# Memory belongs to the whole process, so this bound does too: forty visitors who upload fifty
# megapixels at once must wait for one another instead of exhausting it.
_large_decodes = BoundedSemaphore(2)
# Every scan of a progressive JPEG is a pass over all coefficients: 300 kB with 200 empty scans
# took 14 s.  Encoders write about ten.
MAX_JPEG_SCANS = 40
MAX_JPEG_SEGMENTS = 10_000

JPEG_QUALITY = 88  # templates of stored copies keep a cosine above .98, median .998
THUMBNAIL_SIDE_PX = 320


class PhotoFormat(StrEnum):
    """The formats that are accepted."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What an upload may cost.

    ``max_pixels`` admits the 50-megapixel mode of telephones (8192 x 6144).  At that size a
    JPEG takes 200 MB for a moment and a PNG with transparency, the worst case, 500 MB.
    """

    max_bytes: int = 15_000_000
    max_pixels: int = 8192 * 6144
    min_side_px: int = 48
    stored_side_px: int = 2048


DEFAULT_LIMITS: Final = PhotoLimits()


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright picture without metadata.

    pixels : uint8 array of shape (height, width, 3), RGB in sRGB, read-only
    captured_on : the camera's date, where the file had a believable one
    """

    pixels: Pixels
    captured_on: date | None = None

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @cached_property
    def digest(self) -> str:
        """The same for the same picture uploaded again, whatever its name or metadata."""
        return photo_digest(self.pixels)


def decode_photo(
    data: bytes, limits: PhotoLimits = DEFAULT_LIMITS, *, today: date | None = None
) -> Photo:
    """The picture in ``data``, upright, in sRGB, no side above ``limits.stored_side_px``.

    Of an animation the first frame counts.  ``today`` bounds the camera's date and is the
    current day where not given.

    Raises InvalidInputError, whose code is one of ``photo_empty``, ``photo_too_large``,
    ``photo_not_an_image``, ``photo_format_not_accepted``, ``photo_too_many_pixels``,
    ``photo_too_small`` and ``photo_truncated``; the last means damaged or incomplete.
    """
    if not data:
        raise InvalidInputError("photo_empty")
    if len(data) > limits.max_bytes:
        raise InvalidInputError("photo_too_large", max_bytes=limits.max_bytes, got_bytes=len(data))
    kind = recognise_format(data)
    try:
        with _open(data, kind) as image:
            _check_dimensions(image.size, limits)
            if kind is PhotoFormat.JPEG:
                _check_scans(data)
            is_large = image.width * image.height > LARGE_PIXELS
            with _large_decodes if is_large else nullcontext():
                return _normalise(image, kind, limits, today or datetime.now(UTC).date())
    except InvalidInputError:
        raise
    # Pillow raises the error, or warns, by itself for pictures far above our own limit.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInputError("photo_too_many_pixels", max_pixels=limits.max_pixels) from error
    # Parsers raise nearly anything on hostile bytes (struct.error, IndexError, SyntaxError,
    # RuntimeError of libheif ...); a list of them would be wrong after the next release.
    except Exception as error:
        raise InvalidInputError("photo_truncated", format=kind.value) from error


def recognise_format(data: bytes) -> PhotoFormat:
    """What the first bytes say.

    Raises InvalidInputError ``photo_format_not_accepted`` for a picture or document of
    another kind (``format`` in its details) and ``photo_not_an_image`` for anything else.
    """
    head = data[:4096]
    if head.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoFormat.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIC_BRANDS:
            return PhotoFormat.HEIC
        raise InvalidInputError("photo_format_not_accepted", format=_iso_media_name(head[8:12]))
    for signature, name in _OTHER_SIGNATURES:
        if head.startswith(signature):
            raise InvalidInputError("photo_format_not_accepted", format=name)
    if b"<svg" in head.lower():
        raise InvalidInputError("photo_format_not_accepted", format="svg")
    raise InvalidInputError("photo_not_an_image")


def encode_jpeg(
    photo: Photo | Pixels, max_side: int | None = None, quality: int = JPEG_QUALITY
) -> bytes:
    """A JPEG of the picture without any metadata, no side above ``max_side`` pixels."""
    image = Image.fromarray(photo.pixels if isinstance(photo, Photo) else photo)
    if max_side is not None:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def thumbnail(photo: Photo | Pixels, max_side: int = THUMBNAIL_SIDE_PX) -> bytes:
    """A small JPEG for lists."""
    return encode_jpeg(photo, max_side=max_side, quality=80)


def photo_digest(pixels: Pixels) -> str:
    """SHA-256 of the pixels and their shape, hexadecimal."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


# Brands of ISO/IEC 23008-12 for stills and sequences coded with HEVC.
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_OTHER_SIGNATURES: Final = (
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"BM", "bmp"),
    (b"8BPS", "psd"),
    (b"%PDF", "pdf"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL ", "jxl"),
)
_PILLOW_NAMES: Final = {
    PhotoFormat.JPEG: "JPEG",
    PhotoFormat.PNG: "PNG",
    PhotoFormat.WEBP: "WEBP",
}
_TURNS: Final[dict[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _iso_media_name(brand: bytes) -> str:
    return "avif" if brand in {b"avif", b"avis"} else "video"


def _open(data: bytes, kind: PhotoFormat) -> Image.Image:
    if kind is PhotoFormat.HEIC:
        # Opened directly: registering the plug-in would change Pillow for the whole process.
        heif: Image.Image = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]
        return heif
    return Image.open(BytesIO(data), formats=(_PILLOW_NAMES[kind],))


def _check_dimensions(size: tuple[int, int], limits: PhotoLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise InvalidInputError(
            "photo_too_many_pixels", max_pixels=limits.max_pixels, width=width, height=height
        )
    # A strip that would be too thin once it is scaled for storage is no photo either.
    scale = min(1.0, limits.stored_side_px / max(width, height, 1))
    if min(width, height) * scale < limits.min_side_px:
        raise InvalidInputError(
            "photo_too_small", min_side_px=limits.min_side_px, width=width, height=height
        )


# Any marker but stuffed zeros, restarts and fill bytes, which belong to a scan's own data.
_JPEG_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_WITHOUT_LENGTH: Final = frozenset({0x01, 0xD8})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def _check_scans(data: bytes) -> None:
    position, scans = 2, 0
    for _ in range(MAX_JPEG_SEGMENTS):
        found = _JPEG_MARKER.search(data, position)
        if found is None or found[1][0] == _END_OF_IMAGE:
            return
        marker, position = found[1][0], found.end()
        scans += marker == _START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            break
        if marker not in _WITHOUT_LENGTH:
            position += int.from_bytes(data[position : position + 2], "big")
    raise InvalidInputError("photo_truncated", format=PhotoFormat.JPEG.value)


def _normalise(image: Image.Image, kind: PhotoFormat, limits: PhotoLimits, today: date) -> Photo:
    side = limits.stored_side_px
    icc_profile = image.info.get("icc_profile")
    if kind is PhotoFormat.JPEG:
        # libjpeg decodes at 1/2, 1/4 or 1/8: a tenth of the memory and time for large ones.
        image.draft(image.mode, (side, side))
    image.load()
    orientation, captured_on = _read_exif(image, today)
    rgb = _to_srgb(_shrunk(image, side), icc_profile)
    rgb.thumbnail((side, side), Image.Resampling.LANCZOS)
    # libheif has turned the picture already, by the container's own fields.
    if kind is not PhotoFormat.HEIC and orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
    pixels = np.array(rgb, dtype=np.uint8)
    pixels.setflags(write=False)
    return Photo(pixels, captured_on)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """The picture at an integer fraction of its size, so that later steps copy less."""
    factor = max(image.size) // side
    if factor < 2 or image.mode in {"P", "PA", "1"} or image.mode.startswith("I"):  # noqa: PLR2004
        return image
    return image.reduce(factor)


def _read_exif(image: Image.Image, today: date) -> tuple[int, date | None]:
    """Orientation (1 where unknown) and the day of capture; a damaged block is no metadata."""
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        return (
            orientation if isinstance(orientation, int) else 1,
            _believable_day(taken, today) if isinstance(taken, str) else None,
        )
    except Exception:  # noqa: BLE001 - as for the pixels: anything may come out of a damaged block
        return 1, None


def _believable_day(taken: str, today: date) -> date | None:
    try:
        day = date.fromisoformat(taken.strip("\x00 ")[:10].replace(":", "-"))
    except ValueError:
        return None
    # A day of grace: the camera's clock has a time zone and the server's has another.
    latest = today + timedelta(days=1)
    return day if date(EARLIEST_CAPTURE_YEAR, 1, 1) <= day <= latest else None


def _to_srgb(image: Image.Image, icc_profile: object) -> Image.Image:
    flat = _flatten(image)
    if isinstance(icc_profile, bytes) and 0 < len(icc_profile) <= MAX_ICC_PROFILE_BYTES:
        converted = _through_profile(flat, icc_profile)
        if converted is not None:
            return converted
    return flat.convert("RGB")


def _flatten(image: Image.Image) -> Image.Image:
    """Eight bits a channel and no transparency: what shows through is white, as on paper."""
    if image.mode.startswith("I"):
        samples = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(samples >> 8, 0, WHITE).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGB", layer.size, (WHITE, WHITE, WHITE))
        paper.paste(layer, mask=layer.getchannel("A"))
        return paper
    if image.mode in {"RGB", "L", "CMYK", "LAB"}:
        return image
    return image.convert("RGB")


def _through_profile(image: Image.Image, icc_profile: bytes) -> Image.Image | None:
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(BytesIO(icc_profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A profile that is damaged or of another colour model: the plain numbers are
        # close enough for a face, and refusing the photo would help nobody.
        return None
