"""From what the models say about a face to a template that withstands ageing.

An adapter is fitted on people whose young and grown faces are known, see ``fitting.py``.
It takes away what ageing does to everybody, weighs directions by how well they tell people
apart across the years, and joins the models.  It is one file, known by its SHA-256; that
digest is stored with every template, so that templates of two adapters never meet.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from reunite.faces.licences import is_permissive
from reunite.kernel.errors import ReuniteError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MAGIC: Final = b"reunite face adapter\n"
FORMAT_VERSION: Final = 1
DEFAULT_ADAPTER: Final = "sface-dlib-lag.adapter"
PART_ARRAYS: Final = ("young_mean", "grown_mean", "projection", "age_slope")
GROWN_AGE_YEARS: Final = 17.0
# How fast a face passes from child to grown-up as its estimated log age grows: the estimate
# is wrong by half as often as not, so the change is spread over that.
TRANSITION_SLOPE: Final = 6.0


class AdapterError(ReuniteError):
    """An adapter cannot be used.

    Codes: ``adapter_unreadable``, ``adapter_version``, ``adapter_missing``,
    ``adapter_models_differ``, ``adapter_not_permissive`` and ``adapter_data_too_small``.
    """

    code = "adapter_unusable"


@dataclass(frozen=True, eq=False, slots=True)
class AdapterPart:
    """What is done to the embedding of one model.

    young_mean, grown_mean : float32 of shape (dim,), taken away by age
    projection : float32 of shape (dim, n); weight : share of this model in a similarity
    age_slope : float32 of shape (dim,), this model's part of the estimated log(1 + age)
    """

    model_digest: str
    weight: float
    young_mean: Float32
    grown_mean: Float32
    projection: Float32
    age_slope: Float32


@dataclass(frozen=True, eq=False)
class Adapter:
    """Parts in the order of the models, and the map that joins them.

    joining : float32 of shape (sum of n, dim)
    age_intercept : of the estimated log(1 + age)
    training_data, licence : in words; ``licence`` decides whether it may be used where only
        permissively licensed parts are allowed
    """

    name: str
    parts: tuple[AdapterPart, ...]
    joining: Float32
    age_intercept: float
    training_data: str
    licence: str

    @property
    def dim(self) -> int:
        """Length of a template."""
        return int(self.joining.shape[1])

    @property
    def is_permissive(self) -> bool:
        """Whether anybody may use it for anything."""
        return is_permissive(self.licence)

    @cached_property
    def content(self) -> bytes:
        """The file: two lines of text and the numbers, little-endian float32."""
        arrays = [("joining", self.joining)]
        for number, part in enumerate(self.parts):
            arrays += [(f"{number}.{name}", getattr(part, name)) for name in PART_ARRAYS]
        head = {
            "version": FORMAT_VERSION,
            "name": self.name,
            "training_data": self.training_data,
            "licence": self.licence,
            "age_intercept": self.age_intercept,
            "parts": [{"model": p.model_digest, "weight": p.weight} for p in self.parts],
            "arrays": [[name, list(array.shape)] for name, array in arrays],
        }
        text = json.dumps(head, sort_keys=True, ensure_ascii=True).encode() + b"\n"
        return MAGIC + text + b"".join(array.astype("<f4").tobytes() for _, array in arrays)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()

    def estimate_age_years(self, embeddings: Sequence[Float32]) -> Float64:
        """Rough ages, float64 of shape (n,): good enough to tell a child from a grown-up."""
        return np.expm1(np.clip(self._log_age(embeddings), 0.0, np.log1p(120)))

    def templates(
        self, embeddings: Sequence[Float32], ages_years: Float64 | None = None
    ) -> Float32:
        """Templates of the same faces seen by each model.

        embeddings : for each part a float32 array of shape (n, its dim), rows L2-normalised
        ages_years : float64 of shape (n,), NaN where unknown; unknown ages are estimated
        Returns float32 of shape (n, dim), rows L2-normalised.
        """
        log_ages = self._log_age(embeddings)
        if ages_years is not None:
            log_ages = np.where(np.isnan(ages_years), log_ages, np.log1p(ages_years))
        beyond = TRANSITION_SLOPE * (log_ages - np.log1p(GROWN_AGE_YEARS))
        grown = 1 / (1 + np.exp(-np.clip(beyond, -50, 50)))
        parts = []
        for part, rows in zip(self.parts, embeddings, strict=True):
            centre = np.outer(grown, part.grown_mean) + np.outer(1 - grown, part.young_mean)
            projected = unit((rows - centre) @ part.projection)
            parts.append(np.sqrt(part.weight) * projected)
        joined: Float32 = unit(np.concatenate(parts, axis=1) @ self.joining).astype(np.float32)
        return joined

    def _log_age(self, embeddings: Sequence[Float32]) -> Float64:
        log_age = np.full(len(embeddings[0]), self.age_intercept)
        for part, rows in zip(self.parts, embeddings, strict=True):
            log_age += rows @ part.age_slope.astype(np.float64)
        return log_age


def read_adapter(content: bytes) -> Adapter:
    """The adapter in a file's content.

    Raises AdapterError ``adapter_unreadable`` or ``adapter_version``.
    """
    text, separator, numbers = content.removeprefix(MAGIC).partition(b"\n")
    if not content.startswith(MAGIC) or not separator:
        raise AdapterError("adapter_unreadable")
    try:
        head = json.loads(text)
        if head["version"] != FORMAT_VERSION:
            raise AdapterError("adapter_version", version=head["version"], known=FORMAT_VERSION)
        arrays = _arrays(head["arrays"], numbers)
        adapter = Adapter(
            name=head["name"],
            parts=tuple(_part(entry, n, arrays) for n, entry in enumerate(head["parts"])),
            joining=arrays["joining"],
            age_intercept=float(head["age_intercept"]),
            training_data=head["training_data"],
            licence=head["licence"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AdapterError("adapter_unreadable") from error
    if sum(p.projection.shape[1] for p in adapter.parts) != adapter.joining.shape[0]:
        raise AdapterError("adapter_unreadable")
    return adapter


def _arrays(shapes: list[tuple[str, list[int]]], numbers: bytes) -> dict[str, Float32]:
    arrays, position = {}, 0
    for name, shape in shapes:
        count = int(np.prod(shape))
        values = np.frombuffer(numbers, "<f4", count, position)
        if not np.isfinite(values).all():
            raise ValueError(name)
        arrays[name] = values.reshape(shape).astype(np.float32)
        position += 4 * count
    if position != len(numbers):
        raise ValueError("more numbers than named")
    return arrays


def _part(entry: dict[str, Any], number: int, arrays: dict[str, Float32]) -> AdapterPart:
    prefix = f"{number}."
    own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return AdapterPart(entry["model"], float(entry["weight"]), **own)


def shipped_adapter() -> Adapter:
    """The adapter that comes with Reunite: fitted on research data, see its licence."""
    return read_adapter((files("reunite.faces") / "data" / DEFAULT_ADAPTER).read_bytes())


def unit(rows: npt.NDArray[np.floating]) -> Float64:
    """Rows of length one; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Float64 = rows / np.maximum(lengths, 1e-12)
    return scaled
