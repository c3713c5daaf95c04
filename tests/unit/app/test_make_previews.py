"""Illustrations: made as a child grows, seen by few, found by no search, gone with the case."""

from datetime import timedelta
from typing import Any

import pytest

from reunite.accounts.account import Role
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.make_previews import LONG_OUTBOX, QUEUED_AT_ONCE, queue_due_previews
from reunite.app.open_case import add_photo
from reunite.app.search_face import start_search, view_search
from reunite.app.view_case import get_case
from reunite.app.view_preview import approve_preview, get_preview_picture
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.cases.photos import CasePhoto
from reunite.cases.previews import AgePreview
from reunite.cases.retention import PHOTO_RETENTION
from reunite.faces.photo import decode_photo
from reunite.faces.progression.marking import encode_marked, is_marked
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.ids import PreviewId
from reunite.kernel.people import Module, Sex, YearRange
from reunite.ports import Look
from reunite.testing.faces import paint_person
from reunite.worker.loop import PREVIEWS_EVERY
from tests.unit.app.world import NOON, World

BORN = 1999
LOST_AT_FIVE = Person(name="王乐乐", sex=Sex.MALE, birth_years=YearRange(BORN, BORN))


def lost(world: World, tag: int = 7, **changes: Any) -> str:
    """The reference of somebody who was lost at five and is 27 by now."""
    arguments: dict[str, Any] = {"person": LOST_AT_FIVE, "captured_year": 2004, **changes}
    reference = world.open(tag, **arguments)
    work(world)
    return reference


def work(world: World) -> None:
    world.clock.advance(PREVIEWS_EVERY)
    world.drain()


def previews_of(world: World, reference: str) -> list[AgePreview]:
    with world.database.transaction() as transaction:
        return transaction.previews.list_of_case(world.case(reference).id)


def photos_of(world: World, reference: str) -> list[CasePhoto]:
    with world.database.transaction() as transaction:
        return transaction.photos.list_of_case(world.case(reference).id)


def looks_at(world: World, reference: str) -> list[Look]:
    with world.database.transaction() as transaction:
        return transaction.looks.list_of_case(world.case(reference).id)


def ages(previews: list[AgePreview]) -> list[int]:
    return [preview.age for preview in previews]


def test_a_lost_child_has_one_a_decade_and_one_of_today(world: World) -> None:
    reference = lost(world)
    made = previews_of(world, reference)
    assert ages(made) == [10, 20, 23]
    assert world.ageing.asked == [(Sex.MALE, 5.0, (10, 20, 23))]
    for preview in made:
        assert is_marked(world.photos.get(preview.storage_key))
        assert not preview.is_approved
        assert preview.maker == world.ageing.digest
    assert looks_at(world, reference)[0].account_id is None


def test_they_are_neither_photos_nor_templates(world: World) -> None:
    reference = lost(world)
    [photo] = photos_of(world, reference)
    assert world.count_templates() == 1
    keys = {preview.storage_key for preview in previews_of(world, reference)}
    assert photo.storage_key not in keys
    assert world.files() == world.keys() == {photo.storage_key, *keys}
    view = get_case(world.services, world.family, reference)
    assert [p.storage_key for p in view.photos] == [photo.storage_key]


def test_no_search_answers_with_one(world: World) -> None:
    reference = lost(world)
    world.publish(reference)
    for preview in previews_of(world, reference):
        approve_preview(world.services, world.reviewer, preview.id, show=True)
    started = start_search(world.services, world.volunteer, paint_person(7, 1))
    found = view_search(world.services, world.volunteer, started.token)
    [photo] = photos_of(world, reference)
    assert [one.photo_id for one in found.resemblances] == [photo.id]


def test_they_are_taken_in_by_nobody(world: World) -> None:
    reference = lost(world)
    jpeg = world.photos.get(previews_of(world, reference)[0].storage_key)
    painted = encode_marked(decode_photo(paint_person(7)).pixels)
    for saved in (jpeg, painted):
        with pytest.raises(InvalidInputError) as searched:
            start_search(world.services, world.volunteer, saved)
        with pytest.raises(InvalidInputError) as added:
            add_photo(world.services, world.family, reference, saved)
        assert searched.value.code == added.value.code == "photo_is_preview"


@pytest.mark.parametrize(
    "changes",
    [
        {"module": Module.ELDER},
        {"captured_year": 2025},
        {"captured_year": 2018},
        {"captured_year": None, "person": Person(name="王乐乐")},
        {"person": Person(name="王乐乐", birth_years=YearRange(2021, 2021)), "captured_year": 2025},
    ],
    ids=["elder", "new photo", "photo of an adult", "no year at all", "lost last year"],
)
def test_some_have_none(world: World, changes: dict[str, Any]) -> None:
    assert previews_of(world, lost(world, **changes)) == []


def test_the_found_have_none(world: World) -> None:
    reference = world.open_found(7)
    work(world)
    assert previews_of(world, reference) == []


def test_an_age_that_the_record_lacks_is_estimated(world: World) -> None:
    world.ageing.looks_years = 6.0
    reference = lost(world, person=Person(name="王乐乐"))
    [photo] = photos_of(world, reference)
    assert photo.estimated_age is not None
    assert photo.estimated_age.years == 6.0
    # Six in 2004, so 28 by now.
    assert ages(previews_of(world, reference)) == [10, 20, 28]


def test_a_known_age_is_not_estimated(world: World) -> None:
    assert photos_of(world, lost(world))[0].estimated_age is None


