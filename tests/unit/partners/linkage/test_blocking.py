"""Which pairs are compared: those that share a key, in blocks of bounded size."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.kernel.people import Sex, Side, YearRange
from reunite.partners.linkage.blocking import (
    BlockingReport,
    Keys,
    KeyTable,
    candidate_pairs,
    keys_of,
)
from reunite.partners.linkage.description import Description, read_description
from tests.unit.partners.linkage.test_comparison import FAMILY, LOST, SHANGHAI, STATION


def meet(missing: Description, found: Description) -> bool:
    a = keys_of(read_description(missing), Side.MISSING)
    b = keys_of(read_description(found), Side.FOUND)
    return bool(set(a.plain) & set(b.plain))


NAMELESS = replace(STATION, names=(), marks="")


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (FAMILY, STATION),
        (replace(FAMILY, birth_years=None), STATION),
        (FAMILY, replace(STATION, names=("黄秀珍",), place=SHANGHAI)),
        (FAMILY, replace(STATION, names=("阿珍",), place=SHANGHAI)),
        (FAMILY, replace(STATION, names=("王大妈",), place=SHANGHAI)),
        (FAMILY, replace(STATION, sex=Sex.UNKNOWN)),
        (FAMILY, replace(NAMELESS, place=FAMILY.place)),
        (FAMILY, replace(NAMELESS, place=SHANGHAI, marks="缺门牙")),
        (replace(FAMILY, names=("古丽·帕提",)), replace(STATION, names=("姑丽帕提",))),
        (replace(FAMILY, names=("Bob Smith",)), replace(STATION, names=("robert smith",))),
    ],
)
def test_they_meet_by_what_is_left(missing: Description, found: Description) -> None:
    assert meet(missing, found)


@pytest.mark.parametrize(
    "found",
    [
        replace(NAMELESS, place=SHANGHAI),
        replace(STATION, sex=Sex.MALE, names=("李建国",)),
        Description(),
    ],
)
def test_they_do_not_meet_by_nothing(found: Description) -> None:
    assert not meet(FAMILY, found)


def test_a_place_at_the_edge_of_a_cell_still_meets() -> None:
    for step in range(40):
        assert FAMILY.place is not None
        near = replace(FAMILY.place, latitude=FAMILY.place.latitude + step / 400)
        assert meet(FAMILY, replace(NAMELESS, place=near, seen_on=LOST + timedelta(days=3)))


def tables(missing: list[list[int]], found: list[list[int]]) -> tuple[KeyTable, KeyTable]:
    def table(rows: list[list[int]]) -> KeyTable:
        return KeyTable.of(Keys(tuple(keys), tuple(key + 100 for key in keys)) for keys in rows)

    return table(missing), table(found)


keysets = st.lists(st.lists(st.integers(0, 9), max_size=3, unique=True), max_size=12)


@settings(deadline=None)
@given(keysets, keysets)
def test_pairs_are_those_that_share_a_key(missing: list[list[int]], found: list[list[int]]) -> None:
    expected = [
        [a, b]
        for a, mine in enumerate(missing)
        for b, others in enumerate(found)
        if set(mine) & set(others)
    ]
    assert candidate_pairs(*tables(missing, found)).tolist() == expected


@settings(deadline=None)
@given(keysets, keysets, st.integers(1, 20))
def test_no_block_is_larger_than_allowed(
    missing: list[list[int]], found: list[list[int]], most: int
) -> None:
    report = BlockingReport()
    pairs = candidate_pairs(*tables(missing, found), report, most)
    assert report.largest <= most
    assert report.pairs >= len(pairs)
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_a_key_that_everybody_has_is_refined_then_dropped() -> None:
    same = [Keys((1,), (7 if row < 5 else 8,)) for row in range(10)]
    report = BlockingReport()
    pairs = candidate_pairs(KeyTable.of(same), KeyTable.of(same), report, most_pairs=30)
    assert len(pairs) == 50  # five by five, twice
    assert (report.refined, report.dropped) == (1, 0)
    assert len(candidate_pairs(KeyTable.of(same), KeyTable.of(same), report, 20)) == 0
    assert report.dropped == 2


def test_unknown_years_stand_in_one_band() -> None:
    nothing = replace(FAMILY, birth_years=None)
    known = replace(FAMILY, birth_years=YearRange(1948, 1948))
    sizes = [len(keys_of(read_description(one), Side.MISSING).plain) for one in (nothing, known)]
    assert sizes[0] == sizes[1]
