"""The end of a case: what stops at once, what stays a while, what goes for good."""

from datetime import timedelta

import pytest

from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.count_outcomes import count_outcomes
from reunite.app.erase_expired import FEW_ORPHANS, ORPHAN_AGE, erase_expired, sweep_photos
from reunite.app.fill_gallery import (
    add_synthetic_templates,
    count_templates,
    remove_synthetic_templates,
)
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.review_lead import decide_lead, get_lead
from reunite.app.search_face import start_search, view_search
from reunite.app.view_case import CaseClosedError, get_case
from reunite.app.view_photo import Variant, get_case_picture
from reunite.cases.case import CaseStatus, Outcome, ResolutionCause
from reunite.cases.leads import Verdict
from reunite.cases.retention import PHOTO_RETENTION
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.people import Module
from reunite.testing.faces import paint_person
from tests.unit.app.world import HANGZHOU, NOON, World


def resolve(world: World, reference: str, *, partners: bool = False) -> None:
    resolve_case(
        world.services,
        world.reviewer,
        reference,
        Outcome.REUNITED,
        ResolutionCause.FACE_LEAD,
        " both families met ",
        with_confirmed_partners=partners,
    )


def is_found(world: World, tag: int) -> bool:
    started = start_search(world.services, world.admin, paint_person(tag, 9))
    result = view_search(world.services, world.admin, started.token)
    return any(one.similarity > 0.5 for one in result.resemblances)


def test_a_resolved_case_leaves_the_public_side_at_once(world: World) -> None:
    reference = world.open_public(5)
    [photo] = get_case(world.services, None, reference).photos
    assert get_case_picture(world.services, None, photo.id, Variant.FULL)[1]
    assert is_found(world, 5)
    assert world.services.gallery.state().templates == 1
    resolve(world, reference)
    case = world.case(reference)
    assert (case.status, case.outcome) == (CaseStatus.RESOLVED, Outcome.REUNITED)
    assert (case.cause, case.closed_at) == (ResolutionCause.FACE_LEAD, NOON)
    assert case.transitions[-1].note == "both families met"
    assert world.count_templates() == 0
    assert not is_found(world, 5)
    assert world.services.gallery.state().templates == 0
    with pytest.raises(CaseClosedError):
        get_case(world.services, world.volunteer, reference)
    for stranger in (None, world.volunteer):
        with pytest.raises(NotFoundError):
            get_case_picture(world.services, stranger, photo.id, Variant.THUMBNAIL)
    for insider in (world.family, world.reviewer):
        assert get_case(world.services, insider, reference).photos == [photo]
        assert not get_case_picture(world.services, insider, photo.id, Variant.FULL)[1]


def test_a_closed_case_stays_closed(world: World) -> None:
    reference = world.open_public(5)
    resolve(world, reference)
    before = world.case(reference)
    with pytest.raises(ConflictError, match="case_transition"):
        resolve(world, reference)
    with pytest.raises(ConflictError, match="case_transition"):
        withdraw_case(world.services, world.family, reference)
    assert world.case(reference) == before


def test_an_unverified_report_has_no_outcome(world: World) -> None:
    reference = world.open(5)
    with pytest.raises(ConflictError, match="case_transition"):
        resolve(world, reference)
    assert world.count_templates() == 1
    assert world.case(reference).is_open


def test_reporter_and_staff_may_withdraw(world: World) -> None:
    for actor in (world.family, world.reviewer, world.admin):
        reference = world.open_public(5)
        with pytest.raises(NotFoundError):
            withdraw_case(world.services, world.volunteer, reference)
        withdraw_case(world.services, actor, reference, " mistake ")
        step = world.case(reference).transitions[-1]
        assert (step.status, step.by, step.note) == (
            CaseStatus.WITHDRAWN,
            actor.account_id,
            "mistake",
        )
        assert world.count_templates() == 0


