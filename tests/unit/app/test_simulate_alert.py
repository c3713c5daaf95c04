"""A trial alert, on fakes."""

import numpy as np
import pytest

from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.invention import iter_invented
from reunite.alerts.positions import Positions
from reunite.app.simulate_alert import simulate_alert
from reunite.kernel.places import list_towns
from tests.unit.app.world import HANGZHOU, World

VOLUNTEERS = 3000


@pytest.fixture(scope="module")
def everybody() -> Positions:
    return Positions.together(*iter_invented(VOLUNTEERS, list_towns()[:20]))


def test_everybody_invented_is_somebody_else(everybody: Positions) -> None:
    assert sorted(everybody.account_ids.tolist()) == list(range(1, VOLUNTEERS + 1))
    again = Positions.together(*iter_invented(VOLUNTEERS, list_towns()[:20]))
    assert np.array_equal(again.cells, everybody.cells)


def test_a_trial_tells_everybody_within_the_radius(world: World, everybody: Positions) -> None:
    index = AudienceIndex(everybody)
    town = list_towns()[0]
    seen: list[tuple[int, int]] = []
    result = simulate_alert(
        world.services, index, town.point, 40.0, lambda told, of: seen.append((told, of))
    )
    assert seen[-1] == (result.recipients, result.recipients)
    assert 0 < result.recipients < VOLUNTEERS
    assert result.may_push == result.recipients  # at eight in the evening
    assert [people for _, people in result.told] == [told for told, _ in seen]
    assert result.seconds_until(0.01) <= result.seconds_until(1.0)
    assert result.queued_seconds <= result.seconds_until(0.01)


def test_a_trial_where_nobody_is(world: World, everybody: Positions) -> None:
    with pytest.raises(ValueError, match="nobody"):
        simulate_alert(world.services, AudienceIndex(everybody), HANGZHOU, 0.001, lambda *_: None)
