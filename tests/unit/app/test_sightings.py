"""What volunteers saw, and what reviewers make of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.app.close_case import withdraw_case
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.search_face import start_search
from reunite.app.triage_sighting import (
    answer_sighting,
    decide_sighting,
    list_own_sightings,
    list_sightings,
    list_sightings_of_case,
)
from reunite.app.view_photo import Variant, get_sighting_picture
from reunite.cases.sightings import Sighting, SightingStatus
from reunite.faces.quality import Verdict
from reunite.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
)
from reunite.kernel.ids import SightingId
from reunite.kernel.places import Point
from reunite.ports import LookPurpose
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import HANGZHOU, MID_PACIFIC, NOON, World, cut_off

SEEN = SightingReport(NOON - timedelta(hours=1), HANGZHOU, "", " by the lake ")


def sent(world: World, reference: str, report: SightingReport) -> Sighting:
    sighting_id = report_sighting(world.services, world.volunteer, reference, report)
    with world.database.transaction() as transaction:
        return transaction.sightings.get(sighting_id)


def test_a_sighting_enters_the_queue(world: World) -> None:
    reference = world.open_public(5)
    sighting = sent(world, reference, SEEN)
    assert (sighting.text, sighting.photo_key) == ("by the lake", None)
    assert sighting.place_label.startswith("杭州")
    assert sighting.similarity is None
    [view] = list_sightings(world.services, world.reviewer)
    assert view.sighting == sighting
    assert view.case.reference == reference
    assert view.reporter.id == world.volunteer.account_id
    assert view.distance_km == 0
    unplaced = sent(world, reference, replace(SEEN, place=None, place_label=" 断桥 "))
    assert unplaced.place_label == "断桥"
    views = list_sightings(world.services, world.reviewer)
    assert [v.distance_km for v in views] == [0, None]
    assert list_sightings(world.services, world.reviewer, limit=1) == [view]


def test_a_photo_of_a_sighting_is_compared_with_the_case(world: World) -> None:
    reference = world.open_public(5)
    same = sent(world, reference, replace(SEEN, text="", photo=paint_person(5, 3)))
    other = sent(world, reference, replace(SEEN, photo=paint_person(6)))
    crowd = paint_people(
        PaintedPerson(6), PaintedPerson(5, 4), PaintedPerson(7, verdict=Verdict.UNUSABLE)
    )
    among = sent(world, reference, replace(SEEN, photo=crowd))
    nobody = sent(world, reference, replace(SEEN, photo=paint_people()))
    assert same.similarity is not None
    assert other.similarity is not None
    assert among.similarity is not None
    assert same.similarity > 0.6 > other.similarity
    assert among.similarity > 0.6
    assert nobody.similarity is None
    assert nobody.photo_key in world.files()
    assert world.files() == world.keys()


def test_without_a_photo_of_the_person_nothing_is_compared(world: World) -> None:
    reference = world.open()
    world.publish(reference)
    assert sent(world, reference, replace(SEEN, photo=paint_person(5))).similarity is None


def test_the_photo_of_a_search_can_be_sent_on(world: World) -> None:
    reference = world.open_public(5)
    token = start_search(world.services, world.volunteer, paint_person(5, 3)).token
    sighting = sent(world, reference, replace(SEEN, probe_token=token))
    assert sighting.similarity is not None
    assert sighting.similarity > 0.6
    with world.database.transaction() as transaction:
        keys = set(transaction.photos.iter_storage_keys())
    assert sighting.photo_key in keys
    foreign = start_search(world.services, world.family, paint_person(5, 4)).token
    with pytest.raises(NotFoundError, match="search_expired"):
        sent(world, reference, replace(SEEN, probe_token=foreign))


@pytest.mark.parametrize(
    ("report", "code", "field"),
    [
        (replace(SEEN, place=None, text="  "), "sighting_empty", "text"),
        (replace(SEEN, place=MID_PACIFIC), "place_at_sea", "place"),
        (replace(SEEN, text="长" * 2001), "text_too_long", "text"),
        (replace(SEEN, place_label="长" * 201), "text_too_long", "place_label"),
        (replace(SEEN, seen_at=NOON + timedelta(minutes=1)), "date_in_future", "seen_at"),
        (replace(SEEN, seen_at=NOON - timedelta(hours=4)), "seen_before_lost", "seen_at"),
        (replace(SEEN, photo=b""), "photo_empty", "photo"),
        (replace(SEEN, photo=b"text"), "photo_not_an_image", "photo"),
        (replace(SEEN, photo=cut_off(paint_person(1))), "photo_truncated", "photo"),
    ],
)
def test_a_mistake_names_its_field_and_leaves_nothing_behind(
    world: World, report: SightingReport, code: str, field: str
) -> None:
    reference = world.open_public(5)
    before = world.files()
    with pytest.raises(InvalidInputError) as caught:
        report_sighting(world.services, world.volunteer, reference, report)
    assert (caught.value.code, caught.value.details["field"]) == (code, field)
    assert list_sightings(world.services, world.reviewer) == []
    assert world.files() == before


def test_a_found_person_may_have_been_seen_before(world: World) -> None:
    reference = world.open_found(5)
    world.publish(reference)
    before = NOON - timedelta(days=9)
    assert sent(world, reference, replace(SEEN, seen_at=before)).seen_at == before


def test_sightings_are_of_published_cases(world: World) -> None:
    hidden = world.open(5)
    never_public = world.open(6)
    withdraw_case(world.services, world.family, never_public)
    for reference in (hidden, never_public, "NOSUCHCASE"):
        with pytest.raises(NotFoundError) as caught:
            report_sighting(world.services, world.volunteer, reference, SEEN)
        assert caught.value.code == "not_found"
    over = world.open_public(7)
    withdraw_case(world.services, world.family, over)
    with pytest.raises(ConflictError, match="case_closed"):
        report_sighting(world.services, world.volunteer, over, SEEN)
    before = world.files()
    with pytest.raises(ConflictError, match="case_closed"):
        report_sighting(world.services, world.volunteer, over, replace(SEEN, photo=paint_person(7)))
    assert world.files() == before


def test_a_sighting_whose_photo_cannot_be_read_leaves_no_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.open_public(5)
    before = world.files()

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(type(world.faces), "detect", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        report_sighting(
            world.services, world.volunteer, reference, replace(SEEN, photo=paint_person(5))
        )
    assert world.files() == before
    assert list_sightings(world.services, world.reviewer) == []


def test_reviewers_decide_once(world: World) -> None:
    reference = world.open_public(5)
    sighting = sent(world, reference, SEEN)
    decide_sighting(world.services, world.reviewer, sighting.id, SightingStatus.PASSED_ON)
    assert list_sightings(world.services, world.reviewer) == []
    [view] = list_sightings(world.services, world.reviewer, SightingStatus.PASSED_ON)
    assert view.sighting.decided_by == world.reviewer.account_id
    assert view.sighting.decided_at == NOON
    with pytest.raises(ConflictError, match="sighting_decided"):
        decide_sighting(world.services, world.second_reviewer, sighting.id, SightingStatus.UNLIKELY)
    with pytest.raises(NotFoundError):
        decide_sighting(world.services, world.reviewer, SightingId(99), SightingStatus.UNLIKELY)


def test_staff_look_at_its_photo_and_the_look_is_logged(world: World) -> None:
    reference = world.open_public(5)
    with_photo = sent(world, reference, replace(SEEN, photo=paint_person(5, 3)))
    without = sent(world, reference, SEEN)
    for variant in Variant:
        picture = get_sighting_picture(world.services, world.officer, with_photo.id, variant)
        assert picture.startswith(b"\xff\xd8")
    with pytest.raises(NotFoundError):
        get_sighting_picture(world.services, world.officer, without.id, Variant.FULL)
    with world.database.transaction() as transaction:
        looks = transaction.looks.list_of_case(world.case(reference).id)
    assert [(look.account_id, look.purpose) for look in looks] == [
        (world.officer.account_id, LookPurpose.REVIEW)
    ] * len(Variant)


def test_no_photo_slips_into_a_case_that_is_being_closed(world: World) -> None:
    reference = world.open_public(5)
    before = world.files()
    with world.database.transaction() as transaction:
        transaction.cases.get_by_reference(reference, lock=True)
        with pytest.raises(RuntimeError, match="is held"):
            sent(world, reference, replace(SEEN, photo=paint_person(5, 3)))
    assert world.files() == before


def test_what_a_device_sends_twice_is_one_sighting(world: World) -> None:
    reference = world.open_public(5)
    report = replace(SEEN, photo=paint_person(5, 3), client_key="k1")
    first = report_sighting(world.services, world.volunteer, reference, report)
    assert report_sighting(world.services, world.volunteer, reference, report) == first
    # Another person's device may make the same key; another page of one's own does not.
    other = report_sighting(world.services, world.family, reference, report)
    assert other != first
    # Gone back and written something else: that is another sighting.
    corrected = replace(report, text="at the station")
    second = report_sighting(world.services, world.volunteer, reference, corrected)
    assert second not in {first, other}
    withdraw_case(world.services, world.family, reference)
    # However late it comes again, even after the end.
    assert report_sighting(world.services, world.volunteer, reference, report) == first
    with pytest.raises(InvalidInputError, match="text_too_long"):
        report_sighting(
            world.services,
            world.volunteer,
            world.open_public(6),
            replace(SEEN, client_key="k" * 65),
        )


def test_nobody_buries_the_reviewers(world: World) -> None:
    reference = world.open_public(5)
    limit = world.services.settings.sightings_per_hour
    for number in range(limit):
        sent(world, reference, replace(SEEN, text=f"seen {number}"))
    with pytest.raises(TooManyRequestsError) as caught:
        sent(world, reference, SEEN)
    assert (caught.value.code, caught.value.details["limit"]) == ("too_many_sightings", limit)
    report_sighting(world.services, world.family, reference, SEEN)
    world.pass_time(hours=1)
    sent(world, reference, SEEN)


def test_the_most_plausible_sighting_is_weighed_first(world: World) -> None:
    reference = world.open_public(5)
    beijing = Point(39.9042, 116.4074)
    impossible = sent(world, reference, replace(SEEN, place=beijing))
    plain = sent(world, reference, SEEN)
    alike = sent(world, reference, replace(SEEN, photo=paint_person(5, 3)))
    listed = [view.sighting.id for view in list_sightings(world.services, world.reviewer)]
    assert listed == [alike.id, plain.id, impossible.id]
    assert [
        view.sighting.id
        for view in list_sightings(world.services, world.reviewer, limit=1, offset=2)
    ] == [impossible.id]
    by_time = list_sightings_of_case(world.services, world.reviewer, reference)
    assert [view.sighting.id for view in by_time] == sorted([impossible.id, plain.id, alike.id])


def test_the_reporter_reads_what_a_reviewer_answers(world: World) -> None:
    reference = world.open_public(5)
    sighting = sent(world, reference, SEEN)
    answer_sighting(world.services, world.reviewer, sighting.id, " Thank you. Which bus was it? ")
    decide_sighting(world.services, world.reviewer, sighting.id, SightingStatus.PASSED_ON)
    [own] = list_own_sightings(world.services, world.volunteer)
    assert own.sighting.reply == "Thank you. Which bus was it?"
    assert own.sighting.replied_by == world.reviewer.account_id
    assert own.sighting.status is SightingStatus.PASSED_ON
    assert own.case.reference == reference
    assert list_own_sightings(world.services, world.family) == []
    for reply, code in (("  ", "required"), ("x" * 1001, "text_too_long")):
        with pytest.raises(InvalidInputError, match=code):
            answer_sighting(world.services, world.reviewer, sighting.id, reply)