def confirmed_pair(world: World) -> tuple[str, str]:
    missing, found = world.open_public(5), world.open_found(5, 1)
    world.drain()
    [lead] = world.leads(missing)
    for reviewer in (world.reviewer, world.second_reviewer):
        decide_lead(world.services, reviewer, lead.id, Verdict.ACCEPT)
    return missing, found


@pytest.mark.parametrize("from_found", [False, True])
def test_confirmed_partners_are_closed_together_on_request(world: World, from_found: bool) -> None:
    missing, found = confirmed_pair(world)
    world.verify(found)
    resolve(world, found if from_found else missing, partners=True)
    for reference in (missing, found):
        case = world.case(reference)
        assert (case.status, case.cause) == (CaseStatus.RESOLVED, ResolutionCause.FACE_LEAD)
        assert case.transitions[-1].by == world.reviewer.account_id
    assert world.count_templates() == 0


def test_partners_stay_open_unless_asked_for_and_verified(world: World) -> None:
    missing, found = confirmed_pair(world)
    resolve(world, missing, partners=True)  # the other was never verified
    assert world.case(found).status is CaseStatus.REPORTED
    other_missing = world.open_public(6)
    other_found = world.open_found(6, 1)
    world.verify(other_found)
    world.drain()
    resolve(world, other_missing, partners=True)  # nobody confirmed the lead
    assert world.case(other_found).status is CaseStatus.VERIFIED


def test_pictures_of_a_resolved_case_go_when_the_period_ends(world: World) -> None:
    reference = world.open_public(5)
    sighting = SightingReport(NOON - timedelta(hours=1), HANGZHOU, "", "", paint_person(5, 2))
    report_sighting(world.services, world.volunteer, reference, sighting)
    open_one = world.open_public(6)
    resolve(world, reference)
    assert len(world.files()) == 3
    world.clock.advance(PHOTO_RETENTION - timedelta(seconds=1))
    assert erase_expired(world.services) == 0
    world.pass_time(seconds=1)
    assert erase_expired(world.services) == 2
    assert world.case(reference).photos_erased_at == world.clock.now()
    assert get_case(world.services, world.reviewer, reference).photos == []
    assert len(get_case(world.services, world.reviewer, open_one).photos) == 1
    assert world.files() == world.keys()
    assert len(world.files()) == 1
    assert erase_expired(world.services) == 0


def test_pictures_of_a_withdrawn_case_go_at_once(world: World) -> None:
    reference = world.open(5)
    withdraw_case(world.services, world.family, reference)
    assert erase_expired(world.services) == 1
    assert world.files() == world.keys() == set()


def test_a_lead_outlives_its_pictures(world: World) -> None:
    missing, _ = confirmed_pair(world)
    [lead] = world.leads(missing)
    withdraw_case(world.services, world.family, missing)
    erase_expired(world.services)
    view = get_lead(world.services, world.reviewer, lead.id)
    assert view.missing.photo is None
    assert view.found.photo is not None
    assert view.lapse_years is None


def test_more_than_a_batch_is_erased_in_turns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.app.erase_expired.BATCH", 3)
    for _ in range(4):
        withdraw_case(world.services, world.family, world.open(), "")
    with_photo = world.open(5)
    withdraw_case(world.services, world.family, with_photo)
    erase_expired(world.services)
    erase_expired(world.services)
    assert world.files() == set()


def test_orphans_are_swept_and_young_files_are_left(world: World) -> None:
    reference = world.open(5)
    old = world.photos.put(b"a crash left this")
    world.clock.advance(ORPHAN_AGE)
    young = world.photos.put(b"its row is about to be written")
    world.pass_time(seconds=1)
    assert sweep_photos(world.services) == 1
    assert old not in world.files()
    assert young in world.files()
    assert world.keys() < world.files()
    assert get_case(world.services, world.family, reference).photos
    world.clock.advance(ORPHAN_AGE)
    assert sweep_photos(world.services) == 1
    assert world.files() == world.keys()


