"""From joining to the inbox, and thanks at the end."""

from datetime import timedelta

import pytest

from reunite.accounts.account import Actor, Role
from reunite.alerts.notices import NoticeKind
from reunite.alerts.volunteers import PlaceKind
from reunite.app import handlers
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.deliver_chunks import deliver_to_inboxes
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts, leave_alerts
from reunite.app.notify_audience import notify_audience
from reunite.app.publish_case import (
    preview_alert,
    publish_case,
    suggest_radius_km,
    verify_case,
)
from reunite.app.read_inbox import count_unread, list_inbox, mark_read
from reunite.cases.case import CaseStatus, Outcome, Person, ResolutionCause
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from reunite.kernel.people import Module, YearRange
from reunite.kernel.places import Point, cell_of, nearest_town
from tests.unit.app.world import HANGZHOU, MID_PACIFIC, NOON, World

ALL = frozenset(Module)
BEIJING = Point(39.9042, 116.4074)


def north_of_town(km: float) -> Point:
    return Point(HANGZHOU.latitude + km / 111.2, HANGZHOU.longitude)


def joined(world: World, point: Point, modules: frozenset[Module] = ALL) -> Actor:
    actor = world.actor(Role.VOLUNTEER)
    join_alerts(world.services, actor, JoinRequest(modules, point=point))
    return actor


def choose_audience(world: World, reference: str) -> None:
    """Let the worker come just so far that a notice waits for delivery."""
    case_id = world.case(reference).id
    for _ in range(5):
        with world.database.transaction() as transaction:
            message = transaction.outbox.claim(world.clock.now())
            if message is None:
                continue
            handlers.HANDLERS[message.topic](world.services, transaction, message.payload)
            transaction.outbox.finish(message)
    with world.database.transaction() as transaction:
        assert transaction.notices.list_of_case(case_id)


def inbox(world: World, actor: Actor) -> list[tuple[NoticeKind, str]]:
    return [(item.kind, item.case.reference) for item in list_inbox(world.services, actor)]


def test_only_the_cell_of_a_place_is_kept(world: World) -> None:
    volunteer = join_alerts(world.services, world.volunteer, JoinRequest(ALL, point=HANGZHOU))
    [home] = volunteer.places
    assert (home.kind, home.cell, home.said_at) == (PlaceKind.HOME, cell_of(HANGZHOU), NOON)
    assert home.place_label == str(nearest_town(HANGZHOU).geonames_id)
    assert volunteer.time_zone == "Asia/Shanghai"
    assert volunteer.joined_at == NOON
    assert find_volunteer(world.services, world.volunteer) == volunteer
    assert find_volunteer(world.services, world.family) is None


def test_joining_again_replaces_and_leaving_forgets(world: World) -> None:
    join_alerts(world.services, world.volunteer, JoinRequest(ALL, point=HANGZHOU))
    town = nearest_town(BEIJING)
    only_elders = frozenset({Module.ELDER})
    join_alerts(world.services, world.volunteer, JoinRequest(only_elders, town_id=town.geonames_id))
    volunteer = find_volunteer(world.services, world.volunteer)
    assert volunteer is not None
    assert (volunteer.places[0].cell, volunteer.modules) == (cell_of(town.point), only_elders)
    leave_alerts(world.services, world.volunteer)
    assert find_volunteer(world.services, world.volunteer) is None
    leave_alerts(world.services, world.volunteer)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (JoinRequest(frozenset(), point=HANGZHOU), "modules_required"),
        (JoinRequest(ALL), "place_required"),
        (JoinRequest(ALL, town_id=1), "town_unknown"),
        (JoinRequest(ALL, point=MID_PACIFIC), "place_at_sea"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    world: World, request_: JoinRequest, code: str
) -> None:
    with pytest.raises(InvalidInputError, match=code):
        join_alerts(world.services, world.volunteer, request_)
    assert find_volunteer(world.services, world.volunteer) is None


def test_publishing_tells_those_within_the_radius_who_asked_for_this(world: World) -> None:
    near, far = joined(world, north_of_town(2)), joined(world, north_of_town(8))
    elders_only = joined(world, HANGZHOU, frozenset({Module.ELDER}))
    reference = world.open(5)
    world.publish(reference, 5.0)
    assert inbox(world, near) == []
    world.drain()
    assert inbox(world, near) == [(NoticeKind.PUBLISHED, reference)]
    assert inbox(world, far) == inbox(world, elders_only) == []
    case = world.case(reference)
    with world.database.transaction() as transaction:
        [(notice, progress)] = transaction.notices.list_of_case(case.id)
    assert (notice.radius_km, notice.recipients, notice.created_at) == (5.0, 1, NOON)
    assert (progress.recipients, progress.delivered, progress.read) == (1, 1, 0)


