"""Who sees which case and which picture."""

from io import BytesIO

import pytest
from PIL import Image

from reunite.app.close_case import withdraw_case
from reunite.app.open_case import add_photo
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.search_face import start_search
from reunite.app.view_case import (
    CaseClosedError,
    get_case,
    list_cases_to_review,
    list_own_cases,
    list_public_cases,
)
from reunite.app.view_photo import FACE_SIDE_PX, Variant, get_case_picture, get_probe_picture
from reunite.cases.case import CaseStatus
from reunite.kernel.errors import NotFoundError
from reunite.kernel.ids import PhotoId
from reunite.kernel.people import Module, Side
from reunite.ports import LookPurpose
from reunite.testing.faces import PaintedPerson, paint_people
from tests.unit.app.world import NOON, World


def test_an_unpublished_case_is_for_its_reporter_and_staff(world: World) -> None:
    reference = world.open(5)
    for insider, is_own in ((world.family, True), (world.reviewer, False)):
        view = get_case(world.services, insider, reference)
        assert (view.is_own, view.sees_all, len(view.photos)) == (is_own, True, 1)
    for stranger in (None, world.volunteer):
        with pytest.raises(NotFoundError) as caught:
            get_case(world.services, stranger, reference)
        assert caught.value.code == "not_found"
    withdraw_case(world.services, world.family, reference)
    with pytest.raises(NotFoundError) as caught:
        get_case(world.services, None, reference)
    assert not isinstance(caught.value, CaseClosedError)


def test_a_published_case_is_for_everyone_without_what_is_private(world: World) -> None:
    reference = world.open_public(5)
    add_photo(
        world.services, world.family, reference, paint_people(PaintedPerson(5, 2), PaintedPerson(6))
    )
    report_sighting(
        world.services, world.volunteer, reference, SightingReport(NOON, None, "", "seen")
    )
    world.open_found(5, 3)
    world.drain()
    for stranger in (None, world.volunteer):
        view = get_case(world.services, stranger, reference)
        assert (view.is_own, view.sees_all, len(view.photos)) == (False, False, 1)
        assert (view.leads, view.sightings, view.notices) == ([], [], [])
    own = get_case(world.services, world.family, reference)
    assert (len(own.photos), own.leads, own.sightings) == (2, [], [])
    staff = get_case(world.services, world.officer, reference)
    assert (len(staff.photos), len(staff.leads), len(staff.sightings)) == (2, 1, 1)
    with world.database.transaction() as transaction:
        looks = transaction.looks.list_of_case(world.case(reference).id)
    viewers = {look.account_id for look in looks if look.purpose is LookPurpose.VIEW}
    assert viewers == {actor.account_id for actor in (world.volunteer, world.family, world.officer)}


def test_pictures_are_for_those_who_see_the_case(world: World) -> None:
    reference = world.open(5)
    [photo] = get_case(world.services, world.family, reference).photos
    for stranger in (None, world.volunteer):
        with pytest.raises(NotFoundError):
            get_case_picture(world.services, stranger, photo.id, Variant.THUMBNAIL)
    with pytest.raises(NotFoundError):
        get_case_picture(world.services, world.admin, PhotoId(99), Variant.FULL)
    picture, is_public = get_case_picture(world.services, world.family, photo.id, Variant.FULL)
    assert picture == world.photos.get(photo.storage_key)
    assert not is_public
    world.publish(reference)
    assert get_case_picture(world.services, None, photo.id, Variant.FULL) == (picture, True)


def test_a_photo_of_which_nobody_was_chosen_stays_private(world: World) -> None:
    reference = world.open_public(5)
    group = paint_people(PaintedPerson(5, 2), PaintedPerson(6))
    photo_id = add_photo(world.services, world.family, reference, group).choose_photo
    assert photo_id is not None
    with pytest.raises(NotFoundError):
        get_case_picture(world.services, None, photo_id, Variant.THUMBNAIL)
    assert get_case_picture(world.services, world.family, photo_id, Variant.FACE, 1)


def size(jpeg: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(jpeg)).size


def test_variants_of_a_picture(world: World) -> None:
    people = [PaintedPerson(tag) for tag in (1, 2, 3)]
    token = start_search(world.services, world.family, paint_people(*people)).token

    def picture(variant: Variant, face: int | None = None) -> tuple[int, int]:
        return size(get_probe_picture(world.services, world.family, token, variant, face))

    assert picture(Variant.FULL) == (576, 192)
    assert picture(Variant.THUMBNAIL)[0] == 320
    assert picture(Variant.FACE) == picture(Variant.THUMBNAIL)  # none was chosen
    for face in range(3):
        width, height = picture(Variant.FACE, face)
        assert 0 < height <= width <= FACE_SIDE_PX
    for face in (-1, 3):
        with pytest.raises(NotFoundError):
            picture(Variant.FACE, face)


def test_only_published_cases_are_listed_for_everyone(world: World) -> None:
    public = [world.open_public(tag) for tag in (1, 2, 3)]
    elder = world.open_public(4, module=Module.ELDER)
    found = world.open_found(5)
    world.publish(found)
    world.open(6)
    withdraw_case(world.services, world.family, world.open_public(7))

    def references(**conditions: object) -> list[str]:
        page = list_public_cases(world.services, **conditions)  # type: ignore[arg-type]
        return [card.case.reference for card in page.cards]

    assert references() == [found, elder, *reversed(public)]
    assert references(modules=frozenset({Module.ELDER})) == [elder]
    assert references(sides=frozenset({Side.FOUND})) == [found]
    first = list_public_cases(world.services, limit=3)
    second = list_public_cases(world.services, limit=3, before=first.next_before)
    assert [c.case.reference for c in first.cards + second.cards] == references()
    assert second.next_before is None
    assert all(card.photo is not None for card in first.cards)


def test_one_lists_ones_own_and_staff_what_waits(world: World) -> None:
    reported, published = world.open(1), world.open_public(2)
    other = world.open(by=world.volunteer)

    def own(actor: object) -> list[str]:
        page = list_own_cases(world.services, actor)  # type: ignore[arg-type]
        return [card.case.reference for card in page.cards]

    assert own(world.family) == [published, reported]
    assert own(world.volunteer) == [other]
    assert own(world.reviewer) == []
    waiting = list_cases_to_review(world.services, world.reviewer)
    assert [card.case.reference for card in waiting.cards] == [other, reported]
    assert waiting.cards[0].photo is None
    only = list_cases_to_review(world.services, world.reviewer, frozenset({CaseStatus.PUBLISHED}))
    assert [card.case.reference for card in only.cards] == [published]
