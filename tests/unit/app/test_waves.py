"""An alert widens as time passes, and nobody hears of it twice."""

from datetime import timedelta

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.plan import StopReason
from reunite.alerts.pushing import QuietHours
from reunite.app.close_case import withdraw_case
from reunite.app.join_alerts import JoinRequest, join_alerts
from reunite.app.publish_case import AlertWish, preview_alert, publish_case
from reunite.app.read_inbox import list_inbox
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.triage_sighting import decide_sighting
from reunite.app.widen_alert import find_plan, stop_widening
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.people import Module
from reunite.kernel.places import Point
from reunite.ports import FURTHEST_DUE
from tests.unit.app.world import HANGZHOU, NOON, World

DAYS = frozenset({Module.ELDER})
STEP_KM = 2


def everywhere(world: World) -> list[Actor]:
    """Volunteers every two kilometres up to forty."""
    people = []
    for km in range(0, 40, STEP_KM):
        actor = world.actor(Role.VOLUNTEER)
        place = Point(HANGZHOU.latitude + (km + 0.5) / 111.2, HANGZHOU.longitude)
        join_alerts(world.services, actor, JoinRequest(DAYS, point=place))
        people.append(actor)
    return people


def published(world: World) -> str:
    reference = world.open(module=Module.ELDER, seen_at=NOON)
    world.verify(reference)
    publish_case(world.services, world.reviewer, reference, None, AlertWish())
    world.drain()
    return reference


def waves_sent(world: World, reference: str) -> int:
    plan = find_plan(world.services, world.reviewer, reference)
    assert plan is not None
    return plan.waves_sent


def told(world: World, people: list[Actor]) -> int:
    """How many have heard; from the middle outwards, and once each."""
    counted = [len(list_inbox(world.services, person)) for person in people]
    assert counted == sorted(counted, reverse=True)
    assert set(counted) <= {0, 1}
    return sum(counted)


def test_waves_tell_only_the_new_ring(world: World) -> None:
    people = everywhere(world)
    reference = published(world)
    reached = [told(world, people)]
    for _ in range(18):
        world.pass_time(minutes=15)
        world.drain()
        reached.append(told(world, people))
    # 3 km at first, then 3.2 km for each hour, whenever that is a quarter more: up to 12.6 km.
    assert reached == [2] * 7 + [3] * 2 + [4] * 3 + [5] * 4 + [7] * 3
    world.pass_time(hours=72)
    world.drain()
    assert told(world, people) == 15  # the town of 30 km
    plan = find_plan(world.services, world.reviewer, reference)
    assert plan is not None
    assert (plan.drawing.radius_km, plan.next_wave()) == (30.0, None)
    with pytest.raises(ConflictError, match="alert_not_widening"):
        stop_widening(world.services, world.reviewer, reference)


def test_a_clock_that_jumps_ahead_sends_waves_one_by_one(world: World) -> None:
    people = everywhere(world)
    reference = published(world)
    world.pass_time(days=30)
    world.drain()
    assert waves_sent(world, reference) == 2
    world.pass_time(minutes=14)
    world.drain()
    assert waves_sent(world, reference) == 2
    world.pass_time(minutes=20)
    world.drain()
    assert waves_sent(world, reference) == 3
    assert told(world, people) == 3


def test_a_clock_that_is_put_back_holds_nothing_up(world: World) -> None:
    people = everywhere(world)
    world.pass_time(days=400)
    reference = world.open(module=Module.ELDER, seen_at=world.clock.now())
    world.verify(reference)
    publish_case(world.services, world.reviewer, reference, None, AlertWish())
    world.drain()
    assert waves_sent(world, reference) == 1
    # Somebody mends the clock: what was due in an hour is now due in a year and more.
    world.clock.advance(-timedelta(days=399))
    assert timedelta(days=399) > FURTHEST_DUE
    world.drain()
    assert waves_sent(world, reference) == 2
    assert told(world, people) == 2


