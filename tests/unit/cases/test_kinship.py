"""Who may be of one family, as far as records tell."""

from dataclasses import replace

import pytest

from reunite.cases.case import Case
from reunite.cases.facts import Agreement, FactComparison
from reunite.cases.kinship import Kin, differ_unchangingly, kin_of
from reunite.kernel.ids import AccountId
from reunite.kernel.places import Point
from tests.unit.cases.builders import a_case

HERE, NEAR, FAR = Point(30.27, 120.15), Point(30.30, 120.40), Point(39.9, 116.4)


def missing(by: int, place: Point | None = HERE, organisation: str = "") -> Case:
    case = a_case()
    case.opened_by = AccountId(by)
    case.organisation = organisation
    case.circumstances = replace(case.circumstances, place=place)
    return case


@pytest.mark.parametrize(
    ("one", "other", "same_surname", "expected"),
    [
        (missing(1), missing(1, FAR), False, Kin.SAME_REPORTER),
        (missing(1), missing(2), False, None),
        (missing(1), missing(2, NEAR), True, Kin.SAME_SURNAME),
        (missing(1), missing(2, FAR), True, None),
        (missing(1), missing(2, None), True, None),
        # A station reports for many families.
        (missing(1, organisation="湖滨救助站"), missing(1, organisation="湖滨救助站"), False, None),
    ],
)
def test_one_family(one: Case, other: Case, same_surname: bool, expected: Kin | None) -> None:
    assert kin_of(one, other, same_surname=same_surname) is expected
    assert kin_of(other, one, same_surname=same_surname) is expected


def test_only_what_does_not_change_speaks_of_a_relative() -> None:
    def compared(fact: str, agreement: Agreement) -> list[FactComparison]:
        return [FactComparison(fact, agreement, "a", "b")]

    assert differ_unchangingly(compared("sex", Agreement.CONTRADICTS))
    assert not differ_unchangingly(compared("sex", Agreement.UNKNOWN))
    assert not differ_unchangingly(compared("place", Agreement.CONTRADICTS))
