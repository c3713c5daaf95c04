"""Reports, their photos, and what is left after a mistake: nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.app.close_case import withdraw_case
from reunite.app.open_case import CaseReport, add_photo, choose_face, get_choosable
from reunite.app.search_face import start_search
from reunite.cases.case import CaseStatus, Person
from reunite.cases.photos import CasePhoto
from reunite.faces.quality import Verdict
from reunite.kernel.errors import ConflictError, InvalidInputError, NotFoundError, ReuniteError
from reunite.kernel.ids import PhotoId
from reunite.kernel.people import YearRange
from reunite.kernel.places import Point
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import MID_PACIFIC, NOON, World, a_report, cut_off, taken_in

TWO = paint_people(PaintedPerson(1), PaintedPerson(2))
TEN_YEARS_OLD = Person(name="王乐乐", birth_years=YearRange(2016, 2016))


def photos_of(world: World, reference: str) -> list[CasePhoto]:
    with world.database.transaction() as transaction:
        return transaction.photos.list_of_case(world.case(reference).id)


def test_a_report_is_written_with_its_photo_and_waits_to_be_matched(world: World) -> None:
    opened = world.report(world.officer, a_report(photo=paint_person(7), captured_year=2020))
    case = world.case(opened.reference)
    assert opened.choose_photo is None
    assert case.status is CaseStatus.REPORTED
    assert (case.opened_by, case.organisation) == (world.officer.account_id, "湖滨救助站")
    [photo] = photos_of(world, opened.reference)
    assert (photo.chosen, photo.captured_year, photo.case_id) == (0, 2020, case.id)
    assert world.files() == world.keys() == {photo.storage_key}
    assert world.count_templates() == 1
    assert world.count_waiting() == 1


def test_a_report_needs_no_photo(world: World) -> None:
    reference = world.open()
    assert photos_of(world, reference) == []
    assert world.count_waiting() == 0


def test_a_place_is_given_its_province_and_a_label(world: World) -> None:
    named = world.case(world.open(place_label="断桥")).circumstances
    unnamed = world.case(world.open()).circumstances
    nowhere = world.case(world.open(place=None)).circumstances
    assert (named.place_label, named.region) == ("断桥", 2)
    assert unnamed.place_label.startswith("杭州")
    assert (nowhere.place_label, nowhere.region) == ("", 0)


@pytest.mark.parametrize(
    ("report", "code", "field"),
    [
        (a_report(person=Person()), "required", "name"),
        (a_report(consent_search=False), "consent_search_required", "consent_search"),
        (a_report(place=MID_PACIFIC), "place_at_sea", "place"),
        (a_report(place=Point(0, 0)), "place_at_sea", "place"),
        (a_report(seen_at=NOON + timedelta(days=1)), "date_in_future", "seen_at"),
        (a_report(captured_year=2027), "date_in_future", "captured_year"),
        (
            a_report(person=TEN_YEARS_OLD, captured_year=2015),
            "photo_before_birth",
            "captured_year",
        ),
        (
            a_report(person=TEN_YEARS_OLD, photo=taken_in(paint_person(1), 2001)),
            "photo_before_birth",
            "captured_year",
        ),
        (a_report(photo=b""), "photo_empty", "photo"),
        (a_report(photo=b"just text"), "photo_not_an_image", "photo"),
        (a_report(photo=cut_off(paint_person(1))), "photo_truncated", "photo"),
        (a_report(photo=paint_people()), "photo_no_face", "photo"),
        (
            a_report(photo=paint_person(1, verdict=Verdict.UNUSABLE)),
            "face_too_small",
            "photo",
        ),
    ],
)
@pytest.mark.parametrize("with_photo", [True, False])
def test_a_mistake_names_its_field_and_leaves_nothing_behind(
    world: World, report: CaseReport, code: str, field: str, with_photo: bool
) -> None:
    if with_photo and report.photo is None:
        report = replace(report, photo=paint_person(3))
    with pytest.raises(InvalidInputError) as caught:
        world.report(world.family, report)
    assert (caught.value.code, caught.value.details["field"]) == (code, field)
    assert world.is_untouched()


def test_the_camera_says_when_unless_the_reporter_does(world: World) -> None:
    years = []
    for named in (None, 2004):
        report = a_report(photo=taken_in(paint_person(1), 2019), captured_year=named)
        reference = world.report(world.family, report).reference
        years += [photo.captured_year for photo in photos_of(world, reference)]
    assert years == [2019, 2004]


def test_a_camera_that_is_wrong_can_be_corrected(world: World) -> None:
    flat_battery = taken_in(paint_person(1), 2000)
    report = a_report(person=TEN_YEARS_OLD, photo=flat_battery, captured_year=2020)
    reference = world.report(world.family, report).reference
    assert photos_of(world, reference)[0].captured_year == 2020
    with pytest.raises(InvalidInputError, match="photo_before_birth"):
        add_photo(world.services, world.family, reference, taken_in(paint_person(1, 2), 2000))
    assert len(photos_of(world, reference)) == len(world.files()) == 1


def test_of_several_faces_somebody_chooses(world: World) -> None:
    opened = world.report(world.family, a_report(photo=TWO))
    assert opened.choose_photo is not None
    assert world.count_templates() == 0
    assert world.count_waiting() == 0
    photo = get_choosable(world.services, world.family, opened.choose_photo)
    assert (len(photo.faces), photo.chosen) == (2, None)
    reference = choose_face(world.services, world.family, opened.choose_photo, 1)
    assert reference == opened.reference
    assert world.count_templates() == 1
    assert world.count_waiting() == 1
    assert photos_of(world, reference)[0].chosen == 1


def test_a_choice_can_be_changed_and_leaves_one_template(world: World) -> None:
    opened = world.report(world.family, a_report(photo=TWO))
    assert opened.choose_photo is not None
    vectors = []
    for index in (0, 1):
        choose_face(world.services, world.reviewer, opened.choose_photo, index)
        with world.database.transaction() as transaction:
            found = transaction.templates.find_of_photo(
                opened.choose_photo, world.services.gallery.space
            )
        assert found is not None
        vectors.append(found[1])
    assert world.count_templates() == 1
    assert float(vectors[0] @ vectors[1]) < 0.5
    world.services.gallery.refresh()
    assert world.services.gallery.state().templates == 1


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_third_face(world: World, index: int) -> None:
    opened = world.report(world.family, a_report(photo=TWO))
    assert opened.choose_photo is not None
    with pytest.raises(InvalidInputError, match="no_such_face"):
        choose_face(world.services, world.family, opened.choose_photo, index)
    assert photos_of(world, opened.reference)[0].chosen is None
    assert world.count_templates() == 0


def test_an_unusable_face_cannot_be_chosen(world: World) -> None:
    photo = paint_people(PaintedPerson(1), PaintedPerson(2, verdict=Verdict.UNUSABLE))
    opened = world.report(world.family, a_report(photo=photo))
    assert opened.choose_photo is not None
    with pytest.raises(InvalidInputError, match="face_too_small"):
        choose_face(world.services, world.family, opened.choose_photo, 1)
    assert world.count_templates() == 0


def test_photos_of_other_people_are_not_theirs_to_choose_from(world: World) -> None:
    opened = world.report(world.family, a_report(photo=TWO))
    assert opened.choose_photo is not None
    with pytest.raises(NotFoundError):
        choose_face(world.services, world.volunteer, opened.choose_photo, 0)
    with pytest.raises(NotFoundError):
        get_choosable(world.services, world.volunteer, opened.choose_photo)
    with pytest.raises(NotFoundError):
        get_choosable(world.services, world.family, PhotoId(999))


def test_more_photos_can_be_added_by_the_reporter_and_staff(world: World) -> None:
    reference = world.open(7)
    added = add_photo(world.services, world.family, reference, paint_person(7, 1), 2018)
    assert added.reference == reference
    several = add_photo(world.services, world.officer, reference, TWO)
    assert several.choose_photo is not None
    assert [p.captured_year for p in photos_of(world, reference)] == [None, 2018, None]
    assert world.count_templates() == 2
    with pytest.raises(NotFoundError):
        add_photo(world.services, world.volunteer, reference, paint_person(7, 2))
    assert len(world.files()) == 3


def test_the_same_photo_twice_is_noticed(world: World) -> None:
    reference = world.open(7)
    before = world.files()
    with pytest.raises(ConflictError, match="photo_already_there"):
        add_photo(world.services, world.family, reference, paint_person(7))
    # Whatever the metadata says.
    with pytest.raises(ConflictError, match="photo_already_there"):
        add_photo(world.services, world.family, reference, with_a_date_only(paint_person(7)))
    assert world.files() == world.keys() == before
    assert world.count_templates() == world.count_waiting() == 1
    assert world.open(7) != reference  # on another case it is no mistake


def with_a_date_only(photo: bytes) -> bytes:
    """The very same pixels in a file that says when it was taken."""
    exif = (
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x32\x01\x02\x00\x14\x00\x00\x00\x1a\x00\x00\x00"
        b"\x00\x00\x00\x002019:05:06 07:08:09\x00"
    )
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    return photo[:2] + segment + photo[2:]


def test_a_closed_case_takes_no_photo(world: World) -> None:
    opened = world.report(world.family, a_report(photo=TWO))
    withdraw_case(world.services, world.family, opened.reference)
    with pytest.raises(ConflictError, match="case_closed"):
        add_photo(world.services, world.family, opened.reference, paint_person(8))
    assert opened.choose_photo is not None
    with pytest.raises(ConflictError, match="case_closed"):
        choose_face(world.services, world.family, opened.choose_photo, 0)
    assert world.count_templates() == 0
    assert len(world.files()) == 1


def test_a_photo_that_cannot_be_written_leaves_no_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(type(world.faces), "template", broken)
    with pytest.raises(OSError, match="disk full"):
        world.open(7)
    assert world.is_untouched()


def test_a_full_disk_writes_nothing_and_is_mended_by_trying_again(world: World) -> None:
    world.photos.full = True
    with pytest.raises(ReuniteError, match="photo_store_full"):
        world.open(7)
    assert world.is_untouched()
    world.photos.full = False
    assert world.open(7)


def test_a_search_that_is_refused_leaves_nothing(world: World) -> None:
    for data in (b"", b"text", paint_people(), cut_off(paint_person(1))):
        with pytest.raises(InvalidInputError) as caught:
            start_search(world.services, world.volunteer, data)
        assert caught.value.details["field"] == "photo"
    assert world.is_untouched()
