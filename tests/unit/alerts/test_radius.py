"""How far an alert reaches."""

from datetime import timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.radius import (
    CHILD_BY_AGE,
    ELDER_WITH_DEMENTIA,
    LARGEST_RADIUS_KM,
    ON_FOOT_FOR,
    SMALLEST_RADIUS_KM,
    TOWN_RADIUS_KM,
    Range,
    child_range,
    radius_km,
    require_radius,
)
from reunite.kernel.errors import InvalidInputError

CATEGORIES = [*(distance for _, distance in CHILD_BY_AGE), ELDER_WITH_DEMENTIA]
spans = st.timedeltas(timedelta(days=-1), timedelta(days=20_000))


@pytest.mark.parametrize("category", CATEGORIES)
@given(a=spans, b=spans)
def test_the_radius_never_shrinks_as_time_passes(
    category: Range, a: timedelta, b: timedelta
) -> None:
    assert radius_km(category, min(a, b)) <= radius_km(category, max(a, b))


@pytest.mark.parametrize("category", CATEGORIES)
@given(span=spans)
def test_the_radius_stays_within_its_limits(category: Range, span: timedelta) -> None:
    radius = radius_km(category, span)
    assert SMALLEST_RADIUS_KM <= radius <= TOWN_RADIUS_KM
    assert require_radius(radius) == radius
    if timedelta(0) <= span <= ON_FOOT_FOR:
        assert radius <= max(SMALLEST_RADIUS_KM, category.most_km)
        assert radius >= category.half_km


@pytest.mark.parametrize(
    ("category", "hours", "km"),
    [
        (child_range(2), 0, 3.0),
        (child_range(2), 48, 3.0),
        (child_range(5), 0.5, 3.0),
        (child_range(5), 24, 3.4),
        (child_range(8), 1, 3.2),
        (child_range(8), 48, 5.1),
        (child_range(11), 1, 3.2),
        (child_range(14), 2, 6.4),
        (child_range(14), 72, 10.0),
        (ELDER_WITH_DEMENTIA, 3, 9.6),
        (ELDER_WITH_DEMENTIA, 9, 12.6),
        (ELDER_WITH_DEMENTIA, 73, 30.0),
        (ELDER_WITH_DEMENTIA, -5, 3.0),
    ],
)
def test_the_published_distances(category: Range, hours: float, km: float) -> None:
    assert radius_km(category, timedelta(hours=hours)) == pytest.approx(km)


@given(st.integers(-3, 120), st.integers(-3, 120))
def test_older_children_are_looked_for_no_nearer(a: int, b: int) -> None:
    younger, older = child_range(min(a, b)), child_range(max(a, b))
    assert younger.most_km <= older.most_km


@pytest.mark.parametrize(
    ("age_years", "most_km"),
    [(0, 1.1), (3, 1.1), (4, 3.4), (6, 3.4), (7, 5.1), (9, 5.1), (10, 5.8), (12, 5.8), (13, 10.0),
     (16, 10.0), (17, 10.0), (60, 10.0)],
)  # fmt: skip
def test_ages_fall_into_their_category(age_years: int, most_km: float) -> None:
    assert child_range(age_years).most_km == most_km


def test_half_are_found_nearer_than_most() -> None:
    for category in CATEGORIES:
        assert 0 < category.half_km < category.most_km


@pytest.mark.parametrize("radius", [0.0, -1.0, LARGEST_RADIUS_KM + 0.1, nan, inf, -inf])
def test_impossible_radii_are_refused(radius: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_radius(radius)
    assert caught.value.code == "radius_out_of_range"
    assert caught.value.details == {"field": "radius_km", "maximum": LARGEST_RADIUS_KM}


@pytest.mark.parametrize("radius", [0.1, 3.0, LARGEST_RADIUS_KM])
def test_possible_radii_are_kept(radius: float) -> None:
    assert require_radius(radius) == radius
