"""Several places, places that expire, and who may be pushed: against counting one by one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.positions import EXPIRES, SEVERAL, Positions, opt_in_bits
from reunite.alerts.pushing import (
    ANY_TIME,
    UNLIMITED,
    Pushing,
    QuietHours,
    push_rule,
    require_weekly_pushes,
)
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of, centre_of, distance_km

HANGZHOU = Point(30.2741, 120.1551)
CELLS = [cell_of(Point(30.2741 + step / 50, 120.1551)) for step in range(6)]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ZONES = {1: "Asia/Shanghai", 2: "Asia/Urumqi", 3: "America/New_York", 4: "Asia/Kathmandu"}
NEVER = None


@dataclass(frozen=True)
class Somebody:
    """A volunteer as a test writes one down."""

    places: list[tuple[int, int | None]]  # cell, minutes from now until it expires
    modules: frozenset[Module]
    language: Language
    weekly: int
    quiet: tuple[int, int]
    zone: int


people = st.lists(
    st.builds(
        Somebody,
        st.lists(
            st.tuples(st.sampled_from(CELLS), st.none() | st.integers(-3, 3)),
            min_size=1,
            max_size=3,
        ),
        st.frozensets(st.sampled_from(Module)),
        st.sampled_from(Language),
        st.integers(0, 3) | st.just(UNLIMITED),
        st.tuples(st.integers(0, 23), st.integers(0, 23)),
        st.sampled_from(sorted(ZONES)),
    ),
    max_size=12,
)


def positions(everyone: list[Somebody]) -> Positions:
    rows = [
        (
            number,
            cell,
            opt_in_bits(one.modules, one.language)
            | (SEVERAL if len(one.places) > 1 else 0)
            | (EXPIRES if minutes is not None else 0),
            0 if minutes is None else int(NOW.timestamp()) + 60 * minutes,
            push_rule(one.weekly, QuietHours(*one.quiet), one.zone),
        )
        for number, one in enumerate(everyone, 1)
        for cell, minutes in one.places
    ]
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = (np.int64, np.int64, np.uint8, np.uint32, np.int32)
    return Positions(*(np.array(c, dtype=k) for c, k in zip(columns, kinds, strict=True)))


def one_by_one(
    everyone: list[Somebody], wanted: Wanted, radius_km: float
) -> list[tuple[float, int]]:
    found = []
    for number, one in enumerate(everyone, 1):
        if wanted.module not in one.modules or one.language not in wanted.languages:
            continue
        away = [
            distance_km(centre_of(cell), HANGZHOU)
            for cell, minutes in one.places
            if minutes is None or minutes > 0
        ]
        if away and min(away) <= radius_km:
            found.append((min(away), number))
    return sorted(found)


@settings(deadline=None)
@given(
    people,
    people,
    st.sampled_from(Module),
    st.frozensets(st.sampled_from(Language), min_size=1),
    st.sampled_from([0.5, 4.0, 7.0, 30.0]),
    st.lists(st.integers(0, 3), max_size=8),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_everyone_is_told_once_and_pushed_when_they_allow_it(
    before: list[Somebody],
    now: list[Somebody],
    module: Module,
    languages: frozenset[Language],
    radius_km: float,
    spent: list[int],
    at: datetime,
) -> None:
    # Some have said something else meanwhile; those of whom only the old is known stay.
    index = AudienceIndex(positions(before))
    index.apply(positions(now))
    everyone = [*now, *before[len(now) :]]
    wanted = Wanted(module, languages, at=NOW)
    audience = choose_audience(index, Circle(HANGZHOU, radius_km), wanted)
    told = audience.recipients(Pushing(at, ZONES, np.array(spent, dtype=np.uint8)))
    expected = one_by_one(everyone, wanted, radius_km)
    assert told.account_ids.tolist() == [number for _, number in expected]
    assert audience.account_ids().tolist() == told.account_ids.tolist()
    assert len(told) == len(expected)
    parts = list(audience.iter_recipients(3, Pushing(at, ZONES, np.array(spent, dtype=np.uint8))))
    assert [i for part in parts for i in part.account_ids.tolist()] == told.account_ids.tolist()
    assert [b for part in parts for b in part.may_push.tolist()] == told.may_push.tolist()
    assert all(len(part) == 3 for part in parts[:-1])
    for number, may_push in zip(told.account_ids.tolist(), told.may_push.tolist(), strict=True):
        one = everyone[number - 1]
        hour = at.astimezone(ZoneInfo(ZONES[one.zone])).hour
        first, until = one.quiet
        quiet = {(first + step) % 24 for step in range((until - first) % 24)}
        pushed = spent[number] if number < len(spent) else 0
        assert may_push == (hour not in quiet and (one.weekly == UNLIMITED or pushed < one.weekly))
    loud = audience.recipients(Pushing(at, ZONES, is_imminent=True))
    assert loud.account_ids.tolist() == told.account_ids.tolist()
    assert loud.may_push.all()


def test_whoever_has_heard_is_left_out_of_pushes_too() -> None:
    rule = push_rule(1, QuietHours(0, 0), 1)
    where = Positions(
        np.array([1, 2, 3]),
        np.full(3, CELLS[0]),
        np.full(3, opt_in_bits(Module, Language.ZH), dtype=np.uint8),
        push_rules=np.array([rule, rule, ANY_TIME], dtype=np.int32),
    )
    audience = choose_audience(
        AudienceIndex(where), Circle(HANGZHOU, 1), Wanted(Module.CHILD, told=np.array([1]))
    )
    told = audience.recipients(Pushing(NOW, ZONES, np.array([0, 0, 1], dtype=np.uint8)))
    assert told.account_ids.tolist() == [2, 3]
    assert told.may_push.tolist() == [False, True]


@pytest.mark.parametrize(("local", "may_push"), [(21, True), (22, False), (6, False), (7, True)])
def test_nights_are_those_of_the_volunteer(local: int, may_push: bool) -> None:
    # New York's clock is one hour ahead in summer.
    for day in (datetime(2026, 1, 10), datetime(2026, 7, 10)):  # noqa: DTZ001
        at = day.replace(hour=local, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
        rules = np.array([push_rule(2, QuietHours(), 3)], dtype=np.int32)
        assert Pushing(at, ZONES).may_push(np.array([1]), rules).tolist() == [may_push]


def test_a_clock_that_jumps_only_hides_places_for_as_long() -> None:
    somebody = Somebody([(CELLS[0], 2)], frozenset(Module), Language.ZH, 2, (0, 0), 1)
    index = AudienceIndex(positions([somebody]))

    def told(at: datetime) -> int:
        area = Circle(HANGZHOU, 1)
        return len(choose_audience(index, area, Wanted(Module.CHILD, at=at)).account_ids())

    assert [told(NOW + timedelta(days=days)) for days in (0, 400, -400, 0)] == [1, 0, 1, 1]


@pytest.mark.parametrize(("first", "until"), [(-1, 7), (24, 7), (22, 24)])
def test_hours_that_no_clock_shows(first: int, until: int) -> None:
    with pytest.raises(InvalidInputError, match="quiet_hours_unknown"):
        QuietHours(first, until)


@pytest.mark.parametrize("pushes", [-1, 15])
def test_a_budget_has_bounds(pushes: int) -> None:
    with pytest.raises(InvalidInputError, match="weekly_pushes_out_of_range"):
        require_weekly_pushes(pushes)
    assert require_weekly_pushes(0) == 0
