"""Clock, references, errors, people, languages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.kernel.clock import FixedClock, SystemClock
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ReuniteError,
    TooManyRequestsError,
)
from reunite.kernel.ids import REFERENCE_ALPHABET, REFERENCE_LENGTH, new_reference
from reunite.kernel.languages import DEFAULT_LANGUAGE, Language
from reunite.kernel.people import Sex, YearRange, age_in_years

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
years = st.integers(1880, 2030)


def test_the_system_clock_tells_aware_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(timedelta(hours=2))
    assert clock.now() == NOON + timedelta(hours=2)


def test_a_fixed_clock_refuses_a_naive_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 6, 1))  # noqa: DTZ001


def test_references_are_readable_and_do_not_repeat() -> None:
    references = [new_reference() for _ in range(2000)]
    assert len(set(references)) == len(references)
    assert {len(reference) for reference in references} == {REFERENCE_LENGTH}
    assert set("".join(references)) == set(REFERENCE_ALPHABET)
    assert not set("ILOU") & set(REFERENCE_ALPHABET)
    assert len(set(REFERENCE_ALPHABET)) == 32


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ReuniteError, "error"),
        (InvalidInputError, "invalid_input"),
        (NotFoundError, "not_found"),
        (ForbiddenError, "forbidden"),
        (ConflictError, "conflict"),
        (TooManyRequestsError, "too_many_requests"),
    ],
)
def test_every_error_has_a_code_of_its_own(kind: type[ReuniteError], code: str) -> None:
    assert kind().code == code
    assert str(kind()) == code
    special = kind("special", field="name", code="not the code")
    assert special.code == "special"
    assert special.details == {"field": "name", "code": "not the code"}
    assert str(special).startswith("special {")
    assert kind().code == code


@given(years, years, years, years)
def test_ranges_overlap_when_they_share_a_year(a: int, b: int, c: int, d: int) -> None:
    one, other = YearRange(min(a, b), max(a, b)), YearRange(min(c, d), max(c, d))
    shared = set(range(one.first, one.last + 1)) & set(range(other.first, other.last + 1))
    assert one.overlaps(other) is other.overlaps(one) is bool(shared)


def test_a_range_runs_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        YearRange(1991, 1990)


def test_age_is_counted_in_years() -> None:
    assert age_in_years(1990, date(2026, 1, 1)) == 36


def test_values_that_are_stored_or_shown_in_addresses_stay() -> None:
    assert [language.value for language in Language] == ["zh", "en"]
    assert DEFAULT_LANGUAGE is Language.ZH
    assert {sex.name: sex.value for sex in Sex} == {"UNKNOWN": 0, "FEMALE": 1, "MALE": 2}
