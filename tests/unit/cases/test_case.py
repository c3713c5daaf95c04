"""What a report must say, and each step of a case by itself."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

import pytest

from reunite.cases.case import (
    MAX_LABEL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TEXT_LENGTH,
    CaseStatus,
    Circumstances,
    Outcome,
    Person,
    ResolutionCause,
    Transition,
    check_photo_year,
)
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.people import Side, YearRange
from tests.unit.cases.builders import NOON, REPORTER, REVIEWER, a_case, a_person

Known = TypeVar("Known", Person, Circumstances)


def test_a_new_case_is_reported_and_says_by_whom_and_when() -> None:
    case = a_case(contact="138 0000 0000")
    assert case.status is CaseStatus.REPORTED
    assert case.is_open
    assert not case.is_public
    assert case.transitions == [Transition(CaseStatus.REPORTED, REPORTER, NOON)]
    assert (case.opened_by, case.opened_at) == (REPORTER, NOON)
    assert (case.contact, case.organisation) == ("138 0000 0000", "湖滨救助站")
    assert (case.closed_at, case.outcome, case.cause) == (None, None, None)


@pytest.mark.parametrize("name", ["", "  ", "\t", "\u3000"])
def test_a_missing_person_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        a_case(person=Person(name=name))
    assert (caught.value.code, caught.value.details) == ("required", {"field": "name"})


def test_a_found_person_needs_no_name() -> None:
    assert a_case(side=Side.FOUND, person=Person()).person.name == ""


def test_faces_are_not_compared_without_consent() -> None:
    with pytest.raises(InvalidInputError, match="consent_search_required"):
        a_case(consent_search=False)


def changed(known: Known, field: str, text: str) -> Known:
    change: dict[str, Any] = {field: text}
    return replace(known, **change)


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("name", MAX_NAME_LENGTH),
        ("marks", MAX_TEXT_LENGTH),
        ("clothing", MAX_TEXT_LENGTH),
        ("dialect", MAX_LABEL_LENGTH),
        ("blood_group", MAX_LABEL_LENGTH),
        ("story", MAX_TEXT_LENGTH),
        ("private_note", MAX_TEXT_LENGTH),
        ("place_label", MAX_LABEL_LENGTH),
        ("contact", MAX_LABEL_LENGTH),
    ],
)
def test_every_text_has_a_limit(field: str, limit: int) -> None:
    def with_text(text: str) -> None:
        person, circumstances, contact = Person(name="王"), Circumstances(), ""
        if field == "contact":
            contact = text
        elif field in Person.__slots__:
            person = changed(person, field, text)
        else:
            circumstances = changed(circumstances, field, text)
        a_case(person=person, circumstances=circumstances, contact=contact)

    with_text("长" * limit)
    with pytest.raises(InvalidInputError) as caught:
        with_text("长" * (limit + 1))
    assert caught.value.code == "text_too_long"
    assert caught.value.details == {"field": field, "maximum": limit}


def test_a_script_in_a_name_is_a_name() -> None:
    assert a_case(person=Person(name="<script>alert(1)</script>")).person.name.startswith("<")


@pytest.mark.parametrize(
    ("height_cm", "accepted"),
    [(20, True), (260, True), (19, False), (261, False), (-1, False), (10**9, False)],
)
def test_heights_are_of_people(height_cm: int, accepted: bool) -> None:
    person = Person(name="王", height_cm=height_cm)
    if accepted:
        assert a_case(person=person).person.height_cm == height_cm
        return
    with pytest.raises(InvalidInputError) as caught:
        a_case(person=person)
    assert caught.value.details == {"field": "height_cm", "least": 20, "most": 260}


@pytest.mark.parametrize(
    ("born", "seen_years_ago", "code"),
    [
        (None, 0, None),
        ((1880, 1880), None, None),
        ((1879, 1990), None, "birth_year_too_early"),
        ((2026, 2026), 0, None),
        ((2026, 2027), None, "date_in_future"),
        ((2027, 2027), None, "date_in_future"),
        ((2010, 2010), 16, None),
        ((2010, 2010), 17, "born_after_seen"),
        ((2008, 2012), 17, None),
    ],
)
def test_years_must_be_possible(
    born: tuple[int, int] | None, seen_years_ago: int | None, code: str | None
) -> None:
    seen_at = None if seen_years_ago is None else NOON.replace(year=NOON.year - seen_years_ago)

    def report() -> None:
        a_case(person=a_person(born=born), circumstances=Circumstances(seen_at=seen_at))

    if code is None:
        report()
        return
    with pytest.raises(InvalidInputError) as caught:
        report()
    assert caught.value.code == code
    assert caught.value.details["field"] == "birth_year"


def test_nobody_was_last_seen_tomorrow() -> None:
    a_case(circumstances=Circumstances(seen_at=NOON))
    with pytest.raises(InvalidInputError) as caught:
        a_case(circumstances=Circumstances(seen_at=NOON + timedelta(seconds=1)))
    assert (caught.value.code, caught.value.details) == ("date_in_future", {"field": "seen_at"})


@pytest.mark.parametrize(
    ("born", "captured", "code"),
    [
        (None, None, None),
        (None, 1900, None),
        ((2010, 2012), None, None),
        ((2010, 2012), 2010, None),
        ((2010, 2012), 2009, "photo_before_birth"),
        (None, 2026, None),
        (None, 2027, "date_in_future"),
    ],
)
def test_a_photo_is_taken_in_the_life_of_its_person(
    born: tuple[int, int] | None, captured: int | None, code: str | None
) -> None:
    person = Person(birth_years=YearRange(*born) if born else None)
    if code is None:
        check_photo_year(person, captured, date(2026, 6, 1), "captured_year")
        return
    with pytest.raises(InvalidInputError) as caught:
        check_photo_year(person, captured, date(2026, 6, 1), "captured_year")
    assert caught.value.code == code
    assert caught.value.details["field"] == "captured_year"


def test_the_reporter_cannot_vouch_for_their_own_report() -> None:
    case = a_case()
    with pytest.raises(ConflictError, match="own_case"):
        case.verify(REPORTER, NOON)
    assert case.status is CaseStatus.REPORTED
    assert len(case.transitions) == 1


def test_nothing_is_shown_without_consent() -> None:
    case = a_case(consent_publish=False)
    case.verify(REVIEWER, NOON)
    with pytest.raises(ConflictError, match="consent_missing"):
        case.publish(REVIEWER, NOON)
    assert case.status is CaseStatus.VERIFIED


def test_a_verified_case_can_end_without_ever_being_shown() -> None:
    case = a_case(consent_publish=False)
    case.verify(REVIEWER, NOON)
    case.resolve(Outcome.LOCATED, ResolutionCause.POLICE, REVIEWER, NOON, "110")
    assert (case.outcome, case.cause) == (Outcome.LOCATED, ResolutionCause.POLICE)
    assert case.closed_at == NOON
    assert case.transitions[-1] == Transition(CaseStatus.RESOLVED, REVIEWER, NOON, "110")
