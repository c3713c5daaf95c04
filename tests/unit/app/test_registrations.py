"""Registered ahead of time: one tap raises the alarm, a scanned card reaches the family."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reunite.app.answer_card import CardAnswer, answer_card, is_card
from reunite.app.close_case import withdraw_case
from reunite.app.erase_expired import erase_expired, sweep_photos
from reunite.app.read_inbox import list_inbox
from reunite.app.register_person import (
    RegistrationForm,
    delete_registration,
    get_registration,
    list_registrations,
    open_episode,
    raise_alarm,
    register_person,
)
from reunite.app.view_case import get_case
from reunite.cases.background import Background
from reunite.cases.case import CaseStatus, Person
from reunite.cases.registration import MESSAGES_AN_HOUR, Registration
from reunite.kernel.errors import InvalidInputError, NotFoundError, TooManyRequestsError
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from tests.unit.app.world import HANGZHOU, MID_PACIFIC, World

FORM = RegistrationForm(
    person=Person(name="王秀珍", sex=Sex.FEMALE, birth_years=YearRange(1948, 1948)),
    background=Background(condition="认知症", home_places="达州", habits="往车站走"),
    contact="138 0000 0000",
    consent_search=True,
    consent_publish=True,
    place=HANGZHOU,
    photo=paint_person(3),
)
FOUND = CardAnswer("在汽车站，人很好", "139", HANGZHOU)


def registered(world: World, form: RegistrationForm = FORM) -> Registration:
    return register_person(world.services, world.family, form)


def test_nothing_is_compared_before_the_alarm(world: World) -> None:
    made = registered(world)
    assert world.count_templates() == world.count_waiting() == 0
    [view] = list_registrations(world.services, world.family)
    assert view.registration == made
    assert (view.episodes, view.messages, view.open_case) == ([], [], None)
    with world.database.transaction() as transaction:
        assert not transaction.cases.count()


def test_one_tap_opens_the_case_with_everything(world: World) -> None:
    made = registered(world)
    opened = raise_alarm(world.services, world.family, made.token)
    assert raise_alarm(world.services, world.family, made.token).reference == opened.reference
    view = get_case(world.services, world.family, opened.reference)
    case = view.case
    assert (case.module, case.side, case.status) == (
        Module.ELDER,
        Side.MISSING,
        CaseStatus.REPORTED,
    )
    assert (case.person, case.contact) == (FORM.person, FORM.contact)
    assert case.circumstances.place == HANGZHOU
    assert view.background == FORM.background
    assert world.count_templates() == 1
    with pytest.raises(NotFoundError):
        get_case(world.services, None, opened.reference)


def test_two_alarms_at_the_same_moment_are_one_episode(world: World) -> None:
    made = registered(world)
    # Each has looked, and seen that no alarm is on.
    both = [open_episode(world.services, world.family, made, None).reference for _ in range(2)]
    assert both[0] == both[1]
    assert world.count_cases() == 1
    assert world.files() == world.keys()
    view = get_registration(world.services, world.family, made.token)
    assert [case.reference for case in view.episodes] == [both[0]]


def test_every_episode_belongs_to_one_registration(world: World) -> None:
    made = registered(world)
    first = raise_alarm(world.services, world.family, made.token).reference
    withdraw_case(world.services, world.family, first)
    second = raise_alarm(world.services, world.family, made.token).reference
    view = get_registration(world.services, world.family, made.token)
    assert [case.reference for case in view.episodes] == [second, first]
    assert view.open_case is not None
    assert view.open_case.reference == second


def test_a_scanned_card_reaches_the_family_and_nobody_else(world: World) -> None:
    made = registered(world)
    is_card(world.services, made.token.lower())
    answer_card(world.services, made.token, FOUND)
    world.worker.drain()
    view = get_registration(world.services, world.family, made.token)
    [message] = view.messages
    assert (message.text, message.contact, message.place_label) == (FOUND.text, "139", "杭州")
    # The family had not noticed yet: an episode has begun.
    assert view.open_case is not None
    [told] = list_inbox(world.services, world.family)
    assert told.kind == "card"
    assert list_inbox(world.services, world.volunteer) == []
    answer_card(world.services, made.token, replace(FOUND, place=None, text="还在这里"))
    view = get_registration(world.services, world.family, made.token)
    assert [one.text for one in view.messages] == ["还在这里", FOUND.text]
    assert len(view.episodes) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (CardAnswer(" "), "required"),
        (CardAnswer("x" * 1001), "text_too_long"),
        (CardAnswer("x", "y" * 201), "text_too_long"),
        (CardAnswer("x", place=MID_PACIFIC), "place_at_sea"),
    ],
)
def test_answers_that_cannot_be_passed_on(world: World, answer: CardAnswer, code: str) -> None:
    made = registered(world)
    with pytest.raises(InvalidInputError) as caught:
        answer_card(world.services, made.token, answer)
    assert caught.value.code == code
    assert list_registrations(world.services, world.family)[0].messages == []


def test_a_lost_card_is_no_way_to_pester_a_family(world: World) -> None:
    made = registered(world)
    for _ in range(MESSAGES_AN_HOUR):
        answer_card(world.services, made.token, FOUND)
    with pytest.raises(TooManyRequestsError):
        answer_card(world.services, made.token, FOUND)
    world.clock.advance(timedelta(hours=2))
    answer_card(world.services, made.token, FOUND)


def test_a_registration_is_its_owners_alone(world: World) -> None:
    made = registered(world)
    for act in (get_registration, raise_alarm, delete_registration):
        with pytest.raises(NotFoundError):
            act(world.services, world.admin, made.token)
    assert list_registrations(world.services, world.volunteer) == []


def test_deleted_it_is_gone_with_its_photo(world: World) -> None:
    made = registered(world)
    assert made.photo_key is not None
    world.clock.advance(timedelta(days=2))
    sweep_photos(world.services)
    assert world.photos.get(made.photo_key)
    delete_registration(world.services, world.family, made.token)
    with pytest.raises(NotFoundError):
        is_card(world.services, made.token)
    with pytest.raises(NotFoundError):
        world.photos.get(made.photo_key)


def test_what_is_known_goes_with_the_case(world: World) -> None:
    made = registered(world)
    answer_card(world.services, made.token, FOUND)
    view = get_registration(world.services, world.family, made.token)
    assert view.open_case is not None
    withdraw_case(world.services, world.family, view.open_case.reference)
    world.clock.advance(timedelta(days=1))
    erase_expired(world.services)
    with world.database.transaction() as transaction:
        assert transaction.backgrounds.get_many([view.open_case.id]) == {}
    after = get_registration(world.services, world.family, made.token)
    assert after.messages == []
    assert after.registration.background == FORM.background


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (replace(FORM, person=Person()), "name"),
        (replace(FORM, consent_search=False), "consent_search"),
        (replace(FORM, person=Person(name="x", birth_years=YearRange(2090, 2090))), "birth_year"),
        (replace(FORM, person=Person(name="x", birth_years=YearRange(1700, 1700))), "birth_year"),
        (replace(FORM, person=Person(name="x" * 81)), "name"),
        (replace(FORM, background=Background(habits="x" * 5000)), "habits"),
        (replace(FORM, place=MID_PACIFIC), "place"),
        (replace(FORM, photo=b"x"), "photo"),
    ],
)
def test_what_cannot_be_registered(world: World, form: RegistrationForm, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        registered(world, form)
    assert caught.value.details["field"] == field
    assert list_registrations(world.services, world.family) == []


def test_a_photo_of_several_people_is_refused(world: World) -> None:
    with pytest.raises(InvalidInputError, match="photo_several_faces"):
        registered(world, replace(FORM, photo=paint_people(PaintedPerson(1), PaintedPerson(2))))