def test_an_inbox_counts_what_is_new(world: World) -> None:
    near = joined(world, HANGZHOU)
    for tag in (1, 2):
        world.publish(world.open(tag), 5.0)
    world.drain()
    assert count_unread(world.services, near) == 2
    assert all(item.is_new for item in list_inbox(world.services, near))
    mark_read(world.services, near)
    assert count_unread(world.services, near) == 0
    assert not any(item.is_new for item in list_inbox(world.services, near))
    assert len(list_inbox(world.services, near, limit=1)) == 1
    assert count_unread(world.services, world.family) == 0


@pytest.mark.parametrize("ending", ["resolved", "withdrawn"])
def test_the_end_is_told_to_those_who_heard_of_the_beginning(world: World, ending: str) -> None:
    near = joined(world, north_of_town(1))
    moved = joined(world, north_of_town(2))
    left = joined(world, north_of_town(3))
    reference = world.open(5)
    world.publish(reference, 5.0)
    world.drain()
    join_alerts(world.services, moved, JoinRequest(ALL, point=BEIJING))
    leave_alerts(world.services, left)
    newcomer = joined(world, HANGZHOU)
    if ending == "resolved":
        resolve_case(
            world.services,
            world.reviewer,
            reference,
            Outcome.REUNITED,
            ResolutionCause.VOLUNTEER_TIP,
        )
        kind = NoticeKind.RESOLVED
    else:
        withdraw_case(world.services, world.family, reference)
        kind = NoticeKind.CANCELLED
    world.drain()
    for told in (near, moved, left):
        assert sorted(inbox(world, told)) == sorted(
            [(kind, reference), (NoticeKind.PUBLISHED, reference)]
        )
    assert inbox(world, newcomer) == []
    assert not list_inbox(world.services, near)[0].case.is_public


def test_a_case_that_nobody_heard_of_ends_quietly(world: World) -> None:
    reference = world.open(5)
    world.publish(reference, 5.0)
    world.drain()
    resolve_case(world.services, world.reviewer, reference, Outcome.LOCATED, ResolutionCause.POLICE)
    joined(world, HANGZHOU)
    world.drain()
    with world.database.transaction() as transaction:
        assert transaction.notices.list_of_case(world.case(reference).id) == []


def test_a_case_that_ended_before_the_alert_went_out_alarms_nobody(world: World) -> None:
    near = joined(world, HANGZHOU)
    reference = world.open(5)
    world.publish(reference, 5.0)
    withdraw_case(world.services, world.family, reference)
    world.drain()
    assert inbox(world, near) == []
    assert world.count_waiting() == 0


def test_a_large_audience_is_told_chunk_by_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.app.notify_audience.CHUNK_RECIPIENTS", 3)
    monkeypatch.setattr("reunite.app.deliver_chunks.INBOX_CHUNKS", 1)
    people = [joined(world, north_of_town(km / 2)) for km in range(8)]
    reference = world.open()
    world.publish(reference, 30.0)
    choose_audience(world, reference)
    told = []
    while deliver_to_inboxes(world.services):
        told.append([count_unread(world.services, person) for person in people])
    assert told == [[1] * 3 + [0] * 5, [1] * 6 + [0] * 2, [1] * 8]


def test_the_end_stops_what_is_still_going_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.app.notify_audience.CHUNK_RECIPIENTS", 1)
    monkeypatch.setattr("reunite.app.deliver_chunks.INBOX_CHUNKS", 1)
    near, far = joined(world, north_of_town(1)), joined(world, north_of_town(2))
    reference = world.open()
    world.publish(reference, 30.0)
    choose_audience(world, reference)
    assert deliver_to_inboxes(world.services) == 1
    withdraw_case(world.services, world.family, reference)
    choose_audience(world, reference)
    world.drain()
    assert sorted(inbox(world, near)) == [
        (NoticeKind.CANCELLED, reference),
        (NoticeKind.PUBLISHED, reference),
    ]
    # Whoever had not been told has nothing to hear of its end.
    assert inbox(world, far) == []


def test_publishing_without_an_alert_tells_nobody(world: World) -> None:
    near = joined(world, HANGZHOU)
    world.publish(world.open(5))
    world.drain()
    assert inbox(world, near) == []


