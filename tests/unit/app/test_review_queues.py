from datetime import timedelta

import pytest

from reunite.accounts.account import Actor
from reunite.app.list_looks import list_looks
from reunite.app.list_notices import list_notices
from reunite.app.list_queues import (
    Urgency,
    list_waiting_cases,
    list_waiting_leads,
    list_waiting_sightings,
    urgency_of,
)
from reunite.app.name_accounts import name_accounts
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.view_case import get_case
from reunite.cases.case import Person
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import ForbiddenError, NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.people import Side
from reunite.ports import LookPurpose
from tests.unit.app.world import HANGZHOU, NOON, World, a_report


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("missing_for", "urgency"),
    [
        (timedelta(0), Urgency.FIRST_HOURS),
        (timedelta(hours=23), Urgency.FIRST_HOURS),
        (timedelta(hours=24), Urgency.FIRST_DAYS),
        (timedelta(hours=71), Urgency.FIRST_DAYS),
        (timedelta(days=3), Urgency.LATER),
        (None, Urgency.LATER),
    ],
)
def test_urgency_follows_the_time_since_somebody_was_seen(
    world: World, missing_for: timedelta | None, urgency: Urgency
) -> None:
    seen_at = None if missing_for is None else NOON - missing_for
    case = world.case(world.open(seen_at=seen_at))
    assert urgency_of(case, NOON) is urgency


def test_who_is_found_or_whose_case_is_over_is_not_urgent(world: World) -> None:
    found = world.case(world.open(side=Side.FOUND))
    assert urgency_of(found, NOON) is Urgency.LATER
    over = world.case(world.open())
    over.withdraw(world.reviewer.account_id, NOON)
    assert urgency_of(over, NOON) is Urgency.LATER


def test_urgent_reports_come_first_then_who_waits_longest(world: World) -> None:
    for name, hours in (("old", 900), ("urgent", 2), ("older", 901)):
        world.open(person=Person(name=name), seen_at=NOON - timedelta(hours=hours))
        world.pass_time(minutes=1)
    queue = list_waiting_cases(world.services, world.reviewer)
    assert [item.card.case.person.name for item in queue.items] == ["urgent", "old", "older"]
    assert queue.next_before is None


def test_waiting_counts_from_the_last_step(world: World) -> None:
    reference = world.open()
    world.pass_time(hours=2)
    world.verify(reference)
    (item,) = list_waiting_cases(world.services, world.reviewer).items
    assert item.since == NOON + timedelta(hours=2)


def test_urgent_leads_come_before_more_similar_ones(world: World) -> None:
    world.open_public(1, seen_at=NOON - timedelta(days=5000))
    world.verify(world.open_found(1))  # the very photo: as similar as can be
    world.open_public(2, seen_at=NOON - timedelta(hours=1))
    world.verify(world.open_found(2, 1))
    world.drain()
    leads = list_waiting_leads(world.services, world.reviewer)
    assert [lead.urgency for lead in leads] == [Urgency.FIRST_HOURS, Urgency.LATER]
    assert leads[0].view.lead.similarity < leads[1].view.lead.similarity


def test_a_sighting_comes_with_the_photo_of_whom_it_concerns(world: World) -> None:
    reference = world.open_public(1)
    report_sighting(
        world.services, world.volunteer, reference, SightingReport(NOON, HANGZHOU, "", "seen")
    )
    (item,) = list_waiting_sightings(world.services, world.reviewer)
    assert item.case_photo is not None
    assert item.case_photo.case_id == world.case(reference).id
    assert item.urgency is Urgency.FIRST_HOURS
    assert not list_waiting_sightings(world.services, world.reviewer, SightingStatus.PASSED_ON)


def test_looks_are_listed_with_names(world: World) -> None:
    reference = world.open_public(1)
    get_case(world.services, world.volunteer, reference)
    get_case(world.services, None, reference)
    (one,) = list_looks(world.services, world.reviewer, reference)
    assert one.name == world.volunteer.display_name
    assert one.look.purpose is LookPurpose.VIEW


def test_asking_for_notices_is_no_look(world: World) -> None:
    reference = world.open_public(1)
    assert list_notices(world.services, world.reviewer, reference) == []
    assert list_looks(world.services, world.reviewer, reference) == []


def test_accounts_that_are_gone_have_no_name(world: World) -> None:
    ids = [world.family.account_id, AccountId(999)]
    assert name_accounts(world.services, world.reviewer, ids) == {
        world.family.account_id: world.family.display_name
    }


def test_these_are_for_staff(world: World) -> None:
    reference = world.report(world.family, a_report()).reference
    outsiders: list[Actor | None] = [None, world.family, world.volunteer]
    for actor in outsiders:
        for ask in (
            lambda: list_waiting_cases(world.services, actor),  # noqa: B023
            lambda: list_waiting_leads(world.services, actor),  # noqa: B023
            lambda: list_waiting_sightings(world.services, actor),  # noqa: B023
            lambda: list_looks(world.services, actor, reference),  # noqa: B023
            lambda: list_notices(world.services, actor, reference),  # noqa: B023
            lambda: name_accounts(world.services, actor, []),  # noqa: B023
        ):
            with pytest.raises(ForbiddenError):
                ask()


def test_a_case_that_does_not_exist(world: World) -> None:
    with pytest.raises(NotFoundError):
        list_looks(world.services, world.reviewer, "7K3M9QX2TB")
    with pytest.raises(NotFoundError):
        list_notices(world.services, world.reviewer, "7K3M9QX2TB")
