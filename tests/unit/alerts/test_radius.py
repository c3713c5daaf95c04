"""How far an alert reaches."""

from datetime import timedelta
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.alerts.radius import (
    LARGEST_RADIUS_KM,
    LEAST_GROWTH,
    ON_FOOT_FOR,
    RANGES,
    RULES,
    SMALLEST_RADIUS_KM,
    TOWN_RADIUS_KM,
    Category,
    TravelMode,
    child_category,
    radius_km,
    require_radius,
    waves,
)
from reunite.kernel.errors import InvalidInputError

ON_FOOT = [category for category in Category if category is not Category.ABDUCTION]
spans = st.timedeltas(timedelta(days=-1), timedelta(days=20_000))
categories = st.sampled_from(Category)
modes = st.sampled_from(TravelMode)


@given(categories, modes, spans, spans)
def test_the_radius_never_shrinks_as_time_passes(
    category: Category, mode: TravelMode, a: timedelta, b: timedelta
) -> None:
    assert radius_km(category, min(a, b), mode) <= radius_km(category, max(a, b), mode)


@given(categories, spans)
def test_a_vehicle_goes_further_than_feet(category: Category, span: timedelta) -> None:
    assert radius_km(category, span) <= radius_km(category, span, TravelMode.VEHICLE)


@given(categories, modes, spans)
def test_every_radius_is_one_that_may_be_used(
    category: Category, mode: TravelMode, span: timedelta
) -> None:
    radius = radius_km(category, span, mode)
    assert radius >= SMALLEST_RADIUS_KM
    assert require_radius(radius) == radius


@given(st.sampled_from(ON_FOOT), spans)
def test_on_foot_the_radius_stays_within_what_was_counted(
    category: Category, span: timedelta
) -> None:
    radius = radius_km(category, span)
    assert radius <= TOWN_RADIUS_KM
    if timedelta(0) <= span <= ON_FOOT_FOR:
        assert radius <= max(SMALLEST_RADIUS_KM, RANGES[category].most_km)
        assert radius >= RANGES[category].half_km


@pytest.mark.parametrize(
    ("category", "hours", "km"),
    [
        (child_category(2), 0, 3.0),
        (child_category(2), 48, 3.0),
        (child_category(5), 0.5, 3.0),
        (child_category(5), 24, 3.4),
        (child_category(8), 1, 3.2),
        (child_category(8), 48, 5.1),
        (child_category(11), 1, 3.2),
        (child_category(14), 2, 6.4),
        (child_category(14), 72, 10.0),
        (Category.DEMENTIA, 3, 9.6),
        (Category.DEMENTIA, 9, 12.6),
        (Category.AUTISM, 9, 8.0),
        (Category.INTELLECTUAL_DISABILITY, 9, 9.9),
        (Category.DESPONDENT, 9, 13.0),
        (Category.DESPONDENT, 72.1, 30.0),
        (Category.ABDUCTION, 0.5, 100.0),
        (Category.ABDUCTION, 2, 200.0),
        (Category.ABDUCTION, 2.5, 300.0),
        (Category.ABDUCTION, 3.5, 500.0),
    ],
)
def test_radii_worked_out_by_hand(category: Category, hours: float, km: float) -> None:
    assert radius_km(category, timedelta(hours=hours)) == pytest.approx(km)


@settings(deadline=None)
@given(categories, modes, spans)
def test_each_wave_reaches_markedly_further(
    category: Category, mode: TravelMode, span: timedelta
) -> None:
    planned = waves(category, span, mode)
    assert planned[0].radius_km == radius_km(category, span, mode)
    for earlier, later in pairwise(planned):
        assert later.after > earlier.after
        assert later.radius_km >= earlier.radius_km * LEAST_GROWTH
        assert later.radius_km == radius_km(category, later.after, mode)
    # What is left out at the end is less than a wave.
    ever = radius_km(category, timedelta(days=9999), mode)
    assert planned[-1].radius_km > ever / LEAST_GROWTH


def test_an_abduction_widens_every_hour() -> None:
    planned = waves(Category.ABDUCTION, timedelta(minutes=20))
    assert [wave.radius_km for wave in planned] == [100.0, 200.0, 300.0, 500.0]


def test_after_days_one_wave_is_all() -> None:
    assert len(waves(Category.DEMENTIA, timedelta(days=4))) == 1


@given(a=st.integers(0, 120), b=st.integers(0, 120))
def test_an_older_child_is_sought_at_least_as_far(a: int, b: int) -> None:
    younger, older = RANGES[child_category(min(a, b))], RANGES[child_category(max(a, b))]
    assert younger.most_km <= older.most_km


@pytest.mark.parametrize(
    ("age_years", "most_km"),
    [(0, 1.1), (3, 1.1), (4, 3.4), (6, 3.4), (7, 5.1), (9, 5.1), (10, 5.8), (12, 5.8), (13, 10.0),
     (16, 10.0), (17, 10.0), (60, 10.0)],
)  # fmt: skip
def test_ages_fall_into_their_category(age_years: int, most_km: float) -> None:
    assert RANGES[child_category(age_years)].most_km == most_km


def test_every_category_has_its_numbers_and_their_source() -> None:
    assert set(RANGES) == set(Category)
    for rule in RULES["category"].values():
        assert rule["source"] in RULES["sources"]
        published = [km for km in rule["quantiles_km"] if km]
        assert len(rule["quantiles_km"]) == 4
        assert published == sorted(published)
    for name in ("foot", "vehicle", "widening"):
        sources = [v for k, v in RULES[name].items() if k.endswith("source")]
        assert sources
        assert set(sources) <= set(RULES["sources"])


def test_half_are_found_nearer_than_most() -> None:
    for category in ON_FOOT:
        assert 0 < RANGES[category].half_km < RANGES[category].most_km


@pytest.mark.parametrize("radius", [0.0, -1.0, LARGEST_RADIUS_KM + 0.1, nan, inf, -inf])
def test_impossible_radii_are_refused(radius: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_radius(radius)
    assert caught.value.code == "radius_out_of_range"
    assert caught.value.details == {"field": "radius_km", "maximum": LARGEST_RADIUS_KM}


@pytest.mark.parametrize("radius", [0.1, 3.0, LARGEST_RADIUS_KM])
def test_possible_radii_are_kept(radius: float) -> None:
    assert require_radius(radius) == radius
