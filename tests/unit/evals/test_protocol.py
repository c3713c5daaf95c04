"""Who is fitted on whom, and figures by lapse and by the younger age."""

import numpy as np

from evals.faces.layouts import Split
from evals.faces.metrics import Trial
from evals.faces.protocol import People, Tried, folds_of, slices_of, try_method

PEOPLE = 60


def tried_with(probe_years: float, gallery_years: float, genuine: float, first: int = 0) -> Tried:
    """Everybody once as a child and once grown, as alike as ``genuine``; strangers are .5."""
    ids = np.arange(first, first + PEOPLE)
    scores = np.full((PEOPLE, PEOPLE), 0.5, dtype=np.float32)
    np.fill_diagonal(scores, genuine)
    return Tried(
        Trial(scores, ids, ids),
        np.full(PEOPLE, probe_years),
        np.full(PEOPLE, gallery_years),
    )


def test_slices_are_by_lapse_and_by_the_younger_age() -> None:
    alike, unlike = tried_with(15, 19, 0.9), tried_with(4, 40, 0.1, first=PEOPLE)
    report = slices_of([alike, unlike], draws=20)
    assert set(report["by_lapse"]) == {"0-5", "30+"}
    assert set(report["by_younger_age"]) == {"<6", "13-17"}
    near, far = report["by_lapse"]["0-5"], report["by_lapse"]["30+"]
    assert (near["genuine_pairs"], near["probes"]) == (PEOPLE, PEOPLE)
    assert (near["tpr_at_fpr_1e3"], near["rank1"]) == (1.0, 1.0)
    # Less alike than every stranger: the last of sixty, and beyond any threshold.
    assert (far["tpr_at_fpr_1e2"], far["rank1"], far["rank50"]) == (0.0, 0.0, 0.0)
    assert report["by_younger_age"]["<6"] == far
    assert near["rank1_ci95"] == [1.0, 1.0]


def test_unknown_ages_and_few_pairs_make_no_slice() -> None:
    unknown = tried_with(np.nan, 30, 0.9)
    assert slices_of([unknown]) == {"by_lapse": {}, "by_younger_age": {}}


def test_intervals_are_over_people_and_not_over_photos() -> None:
    """Two people with many photos each say as little as two people."""
    ids = np.repeat([0, 1], 40)
    scores = np.where(ids[:, None] == ids[None, :], 0.9, 0.1).astype(np.float32)
    scores[ids == 1] = 0.05  # one of the two is never found
    trial = Trial(scores, ids, ids)
    one = Tried(trial, np.full(80, 10.0), np.full(80, 12.0))
    low, high = slices_of([one], draws=100)["by_lapse"]["0-5"]["rank1_ci95"]
    assert (low, high) == (0.0, 1.0)


def test_slices_may_go_by_ages_that_no_method_is_told() -> None:
    people = People(
        ids=np.array([0, 0, 1, 1]),
        young=np.array([True, False, True, False]),
        ages=np.full(4, np.nan),
        sealed=np.zeros(4, dtype=np.bool_),
    )
    looks = np.array([5.0, 30.0, 7.0, 50.0])
    folds = folds_of(people, Split.DEV, 1, 0)
    templates = np.eye(4, dtype=np.float32)[[0, 0, 1, 1]]
    [tried] = try_method(lambda _: lambda at: templates[at], people, folds, sliced_by=looks)
    assert tried.probe_ages.tolist() == [5.0, 7.0]
    assert tried.gallery_ages.tolist() == [30.0, 50.0]
    assert tried.trial.scores.tolist() == [[1.0, 0.0], [0.0, 1.0]]
