"""Hostile bytes are refused as input; nothing else may come out of the decoder."""

import warnings
from io import BytesIO

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from reunite.faces.photo import Photo, decode_photo
from reunite.kernel.errors import InvalidInputError

PICTURE = Image.effect_mandelbrot((96, 64), (-2, -1.5, 1, 1.5), 30).convert("RGB")
HEADS = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\x24\x00\x00\x00WEBPVP8 ", b"GIF89a")
HEIC_HEAD = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def _seeds() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    seeds = {}
    for name, options in {
        "JPEG": {"exif": exif},
        "PNG": {"exif": exif},
        "WEBP": {"exif": exif},
    }.items():
        buffer = BytesIO()
        PICTURE.save(buffer, name, **options)
        seeds[name] = buffer.getvalue()
    buffer = BytesIO()
    pillow_heif.from_pillow(PICTURE).save(buffer, quality=40)
    return seeds | {"HEIC": buffer.getvalue()}


SEEDS = _seeds()
THOROUGH = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def survive(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
        try:
            photo = decode_photo(data)
        except InvalidInputError:
            return
    assert isinstance(photo, Photo)
    assert photo.pixels.shape == (photo.height, photo.width, 3)
    assert max(photo.width, photo.height) <= 2048


@THOROUGH
@given(st.sampled_from((b"", *HEADS, HEIC_HEAD)), st.binary(max_size=400))
def test_random_bytes(head: bytes, rest: bytes) -> None:
    survive(head + rest)


@pytest.mark.parametrize("name", SEEDS)
@THOROUGH
@given(data=st.data())
def test_damaged_photos(name: str, data: st.DataObject) -> None:
    damaged = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        replaced = data.draw(st.integers(0, 12))
        damaged[at : at + replaced] = data.draw(st.binary(max_size=12))
        if not damaged:
            return
    survive(bytes(damaged))


@pytest.mark.parametrize("name", SEEDS)
@settings(THOROUGH, max_examples=60)
@given(share=st.floats(0, 0.97))
def test_truncated_photos_are_refused(name: str, share: float) -> None:
    cut = SEEDS[name][: int(len(SEEDS[name]) * share)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidInputError):
            decode_photo(cut)
