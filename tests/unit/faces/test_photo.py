"""Uploads become plain pixels, or are refused with a code."""

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms

from reunite.faces.photo import (
    Photo,
    PhotoLimits,
    decode_photo,
    encode_jpeg,
    photo_digest,
    thumbnail,
)
from reunite.kernel.errors import InvalidInputError
from tests.photos import astronaut, to_jpeg

TODAY = date(2026, 11, 1)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def heic(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    plain = pillow_heif.from_bytes(mode="RGB", size=image.size, data=image.tobytes())
    plain.save(buffer, **options)
    return buffer.getvalue()


def corners() -> Image.Image:
    """A picture whose corners tell which way up it is: red top left, blue bottom right."""
    image = Image.new("RGB", (120, 80), (128, 128, 128))
    image.paste((255, 0, 0), (0, 0, 40, 40))
    image.paste((0, 0, 255), (80, 40, 120, 80))
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def code_of(data: bytes, limits: PhotoLimits | None = None) -> str:
    with pytest.raises(InvalidInputError) as caught:
        decode_photo(data, limits or PhotoLimits())
    return caught.value.code


GREY = Image.new("RGB", (200, 100), (90, 90, 90))
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "photo_empty"),
    "a text named .jpg": (b"My son was last seen on the 3rd of May.\n" * 20, "photo_not_an_image"),
    "zeros": (bytes(1000), "photo_not_an_image"),
    "one byte": (b"\xff", "photo_not_an_image"),
    "a web page": (b"<html><body>404</body></html>", "photo_not_an_image"),
    "GIF": (saved(GREY, "GIF"), "photo_format_not_accepted"),
    "TIFF": (saved(GREY, "TIFF"), "photo_format_not_accepted"),
    "BMP": (saved(GREY, "BMP"), "photo_format_not_accepted"),
    "SVG": (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "photo_format_not_accepted"),
    "PDF": (b"%PDF-1.7 ...", "photo_format_not_accepted"),
    "AVIF": (saved(GREY, "AVIF"), "photo_format_not_accepted"),
    "MP4": (b"\x00\x00\x00\x18ftypisom\x00\x00", "photo_format_not_accepted"),
    "a truncated JPEG": (astronaut()[:9000], "photo_truncated"),
    "a JPEG of three bytes": (b"\xff\xd8\xff", "photo_truncated"),
    "a truncated PNG": (saved(corners(), "PNG")[:200], "photo_truncated"),
    "a truncated WebP": (saved(corners(), "WEBP")[:150], "photo_truncated"),
    "a truncated HEIC": (heic(corners())[:400], "photo_truncated"),
    "a PNG of 50,000 x 50,000": (png_header(50_000, 50_000), "photo_too_many_pixels"),
    "a PNG just above the limit": (png_header(8192, 6145), "photo_too_many_pixels"),
    "an icon": (saved(GREY.resize((40, 40)), "PNG"), "photo_too_small"),
    "a thread": (saved(Image.new("L", (60, 9000)), "PNG"), "photo_too_small"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_each_bad_upload_has_its_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_heavy_file_is_refused_before_it_is_looked_at() -> None:
    assert code_of(bytes(100), PhotoLimits(max_bytes=99)) == "photo_too_large"


def test_an_enormous_png_costs_neither_time_nor_memory() -> None:
    bomb = png_header(50_000, 50_000)
    tracemalloc.start()
    began = time.perf_counter()
    try:
        assert code_of(bomb) == "photo_too_many_pixels"
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 0.5
    assert peak_bytes < 5_000_000


def test_a_jpeg_of_endless_scans_is_refused_at_once() -> None:
    whole = saved(Image.new("RGB", (6000, 6000), (90, 90, 90)), "JPEG", progressive=True)
    assert decode_photo(whole).width == 2048
    last_scan = whole[whole.rfind(b"\xff\xda") : -2]
    for filler in (last_scan, b"\xff\x01"):
        began = time.perf_counter()
        assert code_of(whole[:-2] + filler * 20_000 + whole[-2:]) == "photo_truncated"
        assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "encode",
    [
        to_jpeg,
        lambda image: saved(image, "PNG"),
        lambda image: saved(image, "WEBP", lossless=True),
        lambda image: heic(image, quality=95),
    ],
    ids=["jpeg", "png", "webp", "heic"],
)
def test_accepted_formats_keep_the_picture(encode: Callable[[Image.Image], bytes]) -> None:
    photo = decode_photo(encode(corners()))
    assert (photo.width, photo.height) == (120, 80)
    assert photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels[20, 20].astype(int) - (255, 0, 0)).max() < 25
    assert np.abs(photo.pixels[60, 100].astype(int) - (0, 0, 255)).max() < 25


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(orientation: int) -> None:
    undo = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    image = corners()
    for turn in undo[orientation]:
        image = image.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = decode_photo(to_jpeg(image, exif=exif))
    assert (photo.width, photo.height) == (120, 80)
    assert photo.pixels[10, 10, 0] > 200
    assert photo.pixels[70, 110, 2] > 200


def test_a_turned_heic_is_upright_once_not_twice() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned = corners().transpose(Image.Transpose.ROTATE_90)
    data = heic(turned, quality=95, exif=exif.tobytes())
    assert b"irot" in data  # the container says it too, and libheif obeys
    photo = decode_photo(data)
    assert (photo.width, photo.height) == (120, 80)
    assert photo.pixels[10, 10, 0] > 180


