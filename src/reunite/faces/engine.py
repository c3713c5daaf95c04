"""Faces read by the models of the registry."""

from collections.abc import Sequence
from threading import Lock

import numpy as np

from reunite.faces.alignment import align
from reunite.faces.detection import YunetDetector
from reunite.faces.embedding import Embedder
from reunite.faces.photo import Photo
from reunite.faces.port import IDENTITY_ADAPTER, FaceView, Template, require_usable
from reunite.faces.quality import assess
from reunite.faces.registry import FaceModel, ModelKind, ModelRegistry


class FaceEngine:
    """The ``FaceReader`` that looks with real models.

    Models are loaded at the first use, or by ``load``; every method may be called from
    several threads.
    """

    def __init__(
        self,
        detector: FaceModel,
        embedder: FaceModel,
        *,
        intra_op_threads: int = 1,
        mirror: bool = True,
    ) -> None:
        self._detector_model = detector
        self._model = embedder
        self._intra_op_threads = intra_op_threads
        self._mirror = mirror
        self._lock = Lock()
        self._detector: YunetDetector | None = None
        self._embedder: Embedder | None = None

    @classmethod
    def from_registry(
        cls,
        registry: ModelRegistry,
        embedder: str | None = None,
        *,
        intra_op_threads: int = 1,
        mirror: bool = True,
    ) -> "FaceEngine":
        """The engine on the registry's detector and this embedder, or its default one.

        Raises FaceModelError ``model_unknown``.
        """
        return cls(
            registry.get_model(registry.default_detector, ModelKind.DETECTOR),
            registry.get_model(embedder or registry.default_embedder, ModelKind.EMBEDDER),
            intra_op_threads=intra_op_threads,
            mirror=mirror,
        )

    @property
    def model(self) -> FaceModel:
        """The embedder whose digest every template carries."""
        return self._model

    @property
    def adapter_digest(self) -> str:
        """No adapter yet: templates are the embedder's own."""
        return IDENTITY_ADAPTER

    def load(self) -> None:
        """Load both models now, so that the first visitor need not wait.

        Raises FaceModelError ``model_missing``, ``model_digest_mismatch``,
        ``model_unreadable``.
        """
        self._get_detector()
        self._get_embedder()

    def detect(self, photo: Photo) -> tuple[FaceView, ...]:
        """Every face, the largest first, usable or not; an empty tuple where there is none."""
        views = []
        for face in self._get_detector().detect(photo.pixels):
            chip = align(photo.pixels, face.landmarks)
            views.append(FaceView(face, assess(face, chip), chip))
        return tuple(views)

    def template(self, view: FaceView) -> Template:
        """The template of one face.

        Raises InvalidInputError for an unusable face, with the gravest reason as its code.
        """
        return self.templates_of([view])[0]

    def templates_of(self, views: Sequence[FaceView]) -> list[Template]:
        """The templates of many faces in their order; several at a time cost less each.

        Raises InvalidInputError for the first unusable face and then makes none.
        """
        if not views:
            return []
        chips = np.stack([require_usable(view).chip for view in views])
        vectors = self._get_embedder().embed(chips)
        return [
            Template(vector, self._model.sha256, self.adapter_digest, view.quality)
            for vector, view in zip(vectors, views, strict=True)
        ]

    def _get_detector(self) -> YunetDetector:
        with self._lock:
            if self._detector is None:
                self._detector = YunetDetector(self._detector_model, self._intra_op_threads)
            return self._detector

    def _get_embedder(self) -> Embedder:
        with self._lock:
            if self._embedder is None:
                self._embedder = Embedder(self._model, self._intra_op_threads, mirror=self._mirror)
            return self._embedder
