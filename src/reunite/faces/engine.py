"""Faces read by the models of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from reunite.faces.adapters import Adapter, AdapterError
from reunite.faces.alignment import align
from reunite.faces.detection import YunetDetector
from reunite.faces.embedding import Chips, Embedder, Float32
from reunite.faces.photo import Photo
from reunite.faces.port import IDENTITY_ADAPTER, FaceView, Template, require_usable
from reunite.faces.quality import assess
from reunite.faces.registry import FaceModel, ModelKind, ModelRegistry


@dataclass(frozen=True, slots=True)
class Adapted:
    """An adapter with its models, the embedder first."""

    adapter: Adapter
    models: tuple[FaceModel, ...]

    @classmethod
    def of(cls, registry: ModelRegistry, embedder: FaceModel, adapter: Adapter) -> "Adapted":
        """The adapter's models out of the registry.

        Raises AdapterError ``adapter_models_differ`` when it was fitted for another embedder,
        or together with a model that is not there.
        """
        models = [registry.find_by_digest(part.model_digest) for part in adapter.parts]
        there = tuple(model for model in models if model is not None)
        if len(there) < len(models) or there[0].sha256 != embedder.sha256:
            raise AdapterError(
                "adapter_models_differ", adapter=adapter.name, embedder=embedder.name
            )
        return cls(adapter, there)


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
        adapted: Adapted | None = None,
        others: Sequence[FaceModel] = (),
        intra_op_threads: int = 1,
        mirror: bool = True,
    ) -> None:
        self._detector_model = detector
        self._model = embedder
        self._adapted = adapted
        self._models = (embedder, *others) if adapted is None else adapted.models
        self._intra_op_threads = intra_op_threads
        self._mirror = mirror
        self._lock = Lock()
        self._detector: YunetDetector | None = None
        self._embedders: tuple[Embedder, ...] | None = None

    @classmethod
    def from_registry(
        cls,
        registry: ModelRegistry,
        embedder: str | None = None,
        *,
        adapter: Adapter | None = None,
        others: Sequence[str] = (),
        intra_op_threads: int = 1,
        mirror: bool = True,
    ) -> "FaceEngine":
        """The engine on the registry's detector and this embedder, or its default one.

        ``adapter`` makes the templates from this embedder and its own others; without one,
        ``others`` names embedders to read with as well, to fit an adapter.
        Raises FaceModelError ``model_unknown`` and AdapterError ``adapter_models_differ``.
        """
        model = registry.get_model(embedder or registry.default_embedder, ModelKind.EMBEDDER)
        return cls(
            registry.get_model(registry.default_detector, ModelKind.DETECTOR),
            model,
            adapted=None if adapter is None else Adapted.of(registry, model, adapter),
            others=[registry.get_model(name, ModelKind.EMBEDDER) for name in others],
            intra_op_threads=intra_op_threads,
            mirror=mirror,
        )

    @property
    def model(self) -> FaceModel:
        """The embedder whose digest every template carries."""
        return self._model

    @property
    def models(self) -> tuple[FaceModel, ...]:
        """All embedders that this engine reads with, the main one first."""
        return self._models

    @property
    def adapter(self) -> Adapter | None:
        """The adapter behind the embedders, None where templates are the main one's output."""
        return None if self._adapted is None else self._adapted.adapter

    @property
    def adapter_digest(self) -> str:
        """The adapter's SHA-256, or "identity" where templates are the embedder's own."""
        return IDENTITY_ADAPTER if self._adapted is None else self._adapted.adapter.digest

    @property
    def dim(self) -> int:
        """Length of a template."""
        return self._model.dim if self._adapted is None else self._adapted.adapter.dim

    def load(self) -> None:
        """Load all models now, so that the first visitor need not wait.

        Raises FaceModelError ``model_missing``, ``model_digest_mismatch``,
        ``model_unreadable``.
        """
        self._get_detector()
        self._get_embedders()

    def detect(self, photo: Photo) -> tuple[FaceView, ...]:
        """Every face, the largest first, usable or not; an empty tuple where there is none."""
        views = []
        for face in self._get_detector().detect(photo.pixels):
            chip = align(photo.pixels, face.landmarks)
            views.append(FaceView(face, assess(face, chip), chip))
        return tuple(views)

    def template(self, view: FaceView, age_years: float | None = None) -> Template:
        """The template of one face; the adapter estimates an age that nobody tells it.

        Raises InvalidInputError for an unusable face, with the gravest reason as its code.
        """
        return self._templates([view], [age_years])[0]

    def templates_of(self, views: Sequence[FaceView]) -> list[Template]:
        """The templates of many faces in their order; several at a time cost less each.

        Raises InvalidInputError for the first unusable face and then makes none.
        """
        return self._templates(views, [None] * len(views))

    def _templates(
        self, views: Sequence[FaceView], ages_years: Sequence[float | None]
    ) -> list[Template]:
        if not views:
            return []
        chips = np.stack([require_usable(view).chip for view in views])
        embeddings = self.embed(chips)
        vectors = embeddings[0]
        if self._adapted is not None:
            ages = np.array([np.nan if age is None else age for age in ages_years])
            vectors = self._adapted.adapter.templates(embeddings, ages)
        return [
            Template(vector, self._model.sha256, self.adapter_digest, view.quality)
            for vector, view in zip(vectors, views, strict=True)
        ]

    def _get_detector(self) -> YunetDetector:
        with self._lock:
            if self._detector is None:
                self._detector = YunetDetector(self._detector_model, self._intra_op_threads)
            return self._detector

    def embed(self, chips: Chips) -> tuple[Float32, ...]:
        """What each model says of aligned chips, before any adapter; for fitting one.

        chips : uint8 array of shape (n, 112, 112, 3), RGB
        Returns for each model a float32 array of shape (n, its dim), rows L2-normalised.
        """
        return tuple(embedder.embed(chips) for embedder in self._get_embedders())

    def _get_embedders(self) -> tuple[Embedder, ...]:
        with self._lock:
            if self._embedders is None:
                self._embedders = tuple(
                    Embedder(model, self._intra_op_threads, mirror=self._mirror)
                    for model in self._models
                )
            return self._embedders
