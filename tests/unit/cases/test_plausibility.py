"""What speaks for and against a sighting."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.cases.plausibility import History, weigh
from reunite.kernel.ids import AccountId, CaseId
from reunite.testing.factories import make_sighting

SIGHTING = replace(make_sighting(CaseId(1), AccountId(1)), similarity=None)
HOUR = timedelta(hours=1)


def codes(
    distance_km: float | None = None,
    missing_for: timedelta | None = None,
    history: History = History(),  # noqa: B008
    **changes: object,
) -> dict[str, float]:
    weighed = weigh(replace(SIGHTING, **changes), distance_km, missing_for, history)  # type: ignore[arg-type]
    assert weighed.points == pytest.approx(sum(reason.points for reason in weighed.reasons))
    return {reason.code: reason.points for reason in weighed.reasons}


@pytest.mark.parametrize(
    ("distance_km", "hours", "code"),
    [
        (0.9, 0, "within_walking_distance"),
        (4.2, 1, "within_walking_distance"),
        (4.3, 1, "only_by_vehicle"),
        (81.0, 1, "only_by_vehicle"),
        (82.0, 1, "only_by_train_or_plane"),
        (902.0, 1, "too_far_for_the_time"),
        (2.0, 0, "too_far_for_the_time"),
        (2.0, -5, "too_far_for_the_time"),
    ],
)
def test_the_way_must_be_possible_in_the_time(distance_km: float, hours: int, code: str) -> None:
    assert code in codes(distance_km, hours * HOUR)


@pytest.mark.parametrize(
    ("similarity", "code"),
    [
        (0.5, "face_very_alike"),
        (0.4, "face_alike"),
        (0.3, "face_undecided"),
        (0.1, "face_unlike"),
    ],
)
def test_faces_count_by_how_alike_they_are(similarity: float, code: str) -> None:
    assert code in codes(similarity=similarity, photo_key="a")


def test_a_good_history_speaks_for_and_a_bad_one_against() -> None:
    assert codes(history=History(3, 1))["reporter_often_right"] > 0
    assert codes(history=History(1, 3))["reporter_often_wrong"] < 0
    assert (
        not {"reporter_often_right", "reporter_often_wrong"} & codes(history=History(2, 1)).keys()
    )


def test_what_is_missing_or_late_counts_less() -> None:
    assert "sighting_without_place" in codes(place=None)
    assert "seen_just_now" not in codes(seen_at=SIGHTING.reported_at - 3 * HOUR)
    assert "seen_just_now" in codes(seen_at=SIGHTING.reported_at - HOUR)


@given(st.floats(0, 20_000), st.floats(0, 20_000), st.floats(0, 100), st.floats(0, 1))
def test_nearer_is_never_less_plausible(
    a: float, b: float, hours: float, similarity: float
) -> None:
    seen = replace(SIGHTING, similarity=similarity, photo_key="a")
    near, far = (weigh(seen, km, hours * HOUR, History()).points for km in sorted((a, b)))
    assert near >= far
