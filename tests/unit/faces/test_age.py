"""Estimated ages: an interval around a number, the same every time."""

import numpy as np
import pytest

from reunite.faces.age import (
    OLDEST_YEARS,
    AgeEstimator,
    AgeWeights,
    log_of_years,
    read_age_weights,
    years_of_log,
)
from reunite.faces.embedding import Chips, Embedder
from reunite.faces.engine import FaceEngine
from reunite.faces.photo import decode_photo
from reunite.faces.registry import SFACE, YUNET, FaceModelError
from tests.photos import PACKAGED


@pytest.fixture(scope="module")
def estimator() -> AgeEstimator:
    return AgeEstimator()


@pytest.fixture(scope="module")
def chips(engine: FaceEngine) -> Chips:
    photos = [decode_photo(data()) for data in PACKAGED.values()]
    return np.stack([engine.detect(photo)[0].chip for photo in photos])


def test_adults_are_adults(estimator: AgeEstimator, chips: Chips) -> None:
    for estimate in estimator.estimate(chips):
        assert 20 < estimate.years <= OLDEST_YEARS
        assert estimate.low < estimate.years <= estimate.high
        assert estimate.high - estimate.low > 5


def test_the_same_chip_has_the_same_age(estimator: AgeEstimator, chips: Chips) -> None:
    assert estimator.estimate(chips) == [estimator.estimate(c[None])[0] for c in chips]
    assert estimator.estimate(chips[:0]) == []


def test_the_template_is_the_embedders(estimator: AgeEstimator, chips: Chips) -> None:
    estimate, template = estimator.look(chips[0])
    np.testing.assert_allclose(template, Embedder(SFACE).embed(chips[:1])[0], atol=1e-4)
    assert estimate == estimator.estimate(chips[:1])[0]


def test_weights_of_another_model_are_refused(estimator: AgeEstimator) -> None:
    with pytest.raises(FaceModelError):
        AgeEstimator(estimator.weights, YUNET)


def weights(bias: float) -> AgeWeights:
    return AgeWeights(
        weights=np.zeros(4, np.float32),
        bias=bias,
        bands=np.array([5.0, 40.0]),
        low=np.array([-0.2, -0.3]),
        high=np.array([0.2, 0.3]),
        embedder_digest="",
        digest="",
    )


@pytest.mark.parametrize("bias", [-50.0, 0.0, 2.0, 3.7, 4.6, 50.0])
def test_no_age_is_impossible(bias: float) -> None:
    (estimate,) = weights(bias).estimates(np.zeros((1, 4), np.float32))
    assert 0 <= estimate.low <= estimate.years <= estimate.high <= OLDEST_YEARS


def test_years_and_their_logarithm() -> None:
    for years in (0.0, 3.5, 40.0, 89.0):
        assert years_of_log(log_of_years(years)) == pytest.approx(years)


def test_a_damaged_file_is_not_read() -> None:
    with pytest.raises(ValueError, match="pickle"):
        read_age_weights(b"nothing of the kind")
