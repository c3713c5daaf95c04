"""When pictures must be gone."""

from datetime import timedelta

from reunite.cases.case import Outcome, ResolutionCause
from reunite.cases.retention import PHOTO_RETENTION, photos_expire_at
from tests.unit.cases.builders import NOON, REPORTER, REVIEWER, a_case


def test_pictures_of_an_open_case_stay() -> None:
    case = a_case()
    assert photos_expire_at(case) is None
    case.verify(REVIEWER, NOON)
    case.publish(REVIEWER, NOON)
    assert photos_expire_at(case) is None


def test_pictures_outlive_a_resolved_case_by_the_retention_period() -> None:
    case = a_case()
    case.verify(REVIEWER, NOON)
    case.resolve(Outcome.REUNITED, ResolutionCause.POLICE, REVIEWER, NOON)
    assert photos_expire_at(case) == NOON + PHOTO_RETENTION
    assert timedelta(days=1) <= PHOTO_RETENTION <= timedelta(days=90)


def test_pictures_of_a_withdrawn_case_go_at_once() -> None:
    case = a_case()
    case.withdraw(REPORTER, NOON)
    assert photos_expire_at(case) == NOON


def test_what_is_erased_is_not_erased_again() -> None:
    case = a_case()
    case.withdraw(REPORTER, NOON)
    case.photos_erased_at = NOON
    assert photos_expire_at(case) is None