def photo_with_secrets() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (30.0, 15.0, 0.0)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2009:07:21 10:00:00"
    buffer = BytesIO()
    corners().save(buffer, "JPEG", exif=exif, comment=b"home of the Lin family")
    return buffer.getvalue()


def test_nothing_but_the_day_of_capture_survives() -> None:
    data = photo_with_secrets()
    assert b"SecretCamera" in data
    photo = decode_photo(data, today=TODAY)
    assert photo.captured_on == date(2009, 7, 21)
    for stored in (encode_jpeg(photo), thumbnail(photo)):
        again = Image.open(BytesIO(stored))
        assert dict(again.getexif()) == {}
        assert not {"exif", "icc_profile", "comment", "xmp"} & again.info.keys()
        assert b"SecretCamera" not in stored
        assert b"Exif" not in stored
        assert b"Lin family" not in stored


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ("2009:07:21 10:00:00", date(2009, 7, 21)),
        ("1961:04:12 00:00:00", date(1961, 4, 12)),
        ("2026:11:02 00:10:00", date(2026, 11, 2)),
        ("2026:11:03 00:00:00", None),
        ("0000:00:00 00:00:00", None),
        ("1826:01:01 00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_day_of_capture_is_believed_only_when_it_can_be(
    taken: str, expected: date | None
) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    assert decode_photo(to_jpeg(corners(), exif=exif), today=TODAY).captured_on == expected


def translucent() -> Image.Image:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (40, 0, 80, 80))
    return image


def palette_with_transparency() -> Image.Image:
    image = corners().quantize(8)
    image.info["transparency"] = image.getpixel((60, 40))
    return image


MODES: dict[str, bytes] = {
    "grey": saved(corners().convert("L"), "PNG"),
    "grey with alpha": saved(translucent().convert("LA"), "PNG"),
    "alpha": saved(translucent(), "PNG"),
    "alpha in WebP": saved(translucent(), "WEBP", lossless=True),
    "palette": saved(corners().quantize(8), "PNG"),
    "transparent palette": saved(palette_with_transparency(), "PNG"),
    "black and white": saved(corners().convert("1"), "PNG"),
    "CMYK": saved(corners().convert("CMYK"), "JPEG"),
    "YCbCr": saved(corners().convert("YCbCr"), "JPEG"),
    "16-bit grey": saved(
        Image.fromarray((np.arange(9600, dtype=np.uint16) * 6).reshape(80, 120)), "PNG"
    ),
}


@pytest.mark.parametrize("data", MODES.values(), ids=MODES.keys())
def test_every_colour_mode_becomes_rgb(data: bytes) -> None:
    photo = decode_photo(data)
    assert photo.pixels.shape == (80, 120, 3)
    assert int(np.ptp(photo.pixels)) > 60  # not flattened to one tone


def test_what_is_transparent_is_white() -> None:
    for name in ("grey with alpha", "alpha", "alpha in WebP", "transparent palette"):
        assert decode_photo(MODES[name]).pixels[40, 60].min() == 255, name


def test_sixteen_bits_keep_their_order() -> None:
    rows = decode_photo(MODES["16-bit grey"]).pixels[:, 60, 0].astype(int)
    assert (np.diff(rows) >= 0).all()
    assert rows[-1] - rows[0] > 200


def test_a_colour_profile_is_applied_and_a_broken_one_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tagged = decode_photo(saved(corners(), "PNG", icc_profile=lab))
    assert np.abs(tagged.pixels.astype(int) - np.asarray(corners())).max() <= 2
    broken = decode_photo(saved(corners(), "PNG", icc_profile=b"not a profile" * 20))
    assert (broken.pixels == np.asarray(corners())).all()


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    for name in ("WEBP", "PNG"):
        data = saved(frames[0], name, save_all=True, append_images=frames[1:], lossless=True)
        assert decode_photo(data).pixels[30, 30, 0] > 200


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_large_photos_are_scaled_for_storage(name: str) -> None:
    image = Image.linear_gradient("L").resize((5000, 3000)).convert("RGB")
    photo = decode_photo(saved(image, name))
    assert (photo.width, photo.height) == (2048, 1229)


def test_many_large_photos_at_once_all_get_their_turn() -> None:
    data = to_jpeg(Image.new("RGB", (5000, 3400), (120, 90, 60)))
    with ThreadPoolExecutor(6) as pool:
        sizes = {photo.width for photo in pool.map(decode_photo, [data] * 6)}
    assert sizes == {2048}


def test_the_same_picture_has_the_same_digest_whatever_its_metadata() -> None:
    plain, secret = saved(corners(), "JPEG"), photo_with_secrets()
    assert plain != secret
    assert decode_photo(plain).digest == decode_photo(secret).digest
    assert decode_photo(plain).digest != decode_photo(saved(corners(), "PNG")).digest


def test_the_digest_tells_shapes_apart() -> None:
    black = np.zeros((60, 80, 3), dtype=np.uint8)
    assert photo_digest(black) != photo_digest(black.transpose(1, 0, 2))


def test_pixels_cannot_be_changed_behind_the_digest() -> None:
    photo = decode_photo(saved(corners(), "PNG"))
    with pytest.raises(ValueError, match="read-only"):
        photo.pixels[0, 0] = 0


def test_copies_fit_the_side_and_are_never_enlarged() -> None:
    photo = Photo(np.full((300, 900, 3), 120, dtype=np.uint8))
    assert Image.open(BytesIO(encode_jpeg(photo, max_side=450))).size == (450, 150)
    assert Image.open(BytesIO(encode_jpeg(photo, max_side=5000))).size == (900, 300)
    assert max(Image.open(BytesIO(thumbnail(photo))).size) == 320
