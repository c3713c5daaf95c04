"""Free photographs that libraries ship, and pictures derived from them.

The astronaut of scikit-image (NASA) and the rear admiral of matplotlib (US Navy) are in
the public domain.  Nobody else's face is used, and every name beside them is invented.
"""

from importlib.resources import files
from io import BytesIO

from PIL import Image, ImageEnhance, ImageOps

DERIVED_QUALITY = 40


def astronaut() -> bytes:
    """The portrait that ships with scikit-image, as a file."""
    return files("skimage").joinpath("data", "astronaut.png").read_bytes()


def rear_admiral() -> bytes:
    """The portrait that ships with matplotlib, as a file."""
    return files("matplotlib").joinpath("mpl-data", "sample_data", "grace_hopper.jpg").read_bytes()


def as_if_older_print(photo: bytes) -> bytes:
    """Grey, mirrored, smaller, flatter: what a scan of an old print does to a face."""
    image = Image.open(BytesIO(photo)).convert("L")
    image = ImageOps.mirror(image)
    image.thumbnail((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.LANCZOS)
    return _jpeg(ImageEnhance.Contrast(image).enhance(0.8))


def as_if_by_telephone(photo: bytes) -> bytes:
    """Darker and coarsely compressed, as a hurried picture in the street."""
    image = Image.open(BytesIO(photo)).convert("RGB")
    return _jpeg(ImageEnhance.Brightness(image.rotate(4, expand=False)).enhance(0.75))


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=DERIVED_QUALITY)
    return buffer.getvalue()
