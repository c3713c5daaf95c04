"""The packed search says of everybody what the engine says of them one by one."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.compatibility import Need, judge
from reunite.blood.matching import Donor, DonorPool, distance_km, match, match_one_by_one
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import Component, Grade
from reunite.kernel import places
from reunite.kernel.places import Point
from tests.unit.blood.types import needs, phenotypes

TODAY = date(2026, 3, 15)
HANGZHOU = Point(30.2741, 120.1551)
points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
people = st.lists(
    st.tuples(
        phenotypes(antibodies=2),
        st.none() | points,
        st.none() | st.dates(TODAY - timedelta(days=5), TODAY + timedelta(days=5)),
        st.booleans(),
    ),
    max_size=12,
)


def donor(id_: int, written: str, **facts: object) -> Donor:
    told: dict[str, object] = {"point": HANGZHOU, "eligible_on": TODAY, **facts}
    return Donor(id_, parse_phenotype(written), **told)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)  # the first call compiles
@given(people=people, need=needs(), here=points, worst=st.sampled_from(list(Grade)[:-1]))
def test_equal_to_the_engine_one_by_one(
    people: list[tuple[Phenotype, Point | None, date | None, bool]],
    need: Need,
    here: Point,
    worst: Grade,
) -> None:
    donors = [Donor(100 + n, *facts) for n, facts in enumerate(people)]
    found = match(DonorPool.pack(donors), need, here, TODAY, worst=worst)
    expected = match_one_by_one(donors, need, here, TODAY, worst=worst)
    assert found.ids.tolist() == [one.id for one, _ in expected]
    assert found.grades.tolist() == [grade for _, grade in expected]
    verdicts = [judge(one.phenotype, need) for one in donors]
    assert found.graded == {g: sum(v.grade is g for v in verdicts) for g in Grade}
    assert found.deferred == sum(
        verdict.usable and (one.eligible_on is None or one.eligible_on > TODAY)
        for one, verdict in zip(donors, verdicts, strict=True)
    )
    for one, km in zip((one for one, _ in expected), found.distances_km(), strict=True):
        assert km == (
            float("inf")
            if one.point is None
            else pytest.approx(places.distance_km(one.point, here), abs=0.01, rel=1e-4)
        )


def test_order() -> None:
    near, far = Point(30.3, 120.2), Point(31.2, 121.5)
    donors = [
        donor(1, "O-", point=far),
        donor(2, "O-", point=near, confirmed=False),
        donor(3, "O-", point=None),
        donor(4, "O-", point=near),
        donor(5, "O-", point=near, eligible_on=None),
        donor(6, "O-", point=near, eligible_on=TODAY + timedelta(days=1)),
        donor(7, "A-", point=near),
        donor(8, "Oh RhD-", point=near),
        donor(9, "O", point=near),
    ]
    pool = DonorPool.pack(donors)
    found = match(pool, Need(parse_phenotype("O-")), HANGZHOU, TODAY)
    assert found.ids.tolist() == [4, 1, 3, 2, 8]
    assert found.deferred == 2
    assert found.graded[Grade.NEEDS_TYPING] == found.graded[Grade.EXCLUDED] == 1
    assert len(found) == 5
    assert found.distances_km(1)[0] == pytest.approx(distance_km(near, HANGZHOU), abs=0.01)
    assert np.isinf(found.distances_km()[2])
    bombay = match(pool, Need(parse_phenotype("Oh RhD-")), HANGZHOU, TODAY)
    assert bombay.ids.tolist() == [8]
    typing = match(pool, Need(parse_phenotype("O-")), HANGZHOU, TODAY, worst=Grade.NEEDS_TYPING)
    assert typing.ids.tolist() == [4, 1, 3, 2, 8, 9]


def test_antigens_without_a_bit() -> None:
    donors = [
        donor(1, "O+"),
        donor(2, "O+ other:New-"),
        donor(3, "O+ other:New+"),
        donor(4, "O+ other:New-", eligible_on=None),
        donor(5, "A+ anti-other:New"),
    ]
    pool = DonorPool.pack(donors)
    red = match(pool, Need(parse_phenotype("O+ anti-other:New")), HANGZHOU, TODAY)
    assert red.ids.tolist() == [2]
    assert red.deferred == 1
    plasma = Need(parse_phenotype("A+"), Component.PLASMA)
    assert match(pool, plasma, HANGZHOU, TODAY).ids.tolist() == []
    lacking = Need(parse_phenotype("A+ other:New-"), Component.PLASMA)
    assert match(pool, lacking, HANGZHOU, TODAY).ids.tolist() == [5]


def test_an_empty_pool() -> None:
    found = match(DonorPool.pack([]), Need(parse_phenotype("O-")), HANGZHOU, TODAY)
    assert len(found) == 0
    assert len(DonorPool.pack([])) == 0


def test_the_excluded_are_not_ranked() -> None:
    with pytest.raises(ValueError, match="excluded"):
        match(
            DonorPool.pack([]),
            Need(parse_phenotype("O-")),
            HANGZHOU,
            TODAY,
            worst=Grade.EXCLUDED,
        )
