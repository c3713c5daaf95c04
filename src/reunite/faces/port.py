"""What reads faces, whatever models are behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.faces.detection import DetectedFace
from reunite.faces.photo import Photo, Pixels
from reunite.faces.quality import Quality, Verdict
from reunite.faces.registry import FaceModel
from reunite.kernel.errors import InvalidInputError

Float32 = npt.NDArray[np.float32]

IDENTITY_ADAPTER = "identity"


@dataclass(frozen=True, eq=False, slots=True)
class FaceView:
    """One face of a photo with what is known about it.

    chip : uint8 array of shape (112, 112, 3), RGB, aligned
    """

    face: DetectedFace
    quality: Quality
    chip: Pixels


@dataclass(frozen=True, eq=False, slots=True)
class Template:
    """What is compared instead of a face.

    vector : float32 array of shape (dim,), L2-normalised
    model_digest : SHA-256 of the model that made it
    adapter_digest : "identity", or the SHA-256 of the adapter applied afterwards
    """

    vector: Float32
    model_digest: str
    adapter_digest: str
    quality: Quality

    @property
    def dim(self) -> int:
        return len(self.vector)


class FaceReader(Protocol):
    """Finds faces in photos and makes templates of them; called from several threads."""

    @property
    def model(self) -> FaceModel:
        """The embedder whose digest every template carries."""
        ...

    @property
    def dim(self) -> int:
        """Length of a template: that of the embedder's output, or of the adapter's."""
        ...

    @property
    def adapter_digest(self) -> str:
        """The adapter behind the embedder, "identity" where there is none."""
        ...

    def detect(self, photo: Photo) -> tuple[FaceView, ...]:
        """Every face, the largest first, usable or not; an empty tuple where there is none.

        The same photo gives the same faces in the same order, so an index names a face.
        """
        ...

    def template(self, view: FaceView, age_years: float | None = None) -> Template:
        """The template of one face; an adapter estimates an age that nobody tells it.

        Raises InvalidInputError for an unusable face, as ``require_usable`` does.
        """
        ...

    def templates_of(self, views: Sequence[FaceView]) -> list[Template]:
        """The templates of many faces in their order, for imports.

        Raises as ``template`` does and then makes none.
        """
        ...


class FittingReader(FaceReader, Protocol):
    """A reader that also shows what its models say before any adapter, to fit one."""

    @property
    def models(self) -> tuple[FaceModel, ...]:
        """All embedders, the main one first."""
        ...

    def embed(self, chips: Pixels) -> tuple[Float32, ...]:
        """What each model says of aligned chips.

        chips : uint8 array of shape (n, 112, 112, 3), RGB
        Returns for each model a float32 array of shape (n, its dim), rows L2-normalised.
        """
        ...


def require_faces(reader: FaceReader, photo: Photo) -> tuple[FaceView, ...]:
    """The faces of a photo that must have some.

    Raises InvalidInputError ``photo_no_face``.
    """
    views = reader.detect(photo)
    if not views:
        raise InvalidInputError("photo_no_face")
    return views


def require_usable(view: FaceView) -> FaceView:
    """``view`` itself.

    Raises InvalidInputError with the gravest reason as its code, e.g. ``face_too_small``,
    and all ``reasons`` and the ``inter_eye_px`` in its details.
    """
    quality = view.quality
    if quality.verdict is Verdict.UNUSABLE:
        raise InvalidInputError(
            quality.reasons[0], reasons=quality.reasons, inter_eye_px=round(quality.inter_eye_px)
        )
    return view
