"""A similarity means less between small children, and never less the higher it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reunite.faces.adapters import shipped_adapter, unit
from reunite.faces.calibration import (
    UNKNOWN_BAND,
    Calibration,
    CalibrationError,
    Pooling,
    Support,
    band_of,
    find_calibration,
    read_calibration,
    shipped_calibrations,
    write_calibration,
)
from reunite.faces.calibration_fitting import (
    Mates,
    Strangers,
    fit_calibration,
    fit_pooling,
    stranger_pairs,
)
from reunite.faces.port import IDENTITY_ADAPTER
from reunite.faces.registry import SFACE

AGE = st.none() | st.floats(0, 90)


@pytest.fixture(scope="module")
def shipped() -> Calibration:
    found = find_calibration(SFACE.sha256, shipped_adapter().digest)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("age", "band"), [(0, 0), (2.9, 0), (3, 1), (6, 2), (12.9, 2), (13, 3), (18.9, 3), (19, 4)]
)
def test_age_bands(age: float, band: int) -> None:
    assert band_of(age) == band
    assert band_of(None) == UNKNOWN_BAND


def test_with_and_without_the_adapter_there_is_a_calibration() -> None:
    assert find_calibration(SFACE.sha256, IDENTITY_ADAPTER) is not None
    assert find_calibration("other", IDENTITY_ADAPTER) is None


def test_small_children_need_more_for_the_same_rarity(shipped: Calibration) -> None:
    thresholds = [shipped.similarity_at(1e-3, age, age) for age in (1, 4, 9, 16, 40)]
    assert thresholds[0] > thresholds[1] > thresholds[4]
    infants, adults = shipped.weigh(0.5, 1, 1), shipped.weigh(0.5, 40, 40)
    assert infants.false_match_rate > 5 * adults.false_match_rate
    assert infants.is_weak
    assert not adults.is_weak
    assert infants.support <= Support.SLIGHT < adults.support


def test_the_threshold_has_the_rate_that_was_asked_for(shipped: Calibration) -> None:
    for age in (1, 4, 9, 16, 40, None):
        threshold = shipped.similarity_at(1e-3, age, 30)
        assert shipped.weigh(threshold, age, 30).false_match_rate == pytest.approx(1e-3)


@given(a=AGE, b=AGE, low=st.floats(-1, 1), high=st.floats(-1, 1), same=st.booleans())
def test_more_alike_never_says_less(
    a: float | None, b: float | None, low: float, high: float, same: bool
) -> None:
    assume(low <= high)
    for calibration in shipped_calibrations():
        less = calibration.weigh(low, a, b, same_sex=same)
        more = calibration.weigh(high, a, b, same_sex=same)
        assert more.likelihood_ratio >= less.likelihood_ratio * (1 - 1e-9)
        assert more.false_match_rate <= less.false_match_rate
        assert more.support >= less.support
        swapped = calibration.weigh(high, b, a, same_sex=same)
        assert swapped == more


@given(ratio=st.floats(-0.2, 1), searched=st.integers(1, 10_000_000))
def test_a_probability_falls_with_the_number_of_people_searched(
    ratio: float, searched: int
) -> None:
    likelihood = shipped_calibrations()[0].weigh(ratio, 30, 40)
    alone = likelihood.probability(searched)
    assert 0 <= alone <= 1
    assert likelihood.probability(searched * 2) <= alone


def test_bits_add_up_like_logarithms(shipped: Calibration) -> None:
    likelihood = shipped.weigh(0.7, 30, 50)
    assert 2**likelihood.bits == pytest.approx(likelihood.likelihood_ratio)
    assert likelihood.support is Support.VERY_STRONG


def test_a_file_gives_back_what_was_written(shipped: Calibration) -> None:
    again = read_calibration(write_calibration(shipped))
    assert again == shipped


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_calibration_is_refused(text: str) -> None:
    with pytest.raises(CalibrationError):
        read_calibration(text)


def made_strangers(seed: int, faces: int = 2000) -> Strangers:
    """Unlike one another when grown, and alike when small."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(0, 60, faces)
    ages[: faces // 2] = rng.uniform(0, 18, faces // 2)
    childish = np.ones(32) * np.maximum(0, 6 - ages)[:, None] / 6
    rows = rng.standard_normal((faces, 32)) + childish
    return Strangers(unit(rows).astype(np.float32), ages, rng.integers(0, 2, faces))


def made_calibration() -> Calibration:
    rng = np.random.default_rng(3)
    similarity = rng.normal(0.6, 0.1, 2000).astype(np.float32)
    return fit_calibration(
        made_strangers(0),
        Mates(similarity, rng.uniform(0, 18, 2000), similarity[:500] + np.float32(0.1)),
        model_digest="model",
        adapter_digest="adapter",
        fitted_on="invented people",
    )


def test_false_matches_of_others_are_as_rare_as_promised_at_every_age() -> None:
    calibration, others = made_calibration(), made_strangers(1)
    for band, age in enumerate((1, 4, 9, 16, 40)):
        similarity, _ = stranger_pairs(others, band, band, np.random.default_rng(5))
        for rate in (1e-2, 3e-3):
            found = float((similarity > calibration.similarity_at(rate, age, age)).mean())
            assert rate / 2 < found < rate * 2, (band, rate, found)
    grown = calibration.similarity_at(1e-2, 40, 40)
    small, _ = stranger_pairs(others, 0, 0, np.random.default_rng(5))
    assert (small > grown).mean() > 0.03


def test_mates_are_those_that_were_seen() -> None:
    calibration = made_calibration()
    assert calibration.mates[2, True].mean == pytest.approx(0.6, abs=0.02)
    assert calibration.mates[4, False].mean == pytest.approx(0.7, abs=0.03)
    # Between them by judgement.
    assert calibration.mates[2, False].mean == pytest.approx(0.65, abs=0.03)


def test_of_ages_that_nobody_has_seen_the_worst_is_assumed() -> None:
    strangers = made_strangers(0, 400)
    grown = strangers.ages_years >= 19
    few = Strangers(
        strangers.templates[grown], strangers.ages_years[grown], np.full(grown.sum(), -1)
    )
    rng = np.random.default_rng(0)
    mates = Mates(
        rng.normal(0.6, 0.1, 200).astype(np.float32), np.full(200, np.nan), np.zeros(0, np.float32)
    )
    calibration = fit_calibration(
        few, mates, model_digest="m", adapter_digest="a", fitted_on="few people"
    )
    grown_ones = calibration.strangers["any"][4, 4]
    assert calibration.strangers["any"][0, 0].inv_cdf(0.999) >= grown_ones.inv_cdf(0.999)
    assert calibration.strangers["same_sex"][4, 4] == grown_ones  # no sex is known


def test_several_photos_narrow_what_chance_can_do(shipped: Calibration) -> None:
    pooled = replace(shipped, pooling=Pooling(strangers=0.5, mates=0.5))
    rates = [pooled.weigh(0.4, None, None, photos=(n, 1)).false_match_rate for n in (1, 2, 4)]
    assert rates[0] > rates[1] > rates[2]
    assert pooled.weigh(0.4, None, None) == shipped.weigh(0.4, None, None)
    same = replace(shipped, pooling=Pooling())
    assert same.weigh(0.4, 5, 30, photos=(3, 2)) == same.weigh(0.4, 5, 30)
    assert pooled.weigh(0.4, 5, 30, photos=(3, 2)) == pooled.weigh(0.4, 30, 5, photos=(2, 3))


def test_pooling_is_found_again_and_kept_in_a_file(shipped: Calibration) -> None:
    rng = np.random.default_rng(4)
    people, dim = 300, 64
    own = rng.standard_normal((people, dim))
    # Two young photos share a third of what they add to the person; then one grown photo.
    common = rng.standard_normal((people, dim)) * 0.6
    photos = [own + common + rng.standard_normal((people, dim)) * 0.6 for _ in range(2)]
    photos.append(own + rng.standard_normal((people, dim)) * 0.8)
    templates = unit(np.concatenate(photos)).astype(np.float32)
    ids, young = np.tile(np.arange(people), 3), np.repeat([True, True, False], people)
    pooling = fit_pooling(templates, ids, young, np.zeros(len(ids), dtype=np.int64))
    # Cosine of two photos of one person: the correlation of their similarities to strangers.
    expected = (1 + 0.36) / (1 + 0.36 + 0.36)
    assert pooling.strangers == pytest.approx(expected, abs=0.05)
    assert 0 < pooling.mates < 1
    kept = read_calibration(write_calibration(replace(shipped, pooling=pooling)))
    assert kept.pooling.strangers == pytest.approx(pooling.strangers, abs=1e-3)


def test_few_people_with_two_photos_tell_nothing() -> None:
    templates = unit(np.random.default_rng(0).standard_normal((30, 8))).astype(np.float32)
    ids, young = np.arange(30) // 3, np.tile([True, True, False], 10)
    assert fit_pooling(templates, ids, young, np.zeros(30, dtype=np.int64)) == Pooling()


def test_below_the_least_similarity_no_ages_make_it_rare(shipped: Calibration) -> None:
    least = shipped.least_similarity(0.02)
    for ages in ((None, None), (1.0, 1.0), (4.0, 30.0), (40.0, 40.0)):
        for same_sex in (False, True):
            weighed = shipped.weigh(least - 0.001, *ages, same_sex=same_sex)
            assert weighed.false_match_rate > 0.02
