"""What a sighting must say, and what reviewers make of it."""

from datetime import datetime, timedelta

import pytest

from reunite.cases.case import MAX_LABEL_LENGTH
from reunite.cases.sightings import MAX_SIGHTING_TEXT, Sighting, SightingStatus, check_sighting
from reunite.kernel.errors import ConflictError, InvalidInputError
from reunite.kernel.ids import CaseId
from reunite.kernel.places import Point
from tests.unit.cases.builders import NOON, REPORTER, REVIEWER

LAKE = Point(30.25, 120.15)
LOST_AT = NOON - timedelta(days=2)


def a_sighting(
    text: str = "seen",
    place: Point | None = None,
    photo_key: str | None = None,
    seen_at: datetime = NOON - timedelta(hours=1),
    place_label: str = "",
) -> Sighting:
    return Sighting(CaseId(1), REPORTER, NOON, seen_at, place, place_label, text, photo_key)


@pytest.mark.parametrize(
    ("sighting", "lost_at"),
    [
        (a_sighting(), LOST_AT),
        (a_sighting(), None),
        (a_sighting("", LAKE), LOST_AT),
        (a_sighting("", None, "key"), LOST_AT),
        (a_sighting("长" * MAX_SIGHTING_TEXT), LOST_AT),
        (a_sighting(place_label="长" * MAX_LABEL_LENGTH), LOST_AT),
        (a_sighting(seen_at=NOON), LOST_AT),
        (a_sighting(seen_at=LOST_AT), LOST_AT),
    ],
)
def test_a_sighting_says_something_possible(sighting: Sighting, lost_at: datetime | None) -> None:
    check_sighting(sighting, lost_at)
    assert sighting.status is SightingStatus.NEW


@pytest.mark.parametrize(
    ("sighting", "code", "field"),
    [
        (a_sighting(""), "sighting_empty", "text"),
        (a_sighting(" \n\t "), "sighting_empty", "text"),
        (a_sighting("长" * (MAX_SIGHTING_TEXT + 1)), "text_too_long", "text"),
        (a_sighting(place_label="长" * (MAX_LABEL_LENGTH + 1)), "text_too_long", "place_label"),
        (a_sighting(seen_at=NOON + timedelta(seconds=1)), "date_in_future", "seen_at"),
        (a_sighting(seen_at=LOST_AT - timedelta(seconds=1)), "seen_before_lost", "seen_at"),
    ],
)
def test_an_impossible_sighting_is_refused(sighting: Sighting, code: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_sighting(sighting, LOST_AT)
    assert (caught.value.code, caught.value.details["field"]) == (code, field)


@pytest.mark.parametrize("status", [SightingStatus.PASSED_ON, SightingStatus.UNLIKELY])
def test_a_reviewer_decides_once(status: SightingStatus) -> None:
    sighting = a_sighting()
    sighting.decide(status, REVIEWER, NOON)
    assert (sighting.status, sighting.decided_by, sighting.decided_at) == (status, REVIEWER, NOON)
    with pytest.raises(ConflictError) as caught:
        sighting.decide(SightingStatus.UNLIKELY, REPORTER, NOON)
    assert (caught.value.code, caught.value.details) == (
        "sighting_decided",
        {"status": status.value},
    )
    assert sighting.decided_by == REVIEWER


def test_new_is_not_a_decision() -> None:
    sighting = a_sighting()
    with pytest.raises(ValueError, match="new"):
        sighting.decide(SightingStatus.NEW, REVIEWER, NOON)
    assert sighting.decided_by is None
