"""How old a face looks, and how wrong that may be.

A ridge regression of log(age + 6) on the features before the recogniser's last layer, which
keep what the template is trained to forget.  The weights were fitted by ``python -m
evals.age.fit`` on photographs whose licence is research, non-commercial, and inherit it; see
docs/models-and-data.md.  An age from the record is always better: this is for photos whose
date nobody knows.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from onnx import helper

from reunite.faces.embedding import Chips
from reunite.faces.onnx_graphs import BATCH_AXIS, free_axes, open_session, parse_model
from reunite.faces.registry import SFACE, FaceModel, FaceModelError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

DATA_FILE: Final = "age_weights.npz"
FEATURES_OUTPUT: Final = "bn1"  # of SFace: 1024 channels on 7 x 7 places
TEMPLATE_OUTPUT: Final = "fc1"
OLDEST_YEARS: Final = 90.0
# Added before the logarithm: one year is as much between 1 and 2 as six between 36 and 42.
LOG_OFFSET_YEARS: Final = 6.0
COVERAGE: Final = 0.9  # share of people whose age lies between low and high


@dataclass(frozen=True, slots=True)
class AgeEstimate:
    """Years, and the interval that holds nine of ten people who look like this."""

    years: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class AgeWeights:
    """The fitted regression.

    weights : float32 (1024 * 7 * 7,)
    bias : log(years + 6) of a face without features
    bands : estimated years at which the interval's width is known, float64 (k,), rising
    low, high : float64 (k,), what to add to the logarithm for either end of the interval
    """

    weights: Float32
    bias: float
    bands: Float64
    low: Float64
    high: Float64
    embedder_digest: str
    digest: str

    def estimates(self, features: Float32) -> list[AgeEstimate]:
        """Ages of faces with these features, float32 (n, 1024 * 7 * 7)."""
        logs = features @ self.weights + np.float32(self.bias)
        return [self._estimate(float(value)) for value in logs]

    def _estimate(self, log_years: float) -> AgeEstimate:
        years = years_of_log(log_years)
        # Clipped first: a value beyond everything seen is the oldest, not older than old.
        centre = log_of_years(years)
        ends = (
            centre + float(np.interp(years, self.bands, offsets))
            for offsets in (self.low, self.high)
        )
        low, high = (years_of_log(end) for end in ends)
        return AgeEstimate(years=years, low=min(low, years), high=max(high, years))


def log_of_years(years: float) -> float:
    return float(np.log(years + LOG_OFFSET_YEARS))


def years_of_log(value: float) -> float:
    """Years, between 0 and 90."""
    return float(np.clip(np.exp(min(value, 10.0)) - LOG_OFFSET_YEARS, 0.0, OLDEST_YEARS))


def read_age_weights(data: bytes) -> AgeWeights:
    """The regression in a file that ``evals.age.fit`` wrote."""
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        return AgeWeights(
            weights=stored["weights"].astype(np.float32),
            bias=float(stored["bias"]),
            bands=stored["bands"].astype(np.float64),
            low=stored["low"].astype(np.float64),
            high=stored["high"].astype(np.float64),
            embedder_digest=str(stored["embedder_digest"]),
            digest=hashlib.sha256(data).hexdigest(),
        )


def load_age_weights() -> AgeWeights:
    """The regression that Reunite carries."""
    return read_age_weights(files("reunite.faces").joinpath(DATA_FILE).read_bytes())


class FeatureExtractor:
    """Features and templates in one run of the recogniser; safe from several threads."""

    def __init__(self, model: FaceModel = SFACE, intra_op_threads: int = 1) -> None:
        if model.sha256 != SFACE.sha256:
            raise FaceModelError("model_unknown", name=model.name, known=[SFACE.name])
        proto = parse_model(model)
        free_axes([*proto.graph.input, *proto.graph.output], {0: BATCH_AXIS})
        proto.graph.output.append(helper.make_empty_tensor_value_info(FEATURES_OUTPUT))
        self._session = open_session(proto, model, intra_op_threads)
        self._input = self._session.get_inputs()[0].name

    def extract(self, chip: Chips) -> tuple[Float32, Float32]:
        """Features and template of one aligned chip, uint8 (112, 112, 3), RGB.

        Both are averaged over the face and its mirror image: float32 (1024 * 7 * 7,), and
        the same float32 (128,), L2-normalised, that ``Embedder`` makes with ``mirror``.
        """
        pair = np.stack([chip, chip[:, ::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
        outputs = [FEATURES_OUTPUT, TEMPLATE_OUTPUT]
        features, templates = (
            np.asarray(output, dtype=np.float32)
            for output in self._session.run(outputs, {self._input: np.ascontiguousarray(pair)})
        )
        plain, mirrored = features
        unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
        both = unit.sum(axis=0)
        return (
            np.asarray((plain + mirrored[:, :, ::-1]).reshape(-1) / 2, dtype=np.float32),
            np.asarray(both / np.linalg.norm(both), dtype=np.float32),
        )


class AgeEstimator:
    """Ages of faces by the weights that Reunite carries, or by others."""

    def __init__(
        self, weights: AgeWeights | None = None, model: FaceModel = SFACE, threads: int = 1
    ) -> None:
        self.weights = weights or load_age_weights()
        if self.weights.embedder_digest != model.sha256:
            raise FaceModelError(
                "model_digest_mismatch",
                model=model.name,
                expected=self.weights.embedder_digest,
                got=model.sha256,
            )
        self._extractor = FeatureExtractor(model, threads)

    def estimate(self, chips: Chips) -> list[AgeEstimate]:
        """Ages of aligned chips, uint8 (n, 112, 112, 3), RGB; deterministic."""
        if len(chips) == 0:
            return []
        features = np.stack([self._extractor.extract(chip)[0] for chip in chips])
        return self.weights.estimates(features)

    def look(self, chip: Chips) -> tuple[AgeEstimate, Float32]:
        """Age and template of one chip, in one run of the network."""
        features, template = self._extractor.extract(chip)
        return self.weights.estimates(features[None])[0], template