def test_new_ones_are_made_as_a_child_grows(world: World) -> None:
    young = Person(name="王乐乐", birth_years=YearRange(2016, 2016))
    reference = lost(world, person=young, captured_year=2021)
    seen = []
    for _ in range(30):
        today = ages(previews_of(world, reference))[-1]
        if today not in seen:
            seen.append(today)
        world.pass_time(days=365)
        work(world)
    assert seen == [10, 12, 14, 16, 18, 23, 28, 33, 38]
    # What is kept is not drawn again.
    assert ages(previews_of(world, reference)) == [10, 20, 30, 38]
    assert len([targets for _, _, targets in world.ageing.asked if 20 in targets]) == 1


def test_a_newer_photo_takes_the_place_of_the_older(world: World) -> None:
    reference = lost(world)
    old = {preview.storage_key for preview in previews_of(world, reference)}
    newer = paint_person(7, 3)
    add_photo(world.services, world.family, reference, newer, captured_year=2009)
    work(world)
    made = previews_of(world, reference)
    assert ages(made) == [20, 23]
    assert {preview.photo_id for preview in made} == {photos_of(world, reference)[1].id}
    assert old & world.keys() == set()
    world.pass_time(hours=3)
    world.drain()
    assert old & world.files() == set()


def test_better_mean_faces_make_new_ones(world: World) -> None:
    reference = lost(world)
    before = previews_of(world, reference)
    world.ageing.digest = "better"
    with world.database.transaction() as transaction:
        transaction.previews.set_due(world.case(reference).id, NOON.date())
    work(world)
    after = previews_of(world, reference)
    assert ages(after) == ages(before)
    assert {preview.maker for preview in after} == {"better"}


def test_a_face_that_cannot_be_shown_is_no_error(world: World) -> None:
    world.ageing.refuses = True
    assert previews_of(world, lost(world)) == []
    assert world.count_waiting() == 0


def test_where_only_permissive_parts_may_be_used_nothing_is_made(world: World) -> None:
    world.forbid_ageing()
    reference = lost(world, captured_year=None)
    assert previews_of(world, reference) == []
    assert photos_of(world, reference)[0].estimated_age is None
    assert queue_due_previews(world.services) == 0


def test_alerts_do_not_wait_for_pictures(world: World) -> None:

    def report(tag: int) -> None:
        # One person may not report so many in a day.
        reporter = world.actor(Role.FAMILY)
        world.open(tag, by=reporter, person=LOST_AT_FIVE, captured_year=2004)

    for tag in range(QUEUED_AT_ONCE + 2):
        report(tag)
    assert queue_due_previews(world.services) == QUEUED_AT_ONCE
    assert queue_due_previews(world.services) == 2
    for tag in range(LONG_OUTBOX):
        report(100 + tag)
    assert queue_due_previews(world.services) == 0


def test_reporter_and_staff_see_them_and_it_is_logged(world: World) -> None:
    reference = lost(world)
    preview = previews_of(world, reference)[0]
    for actor in (world.family, world.reviewer):
        before = len(looks_at(world, reference))
        jpeg, is_public = get_preview_picture(world.services, actor, preview.id)
        assert is_marked(jpeg)
        assert not is_public
        looks = looks_at(world, reference)
        assert len(looks) == before + 1
        assert looks[0].account_id == actor.account_id


def test_nobody_else_sees_them_before_a_reviewer_has(world: World) -> None:
    reference = lost(world)
    preview = previews_of(world, reference)[0]
    world.publish(reference)
    for actor in (None, world.volunteer):
        with pytest.raises(NotFoundError):
            get_preview_picture(world.services, actor, preview.id)
        assert get_case(world.services, actor, reference).previews == []
    assert approve_preview(world.services, world.reviewer, preview.id, show=True) == reference
    for actor in (None, world.volunteer):
        assert get_preview_picture(world.services, actor, preview.id)[1]
        shown = get_case(world.services, actor, reference).previews
        assert [p.id for p in shown] == [preview.id]
    approve_preview(world.services, world.reviewer, preview.id, show=False)
    with pytest.raises(NotFoundError):
        get_preview_picture(world.services, None, preview.id)


def test_an_unknown_one_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        get_preview_picture(world.services, world.reviewer, PreviewId(99))


def test_they_are_gone_from_public_when_the_case_is_over_and_from_disk_later(
    world: World,
) -> None:
    reference = lost(world)
    made = previews_of(world, reference)
    world.publish(reference)
    approve_preview(world.services, world.reviewer, made[0].id, show=True)
    resolve_case(
        world.services, world.reviewer, reference, Outcome.REUNITED, ResolutionCause.POLICE
    )
    with pytest.raises(NotFoundError):
        get_preview_picture(world.services, None, made[0].id)
    world.clock.advance(PHOTO_RETENTION + timedelta(hours=1))
    world.drain()
    assert previews_of(world, reference) == []
    assert world.files() == world.keys() == set()


def test_they_are_erased_at_once_with_a_case_that_is_taken_back(world: World) -> None:
    reference = lost(world)
    withdraw_case(world.services, world.family, reference)
    world.pass_time(minutes=2)
    world.drain()
    assert previews_of(world, reference) == []
    assert world.files() == set()


def test_none_are_made_once_the_case_is_over(world: World) -> None:
    reference = world.open(7, person=LOST_AT_FIVE, captured_year=2004)
    queue_due_previews(world.services)
    withdraw_case(world.services, world.family, reference)
    world.drain()
    assert previews_of(world, reference) == []