@pytest.mark.parametrize("ending", ["withdrawn", "reviewer", "good tips", "many tips"])
def test_widening_stops(world: World, ending: str) -> None:
    people = everywhere(world)
    reference = published(world)
    reason = StopReason.SATURATED
    if ending == "withdrawn":
        withdraw_case(world.services, world.reviewer, reference)
        reason = StopReason.ENDED
    elif ending == "reviewer":
        stop_widening(world.services, world.reviewer, reference)
        reason = StopReason.REVIEWER
    else:
        for number in range(3 if ending == "good tips" else 20):
            seen = SightingReport(NOON, HANGZHOU, "", f"seen {number}")
            sighting_id = report_sighting(world.services, world.volunteer, reference, seen)
            if ending == "good tips":
                decide_sighting(
                    world.services, world.reviewer, sighting_id, SightingStatus.PASSED_ON
                )
    world.pass_time(days=4)
    world.drain()
    if ending != "withdrawn":
        assert told(world, people) == 2
    plan = find_plan(world.services, world.reviewer, reference)
    assert plan is not None
    assert plan.stop_reason is reason
    assert plan.stopped_by == (world.reviewer.account_id if ending == "reviewer" else None)
    assert world.count_waiting() == 0


def test_a_double_click_publishes_once(world: World) -> None:
    people = everywhere(world)
    reference = published(world)
    with pytest.raises(ConflictError, match="case_transition"):
        publish_case(world.services, world.reviewer, reference, None, AlertWish())
    world.drain()
    assert told(world, people) == 2


def test_an_override_needs_a_reason_and_says_so(world: World) -> None:
    reference = world.open(module=Module.ELDER)
    world.verify(reference)
    wish = AlertWish(radius_km=20.0)
    preview = preview_alert(world.services, world.reviewer, reference, wish=wish)
    assert preview is not None
    with pytest.raises(InvalidInputError, match="override_reason_required"):
        publish_case(world.services, world.reviewer, reference, None, wish)
    publish_case(
        world.services, world.reviewer, reference, None, AlertWish(20.0, reason="took the bus")
    )
    plan = find_plan(world.services, world.reviewer, reference)
    assert plan is not None
    assert (plan.reason, plan.drawing.radius_km) == ("took the bus", 20.0)
    assert plan.suggested_km == pytest.approx(9.6)
    assert plan.decided_by == world.reviewer.account_id


def test_a_week_has_so_many_pushes_and_no_more(world: World) -> None:
    actor = world.actor(Role.VOLUNTEER)
    quiet = QuietHours(22, 7)  # it is 20:00 in Hangzhou
    join_alerts(
        world.services,
        actor,
        JoinRequest(frozenset(Module), point=HANGZHOU, weekly_pushes=2, quiet=quiet),
    )

    def alert(*, imminent: bool = False) -> bool:
        reference = world.open(seen_at=world.clock.now())
        world.verify(reference)
        wish = AlertWish(is_imminent=imminent)
        preview = preview_alert(world.services, world.reviewer, reference, wish=wish)
        assert preview is not None
        assert preview.recipients == 1
        publish_case(world.services, world.reviewer, reference, None, wish)
        world.drain()
        case_id = world.case(reference).id
        with world.database.transaction() as transaction:
            [(notice, _), *_] = transaction.notices.list_of_case(case_id)
            chunk = transaction.notices.get_chunk(notice.id, 0)
        assert chunk.account_ids.tolist() == [actor.account_id]
        assert chunk.may_push is not None
        pushed = bool(chunk.may_push[0])
        assert preview.may_push == pushed
        return pushed

    assert [alert(), alert(), alert()] == [True, True, False]
    # Danger overrides, and counts.
    assert alert(imminent=True)
    world.pass_time(hours=3)
    assert not alert()
    assert alert(imminent=True)
    world.pass_time(days=7, hours=-2)
    assert alert()
    # All of them are in the inbox.
    assert len(list_inbox(world.services, actor)) == 7
