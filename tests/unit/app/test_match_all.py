"""Everything is compared with everything, at a word and every night."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reunite.app.link_duplicates import list_duplicates
from reunite.app.match_all import MatchProgress, match_all, night_of, queue_nightly_matches
from reunite.app.review_lead import list_leads
from reunite.app.services import Settings
from reunite.cases.case import Circumstances, Person
from reunite.kernel.people import Module, Sex, Side, YearRange
from tests.unit.app.world import HANGZHOU, NOON, World, a_report

ZHEN = Person(name="欧阳秀珍", sex=Sex.FEMALE, birth_years=YearRange(1948, 1948), marks="缺门牙")


@pytest.fixture
def world() -> World:
    """Two records of a missing person and one of her as found, never compared."""
    made = World(Settings())
    for side, name in (
        (Side.MISSING, "欧阳秀珍"),
        (Side.MISSING, "欧阳秀贞"),
        (Side.FOUND, "欧阳秀珍"),
    ):
        report = a_report(module=Module.ELDER, side=side, person=replace(ZHEN, name=name))
        seen = Circumstances(seen_at=NOON - timedelta(days=1), place=HANGZHOU)
        made.report(made.family, replace(report, circumstances=seen))
    with made.database.transaction() as transaction:
        while (message := transaction.outbox.claim(NOON)) is not None:
            transaction.outbox.finish(message)
    made.drain()
    assert found(made) == (0, 0)
    return made


def found(world: World) -> tuple[int, int]:
    """How many leads and duplicates wait."""
    leads = list_leads(world.services, world.reviewer)
    return len(leads), len(list_duplicates(world.services, world.reviewer))


def test_everything_is_compared_at_a_word(world: World) -> None:
    told: list[MatchProgress] = []
    state = match_all(world.services, world.admin, told.append)
    assert found(world) == (2, 1)
    assert (state.records, state.pairs) == (3, 4)  # each duplicate is seen from both records
    assert [one.records for one in told] == [2, 3]
    assert state.records_per_second > 0
    assert match_all(world.services, world.admin).records == 3
    assert found(world) == (2, 1)


def test_every_night_everything_is_queued_once(world: World) -> None:
    assert queue_nightly_matches(world.services) == 0
    world.pass_time(hours=7)
    assert queue_nightly_matches(world.services) == 2
    assert queue_nightly_matches(world.services) == 0
    world.drain()
    assert found(world) == (2, 1)
    world.pass_time(hours=24)
    assert queue_nightly_matches(world.services) == 2


def test_a_worker_notices_the_night_by_itself(world: World) -> None:
    world.pass_time(hours=7)
    world.drain()
    assert found(world) == (2, 1)


@pytest.mark.parametrize(
    ("hour", "night"), [(17, None), (18, "2026-06-01"), (21, "2026-06-01"), (22, None)]
)
def test_a_night_is_from_two_to_six_in_china(hour: int, night: str | None) -> None:
    found = night_of(datetime(2026, 6, 1, hour, 30, tzinfo=UTC))
    assert (None if found is None else found.isoformat()) == night
