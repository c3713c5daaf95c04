"""What may be asked for, and which requests look like one another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reunite.blood.compatibility import Need
from reunite.blood.notation import parse_phenotype
from reunite.blood.requests import (
    BloodRequest,
    Likeness,
    donors_needed,
    likenesses,
    require_request,
)
from reunite.blood.waves import Urgency
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import BloodCentreId
from reunite.kernel.places import Point

NOW = datetime(2026, 3, 15, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = BloodRequest(
    BloodCentreId(1),
    Need(parse_phenotype("Oh RhD+")),
    2,
    Point(30.27, 120.15),
    NOW,
    NOW + 12 * HOUR,
)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"units": 0}, "number_out_of_range"),
        ({"units": 1000}, "number_out_of_range"),
        ({"needed_by": NOW}, "needed_by_past"),
        ({"needed_by": NOW + timedelta(days=91)}, "needed_by_far"),
        ({"note": "x" * 501}, "text_too_long"),
        ({"patient_code": "x" * 41}, "text_too_long"),
        ({"note": "we give 5000 元"}, "blood_for_money"),
        ({"note": "重金酬谢"}, "blood_for_money"),
        ({"note": "Reward for donors"}, "blood_for_money"),
        ({"note": "$ 200 each"}, "blood_for_money"),
        ({"override_reason": "please"}, "override_not_imminent"),
    ],
)
def test_what_is_refused(facts: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_request(replace(ASKED, **facts))  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"note": "心外科手术，术前 2 天到院；地铁 1 号线"},
        {"urgency": Urgency.IMMINENT, "override_reason": "ruptured spleen"},
    ],
)
def test_what_is_accepted(facts: dict[str, object]) -> None:
    asked = replace(ASKED, **facts)  # type: ignore[arg-type]
    assert require_request(asked) is asked


@pytest.mark.parametrize(("units", "each", "donors"), [(1, 1, 1), (3, 2, 2), (4, 2, 2), (5, 1, 5)])
def test_donors_for_units(units: int, each: int, donors: int) -> None:
    assert donors_needed(units, each) == donors


def test_a_donation_gives_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        donors_needed(2, 0)


@pytest.mark.parametrize(
    ("facts", "likeness"),
    [
        ({"centre_id": 2}, Likeness.SAME_TYPE_NEAR_BY),
        ({}, Likeness.SAME_TYPE_NEAR_BY),
        ({"centre_id": 2, "place": Point(22.5, 114.1)}, None),
        ({"centre_id": 2, "opened_at": NOW - 80 * HOUR}, None),
        ({"centre_id": 2, "need": Need(parse_phenotype("O-"))}, None),
    ],
)
def test_likenesses(facts: dict[str, object], likeness: Likeness | None) -> None:
    other = replace(ASKED, **facts)  # type: ignore[arg-type]
    assert likenesses(ASKED, [other]) == ([] if likeness is None else [(other, likeness)])


def test_codes_tell_patients_apart() -> None:
    coded = replace(ASKED, patient_code="P7")
    assert likenesses(coded, [coded]) == [(coded, Likeness.SAME_PATIENT)]
    assert likenesses(coded, [replace(coded, patient_code="P8")]) == []
    elsewhere = replace(coded, centre_id=BloodCentreId(2))
    assert likenesses(coded, [elsewhere]) == [(elsewhere, Likeness.SAME_TYPE_NEAR_BY)]
