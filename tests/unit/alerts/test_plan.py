"""How an alert is decided, and how it widens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.drawing import Drawing
from reunite.alerts.plan import (
    GOOD_TIPS,
    WAITING_TIPS,
    StopReason,
    decide,
    is_saturated,
    schedule_of,
    suggest,
)
from reunite.alerts.radius import LEAST_GROWTH, RULES, Category, TravelMode
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import AccountId, CaseId

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FOOT = TravelMode.FOOT
HERE, SOMEBODY = CaseId(1), AccountId(2)


@pytest.mark.parametrize(
    ("category", "hours", "mode", "source"),
    [
        (Category.DEMENTIA, 3, FOOT, "koester"),
        (Category.DEMENTIA, 0, FOOT, "toutiao"),
        (Category.DEMENTIA, 100, FOOT, "proposal"),
        (Category.DEMENTIA, 1, TravelMode.VEHICLE, "tuanyuan"),
        (Category.ABDUCTION, 1, FOOT, "tuanyuan"),
    ],
)
def test_a_suggestion_names_its_source(
    category: Category, hours: int, mode: TravelMode, source: str
) -> None:
    suggestion = suggest(category, hours * HOUR, mode)
    assert suggestion.source == RULES["sources"][source]
    assert suggestion.is_imminent is (hours <= 3)


def test_another_radius_needs_a_reason() -> None:
    suggestion = suggest(Category.DEMENTIA, 3 * HOUR, FOOT)
    same = Drawing(suggestion.radius_km * 1.01)
    assert decide(HERE, SOMEBODY, NOW, suggestion, same).reason == ""
    for drawing in (Drawing(20), replace(same, area="{}"), replace(same, without="{}")):
        with pytest.raises(InvalidInputError, match="override_reason_required"):
            decide(HERE, SOMEBODY, NOW, suggestion, drawing, reason=" ")
        plan = decide(HERE, SOMEBODY, NOW, suggestion, drawing, reason=" seen on a bus ")
        assert (plan.reason, plan.suggested_km) == ("seen on a bus", suggestion.radius_km)
    with pytest.raises(InvalidInputError, match="text_too_long"):
        decide(HERE, SOMEBODY, NOW, suggestion, same, reason="x" * 501)


@given(
    st.sampled_from(Category),
    st.floats(0, 100),
    st.sampled_from(TravelMode),
    st.floats(0.5, 500),
)
def test_each_wave_reaches_markedly_further(
    category: Category, hours: float, mode: TravelMode, radius_km: float
) -> None:
    suggestion = suggest(category, hours * HOUR, mode)
    waves = schedule_of(suggestion, Drawing(radius_km))
    reached = radius_km
    for wave in waves:
        assert wave.after > timedelta(0)
        assert wave.radius_km >= reached * LEAST_GROWTH
        reached = wave.radius_km
    assert schedule_of(suggestion, Drawing(radius_km, area="{}")) == ()


def test_waves_are_taken_one_after_the_other_until_stopped() -> None:
    suggestion = suggest(Category.DEMENTIA, timedelta(0), FOOT)
    plan = decide(HERE, SOMEBODY, NOW, suggestion, Drawing(suggestion.radius_km))
    reached = [plan.drawing.radius_km]
    while plan.next_wave() is not None:
        assert plan.wait() is not None
        reached.append(plan.widen().radius_km)
    assert reached == sorted(reached)
    assert reached[-1] == 30.0
    assert plan.waves_sent == len(reached)
    assert plan.wait() is None
    with pytest.raises(ValueError, match="no wave"):
        plan.widen()
    again = decide(HERE, SOMEBODY, NOW, suggestion, Drawing(suggestion.radius_km))
    again.stop(StopReason.REVIEWER, NOW, SOMEBODY)
    again.stop(StopReason.ENDED, NOW + HOUR)
    assert (again.next_wave(), again.stop_reason, again.stopped_by) == (
        None,
        StopReason.REVIEWER,
        SOMEBODY,
    )


def test_many_or_good_tips_are_enough() -> None:
    assert not is_saturated(WAITING_TIPS - 1, GOOD_TIPS - 1)
    assert is_saturated(WAITING_TIPS, 0)
    assert is_saturated(0, GOOD_TIPS)
