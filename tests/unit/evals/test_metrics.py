"""Figures worked out by hand on trials small enough to see through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.faces.metrics import (
    Trial,
    Weighted,
    best_per_person,
    bootstrap,
    ci95,
    identity_folds,
    investigation_fnir,
    mate_ranks,
    mean_figures,
    open_set_fnir,
    pair_accuracy,
    threshold_at,
    true_positive_rate,
    within_rank,
)


def trial(scores: list[list[float]], probes: list[int], gallery: list[int]) -> Trial:
    return Trial(np.array(scores, np.float32), np.array(probes), np.array(gallery))


THREE = trial(
    [[0.9, 0.2, 0.3, 0.1], [0.5, 0.4, 0.45, 0.6], [0.7, 0.1, 0.2, 0.3]],
    probes=[1, 2, 3],
    gallery=[1, 2, 2, -1],
)


def test_a_person_counts_once_with_the_best_photo_and_every_stranger_for_one() -> None:
    scores, ids = best_per_person(THREE)
    assert ids.tolist() == [1, 2, -1]
    np.testing.assert_allclose(scores[0], [0.9, 0.3, 0.1])


def test_ranks_count_people_and_a_probe_without_a_mate_has_none() -> None:
    ranks, mates = mate_ranks(THREE)
    assert ranks.tolist() == [1, 3, 0]
    np.testing.assert_allclose(mates, [0.9, 0.45, np.nan])
    assert within_rank(ranks, 1) == 0.5
    assert investigation_fnir(ranks, 1) == 0.5
    assert within_rank(ranks, 10) == 1.0


def test_a_tie_counts_against_us() -> None:
    ranks, _ = mate_ranks(trial([[0.5, 0.5]], [1], [1, 2]))
    assert ranks.tolist() == [2]


def test_a_threshold_lets_no_more_impostors_through_than_asked() -> None:
    impostor = np.arange(1000, dtype=np.float32)
    assert (impostor > threshold_at(impostor, 1e-2)).sum() == 10
    assert (impostor > threshold_at(impostor, 1e-4)).sum() == 0
    genuine = np.array([998.5, 990.0, 5.0], np.float32)
    assert true_positive_rate(genuine, impostor, 1e-2) == pytest.approx(2 / 3)


def test_open_set_misses_are_counted_at_the_threshold_of_absent_people() -> None:
    # Without their own person the probes reach .3, .6 and .7; none may pass: mates .9, .45.
    assert open_set_fnir(THREE, 1e-2) == 0.5


def test_ten_fold_accuracy_takes_its_threshold_from_the_other_folds() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.25], np.float32)
    same = np.array([True, False, True, False, True, False])
    mean, _ = pair_accuracy(scores, same, np.array([0, 0, 1, 1, 2, 2]))
    # The third pair of folds is separable only below the others' threshold of .5.
    assert mean == pytest.approx(5 / 6)


def test_nobody_is_in_two_folds() -> None:
    ids = np.repeat(np.arange(20), 3)
    folds = identity_folds(ids, 4, seed=1)
    assert all(len(set(folds[ids == person])) == 1 for person in range(20))
    assert np.bincount(folds).tolist() == [15, 15, 15, 15]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_equal_weights_give_the_plain_figures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probes, gallery = rng.integers(0, 12, 30), rng.integers(-1, 12, 60)
    scores = rng.standard_normal((30, 60)).astype(np.float32)
    one = Trial(scores, probes, gallery)
    figures = Weighted(one).figures()
    ranks, _ = mate_ranks(one)
    assert figures["rank1"] == pytest.approx(within_rank(ranks, 1))
    assert figures["rank10"] == pytest.approx(within_rank(ranks, 10))
    assert figures["tpr_at_fpr_1e2"] == pytest.approx(
        true_positive_rate(scores[one.same], scores[~one.same], 1e-2)
    )


def test_the_bootstrap_draws_people_alike_for_every_method_and_surrounds_the_figure() -> None:
    rng = np.random.default_rng(0)
    probes = np.repeat(np.arange(40), 2)
    scores = rng.standard_normal((80, 80)).astype(np.float32)
    scores[probes[:, None] == probes] += 2
    weighted = Weighted(Trial(scores, probes, probes))
    drawn = bootstrap({"a": [weighted], "b": [weighted]}, draws=60)
    assert drawn["a"] == drawn["b"]
    low, high = ci95([draw["rank1"] for draw in drawn["a"]])
    assert low < mean_figures([weighted])["rank1"] < high
    assert 0.02 < high - low < 0.5