@pytest.mark.parametrize("radius", [0.0, -1.0, 501.0, float("nan"), float("inf")])
def test_an_impossible_radius_publishes_nothing(world: World, radius: float) -> None:
    reference = world.open()
    world.verify(reference)
    with pytest.raises(InvalidInputError, match="radius_out_of_range"):
        publish_case(world.services, world.reviewer, reference, radius)
    assert world.case(reference).status is CaseStatus.VERIFIED
    assert world.count_waiting() == 0


def test_an_alert_needs_a_place(world: World) -> None:
    reference = world.open(place=None)
    world.verify(reference)
    assert preview_alert(world.services, world.reviewer, reference) is None
    with pytest.raises(InvalidInputError, match="alert_needs_place"):
        publish_case(world.services, world.reviewer, reference, 5.0)
    assert world.case(reference).status is CaseStatus.VERIFIED
    publish_case(world.services, world.reviewer, reference, None)


def test_nothing_skips_verification(world: World) -> None:
    reference = world.open()
    with pytest.raises(ConflictError, match="case_transition"):
        publish_case(world.services, world.reviewer, reference, 5.0)
    with pytest.raises(InvalidInputError) as caught:
        verify_case(world.services, world.reviewer, reference, "  ")
    assert (caught.value.code, caught.value.details) == ("required", {"field": "note"})
    with pytest.raises(NotFoundError):
        verify_case(world.services, world.reviewer, "NOSUCHCASE", "note")
    own = world.open(by=world.reviewer)
    with pytest.raises(ConflictError, match="own_case"):
        verify_case(world.services, world.reviewer, own, "note")
    private = world.open(consent_publish=False)
    world.verify(private)
    with pytest.raises(ConflictError, match="consent_missing"):
        publish_case(world.services, world.reviewer, private, 5.0)
    assert world.count_waiting() == 0
    steps = [(s.status, s.by, s.note) for s in world.case(private).transitions]
    assert steps == [
        (CaseStatus.REPORTED, world.family.account_id, ""),
        (CaseStatus.VERIFIED, world.reviewer.account_id, "police file 110-7"),
    ]


def test_a_preview_counts_and_tells_nobody(world: World) -> None:
    near = joined(world, north_of_town(2))
    joined(world, north_of_town(8))
    reference = world.open()
    preview = preview_alert(world.services, world.reviewer, reference)
    assert preview is not None
    assert preview.radius_km == preview.suggested_radius_km
    wide = preview_alert(world.services, world.reviewer, reference, 20.0)
    assert wide is not None
    assert (wide.radius_km, wide.recipients) == (20.0, 2)
    assert wide.suggested_radius_km == preview.suggested_radius_km
    with pytest.raises(InvalidInputError, match="radius_out_of_range"):
        preview_alert(world.services, world.reviewer, reference, 0.0)
    assert inbox(world, near) == []
    assert world.count_waiting() == 0


@pytest.mark.parametrize(
    ("module", "born", "hours", "radius_km"),
    [
        (Module.ELDER, None, 3, 9.6),
        (Module.CHILD, None, 3, 5.8),
        (Module.CHILD, YearRange(2021, 2021), 3, 3.4),
        (Module.CHILD, YearRange(2023, 2026), 3, 3.0),
        (Module.CHILD, YearRange(2012, 2012), 3, 9.6),
        (Module.CHILD, YearRange(2012, 2012), None, 30.0),
        (Module.CHILD, YearRange(1980, 1980), 24 * 365 * 36, 30.0),
    ],
)
def test_the_rules_suggest_a_radius(
    world: World, module: Module, born: YearRange | None, hours: int | None, radius_km: float
) -> None:
    seen_at = None if hours is None else NOON - timedelta(hours=hours)
    reference = world.open(module=module, person=Person("王", birth_years=born), seen_at=seen_at)
    suggested = suggest_radius_km(world.services, world.case(reference))
    assert suggested == pytest.approx(radius_km)


def test_a_case_cannot_be_closed_while_its_audience_is_being_chosen(world: World) -> None:
    joined(world, north_of_town(2))
    reference = world.open()
    world.publish(reference, 5.0)
    payload = {"case_id": world.case(reference).id, "kind": "published", "radius_km": 5.0}
    with world.database.transaction() as transaction:
        notify_audience(world.services, transaction, payload)
        # In another worker this waits; thanks sent now would reach nobody.
        with pytest.raises(RuntimeError, match="is held"):
            withdraw_case(world.services, world.reviewer, reference)
