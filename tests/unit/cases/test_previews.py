"""Which ages are illustrated, and when the next is due."""

import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.cases.age_at_photo import age_at_photo, likely_birth_year, recorded_age
from reunite.cases.photos import EstimatedAge
from reunite.cases.previews import (
    DECADES,
    MILESTONES,
    SHORTEST_LAPSE_YEARS,
    AgePreview,
    next_due,
    wanted_ages,
)
from reunite.kernel.ids import AccountId, CaseId, PhotoId
from reunite.kernel.people import YearRange
from reunite.testing.factories import make_photo

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at_photo", "today", "ages"),
    [
        (5, 5, ()),
        (5, 6, ()),
        (5, 7, ()),
        (5, 8, (8,)),
        (5, 9, (8,)),
        (5, 18, (10, 18)),
        (5, 22, (10, 18)),
        (5, 27, (10, 20, 23)),
        (5, 60, (10, 20, 30, 38)),
        (12.5, 40, (20, 30, 38)),
        (0, 2, (2,)),
        (17.9, 30, (20, 28)),
        (18, 60, ()),
    ],
)
def test_a_sheet_has_one_age_a_decade_and_the_last_milestone(
    at_photo: float, today: int, ages: tuple[int, ...]
) -> None:
    assert wanted_ages(at_photo, today) == ages


@given(st.floats(0, 30), st.integers(0, 110))
def test_wanted_ages_rise_from_the_photo_to_today(at_photo: float, today: int) -> None:
    ages = wanted_ages(at_photo, today)
    assert list(ages) == sorted(set(ages))
    assert all(at_photo + SHORTEST_LAPSE_YEARS <= age <= today for age in ages)
    assert all(age in MILESTONES or age in DECADES for age in ages)
    # Pictures of nearly the same age say nothing more.
    assert all(b - a > SHORTEST_LAPSE_YEARS for a, b in itertools.pairwise(ages))


def test_every_two_years_to_eighteen_then_every_five() -> None:
    born, on, seen = 2020, date(2026, 6, 1), []
    while (following := next_due(born, on)) is not None:
        assert following > on
        seen.append(following.year - born)
        on = following
    assert seen == [8, 10, 12, 14, 16, 18, 23, 28, 33, 38]


def test_the_record_knows_better_than_the_face() -> None:
    photo = make_photo(CaseId(1), captured_year=2015)
    photo.estimated_age = EstimatedAge(30, 20, 40)
    known = age_at_photo(YearRange(2008, 2010), photo)
    assert known is not None
    assert (known.low, known.high, known.is_estimated) == (4, 8, False)
    assert likely_birth_year(YearRange(2008, 2010), photo) == 2009


def test_without_a_record_the_face_tells() -> None:
    photo = make_photo(CaseId(1), captured_year=2015)
    assert age_at_photo(None, photo) is None
    assert likely_birth_year(None, photo) is None
    photo.estimated_age = EstimatedAge(6.4, 4, 9)
    looks = age_at_photo(None, photo)
    assert looks is not None
    assert (looks.years, looks.is_estimated) == (6.4, True)
    assert likely_birth_year(None, photo) == 2009
    photo.captured_year = None
    assert likely_birth_year(None, photo) is None


@given(st.integers(1950, 2020), st.integers(0, 5), st.integers(0, 60))
def test_recorded_ages_are_never_negative(born: int, spread: int, later: int) -> None:
    age = recorded_age(YearRange(born, born + spread), born + later)
    assert age is not None
    assert 0 <= age.low <= age.years <= age.high


def test_approval_can_be_taken_back() -> None:
    preview = AgePreview(CaseId(1), PhotoId(1), 18, "key", NOW, "maker")
    steps = [preview.is_approved]
    preview.approve(AccountId(3), NOW)
    steps.append(preview.is_approved)
    preview.withdraw()
    steps.append(preview.is_approved)
    assert steps == [False, True, False]
    assert preview.approved_at is None
