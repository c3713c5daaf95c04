"""What waits for reviewers, and what staff see beside it."""

from datetime import timedelta

import pytest

from reunite.app.join_alerts import JoinRequest, join_alerts
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
from reunite.app.triage_sighting import decide_sighting
from reunite.app.view_case import get_case
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import AccountId
from reunite.kernel.people import Module
from reunite.ports import LookPurpose
from tests.unit.app.world import HANGZHOU, NOON, World

YESTERDAY, LAST_YEAR = NOON - timedelta(days=2), NOON - timedelta(days=365)


@pytest.mark.parametrize(
    ("hours", "urgency"),
    [
        (0, Urgency.FIRST_HOURS),
        (23.9, Urgency.FIRST_HOURS),
        (24, Urgency.FIRST_DAYS),
        (71.9, Urgency.FIRST_DAYS),
        (72, Urgency.LATER),
        (None, Urgency.LATER),
    ],
)
def test_the_first_hours_matter_most(world: World, hours: float | None, urgency: Urgency) -> None:
    seen_at = None if hours is None else NOON - timedelta(hours=hours)
    missing = world.case(world.open(seen_at=seen_at))
    assert urgency_of(missing, NOON) is urgency
    found = world.case(world.open_found(5, seen_at=seen_at))
    assert urgency_of(found, NOON) is Urgency.LATER


def test_urgent_cases_come_first_and_then_who_waits_longest(world: World) -> None:
    old = world.open(seen_at=LAST_YEAR)
    first = world.open()
    world.pass_time(minutes=1)
    second = world.open()
    recent = world.open(seen_at=YESTERDAY)
    world.open_public(5)
    queue = list_waiting_cases(world.services, world.reviewer)
    assert [item.card.case.reference for item in queue.items] == [first, second, recent, old]
    assert [item.since for item in queue.items[:2]] == [NOON, NOON + timedelta(minutes=1)]
    assert queue.next_before is None


def test_urgent_leads_come_first_and_then_the_most_similar(world: World) -> None:
    for tag, seen_at in ((5, LAST_YEAR), (6, NOON), (7, NOON)):
        world.open_found(tag, 1)
        world.open(tag, seen_at=seen_at)
    world.drain()
    items = list_waiting_leads(world.services, world.reviewer)
    assert [item.urgency for item in items] == [
        Urgency.FIRST_HOURS,
        Urgency.FIRST_HOURS,
        Urgency.LATER,
    ]
    assert items[0].view.lead.similarity >= items[1].view.lead.similarity
    assert {item.since for item in items} == {NOON}


def test_urgent_sightings_come_first_beside_the_photo_of_the_person(world: World) -> None:
    old, urgent = world.open_public(5, seen_at=LAST_YEAR), world.open_public(6)
    faceless = world.open()
    world.publish(faceless)
    report = SightingReport(NOON, None, "", "seen")
    for reference in (urgent, faceless, old):
        world.pass_time(minutes=1)
        report_sighting(world.services, world.volunteer, reference, report)
    items = list_waiting_sightings(world.services, world.reviewer)
    order = [item.view.case.reference for item in items]
    assert order == [faceless, urgent, old]
    assert [item.case_photo is None for item in items] == [True, False, False]
    decide_sighting(
        world.services, world.reviewer, items[0].view.sighting.id, SightingStatus.UNLIKELY
    )
    assert len(list_waiting_sightings(world.services, world.reviewer)) == 2


def test_staff_see_how_far_a_notice_has_come(world: World) -> None:
    request = JoinRequest(frozenset(Module), point=HANGZHOU)
    join_alerts(world.services, world.volunteer, request)
    reference = world.open()
    world.publish(reference, 5.0)
    assert list_notices(world.services, world.reviewer, reference) == []
    world.worker.run_once()
    [(notice, progress)] = list_notices(world.services, world.reviewer, reference)
    assert (notice.recipients, progress.delivered) == (1, 0)
    world.drain()
    [(_, progress)] = list_notices(world.services, world.reviewer, reference)
    assert progress.delivered == 1


def test_staff_see_who_has_looked(world: World) -> None:
    reference = world.open(5)
    world.drain()
    world.pass_time(minutes=1)
    get_case(world.services, world.officer, reference)
    looks = list_looks(world.services, world.reviewer, reference)
    assert [(named.name, named.look.purpose) for named in looks] == [
        (world.officer.display_name, LookPurpose.VIEW),
        ("", LookPurpose.SEARCH),
    ]
    assert list_looks(world.services, world.reviewer, reference, limit=1) == looks[:1]
    with pytest.raises(NotFoundError):
        list_looks(world.services, world.reviewer, "NOSUCHCASE")


def test_accounts_have_names(world: World) -> None:
    ids = [world.family.account_id, AccountId(999), world.admin.account_id]
    assert name_accounts(world.services, world.reviewer, ids) == {
        world.family.account_id: world.family.display_name,
        world.admin.account_id: world.admin.display_name,
    }