def test_a_sweep_that_would_take_most_pictures_takes_none(world: World) -> None:
    """As when the pictures of one database are beside another, or beside an empty one."""
    for number in range(FEW_ORPHANS + 1):
        world.photos.put(str(number).encode())
    world.clock.advance(2 * ORPHAN_AGE)
    assert sweep_photos(world.services) == 0
    assert len(world.files()) == FEW_ORPHANS + 1


def test_what_says_who_somebody_was_goes_with_the_pictures(world: World) -> None:
    reference = world.open_public(1)
    report_sighting(
        world.services,
        world.volunteer,
        reference,
        SightingReport(world.clock.now(), HANGZHOU, "by the lake", "with a red bag"),
    )
    resolve_case(
        world.services,
        world.reviewer,
        reference,
        Outcome.REUNITED,
        ResolutionCause.VOLUNTEER_TIP,
    )
    before = world.case(reference)
    assert before.person.name
    assert before.contact
    world.clock.advance(PHOTO_RETENTION)
    erase_expired(world.services)
    after = world.case(reference)
    assert (after.person.name, after.person.marks, after.contact) == ("", "", "")
    assert (after.circumstances.story, after.circumstances.private_note) == ("", "")
    assert after.circumstances.place is None
    assert (after.outcome, after.cause) == (before.outcome, before.cause)
    with world.database.transaction() as transaction:
        [sighting] = transaction.sightings.list_of_case(after.id)
    assert (sighting.text, sighting.place, sighting.place_label) == ("", None, "")


def test_results_are_counted_by_what_brought_them_about(world: World) -> None:
    world.open()
    world.open_public(1)
    world.open_found(2)
    withdraw_case(world.services, world.officer, world.open_found(3))
    withdraw_case(world.services, world.family, world.open())
    for outcome, cause in (
        (Outcome.REUNITED, ResolutionCause.VOLUNTEER_TIP),
        (Outcome.REUNITED, ResolutionCause.FACE_LEAD),
        (Outcome.DECEASED, ResolutionCause.POLICE),
        (Outcome.NOT_MISSING, ResolutionCause.RETURNED),
        (Outcome.LOCATED, ResolutionCause.MISTAKEN_REPORT),
    ):
        reference = world.open()
        world.verify(reference)
        resolve_case(world.services, world.reviewer, reference, outcome, cause)
    elder = world.open(module=Module.ELDER)
    world.verify(elder)
    resolve(world, elder)
    add_synthetic_templates(world.services, 7)
    statistics = count_outcomes(world.services)
    child, elders, blood = statistics.modules
    assert (child.module, elders.module, blood.module) == tuple(Module)
    assert (child.reported, child.open, child.resolved) == (8, 2, 3)
    assert (child.mistaken, child.withdrawn, child.found_records) == (2, 1, 1)
    assert child.by_cause == {
        ResolutionCause.VOLUNTEER_TIP: 1,
        ResolutionCause.FACE_LEAD: 1,
        ResolutionCause.POLICE: 1,
    }
    assert child.by_outcome == {Outcome.REUNITED: 2, Outcome.DECEASED: 1}
    assert (elders.reported, elders.resolved, elders.found_records) == (1, 1, 0)
    assert blood.reported == 0
    assert (statistics.templates, statistics.synthetic_templates) == (2, 7)
    assert statistics.volunteers == 0
    for count in statistics.modules:
        assert count.reported == count.open + count.resolved + count.mistaken + count.withdrawn
        assert count.by_cause.total() == count.by_outcome.total() == count.resolved


def test_synthetic_templates_come_and_go(world: World) -> None:
    world.open(5)
    seen: list[int] = []
    assert add_synthetic_templates(world.services, 20, progress=seen.append) == 20
    assert seen == [20]
    assert count_templates(world.services) == (1, 20)
    world.services.gallery.refresh()
    assert world.services.gallery.state().templates == 21
    assert remove_synthetic_templates(world.services) == 20
    assert count_templates(world.services) == (1, 0)
    world.services.gallery.refresh()
    assert world.services.gallery.state().templates == 1
