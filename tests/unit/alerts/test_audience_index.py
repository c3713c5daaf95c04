"""The index follows changes: against a plain dictionary."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.alerts import audience_index
from reunite.alerts.areas import Circle
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.positions import NOBODY, SEVERAL, Positions, no_positions, opt_in_bits
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of

HERE, THERE = Point(30.2741, 120.1551), Point(39.9042, 116.4074)
CELLS = [cell_of(HERE), cell_of(Point(30.28, 120.16)), cell_of(THERE)]
LIKES = [
    NOBODY,
    opt_in_bits([Module.CHILD], Language.ZH),
    opt_in_bits([Module.ELDER], Language.EN),
]

Change = tuple[int, int, int]  # account, cell, opt-ins

a_person = st.tuples(
    st.integers(1, 12),
    st.just([(CELLS[0], NOBODY)])
    | st.tuples(st.sampled_from(CELLS), st.sampled_from(LIKES[1:])).map(lambda place: [place])
    | st.tuples(st.sampled_from(LIKES[1:]), st.lists(st.sampled_from(CELLS), min_size=2)).map(
        lambda person: [(cell, person[0] | SEVERAL) for cell in person[1]]
    ),
)
# All places of a person come together.
changes = st.lists(a_person, max_size=12, unique_by=lambda person: person[0]).map(
    lambda people: [(i, cell, bits) for i, places in people for cell, bits in places]
)


def positions(rows: list[Change]) -> Positions:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Positions(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.uint8),
    )


def take_over(expected: dict[int, list[Change]], rows: list[Change]) -> None:
    for account_id in {row[0] for row in rows}:
        expected[account_id] = [row for row in rows if row[0] == account_id]


def everyone(index: AudienceIndex, module: Module) -> list[int]:
    audience = choose_audience(index, Circle(HERE, 30_000), Wanted(module))
    listed = [int(account_id) for account_id in audience.account_ids()]
    assert len(listed) == len(set(listed))
    assert [i for some in audience.iter_chunks(2) for i in some.tolist()] == listed
    return listed


def assert_same(index: AudienceIndex, expected: dict[int, list[Change]]) -> None:
    rows = [row for places in expected.values() for row in places]
    afresh = AudienceIndex(positions(rows))
    living = [row for row in rows if row[2] != NOBODY]
    assert len(index) == len(afresh) == len(living)
    for module in Module:
        wanted = {row[0] for row in living if row[2] & 1 << int(module)}
        assert set(everyone(index, module)) == wanted
        assert everyone(index, module) == everyone(afresh, module)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(changes, st.booleans()), max_size=6))
def test_changes_and_merges_lead_to_what_a_new_index_holds(
    steps: list[tuple[list[Change], bool]],
) -> None:
    index, expected = AudienceIndex(), dict[int, list[Change]]()
    for rows, merges in steps:
        index.apply(positions(rows))
        take_over(expected, rows)
        if merges:
            index.merge()
        assert_same(index, expected)


@settings(deadline=None, max_examples=50)
@given(changes, changes, changes)
def test_what_comes_during_a_merge_is_not_lost(
    before: list[Change], during: list[Change], after: list[Change]
) -> None:
    index, expected = AudienceIndex(), dict[int, list[Change]]()
    index.apply(positions(before))
    original = audience_index._merged

    def interrupted(state: audience_index._State) -> audience_index._State:
        index.apply(positions(during))
        index.merge()  # a second one at the same time does nothing
        return original(state)

    audience_index._merged = interrupted
    try:
        index.merge()
    finally:
        audience_index._merged = original
    index.apply(positions(after))
    for rows in (before, during, after):
        take_over(expected, rows)
    assert_same(index, expected)


def test_a_search_keeps_what_it_saw() -> None:
    child = LIKES[1]
    index = AudienceIndex(positions([(1, CELLS[0], child), (2, CELLS[0], child)]))
    audience = choose_audience(index, Circle(HERE, 5), Wanted(Module.CHILD))
    index.apply(positions([(1, CELLS[2], child), (2, CELLS[0], NOBODY)]))
    assert audience.account_ids().tolist() == [1, 2]
    now = choose_audience(index, Circle(HERE, 5), Wanted(Module.CHILD))
    assert now.account_ids().tolist() == []


def test_a_merge_runs_in_the_background_when_it_is_due() -> None:
    index = AudienceIndex()
    assert index.merge_in_background() is None
    n = audience_index.MERGE_AT_LEAST + 1
    index.apply(
        Positions(np.arange(1, n + 1), np.full(n, CELLS[0]), np.full(n, LIKES[1], dtype=np.uint8))
    )
    assert index.is_due_for_merge()
    thread = index.merge_in_background()
    assert thread is not None
    thread.join()
    assert not index.is_due_for_merge()
    assert len(index) == len(everyone(index, Module.CHILD)) == n
    assert index.nbytes > 0


def test_a_merge_that_fails_leaves_everything_and_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: object) -> None:
        raise MemoryError

    index = AudienceIndex()
    index.apply(positions([(1, CELLS[0], LIKES[1])]))
    with monkeypatch.context() as patch:
        patch.setattr(audience_index, "_merged", full)
        with pytest.raises(MemoryError):
            index.merge()
    index.apply(positions([(2, CELLS[0], LIKES[1])]))
    assert everyone(index, Module.CHILD) == [1, 2]
    index.merge()
    assert everyone(index, Module.CHILD) == [1, 2]


def test_ids_beyond_four_bytes_are_kept() -> None:
    large = 2**40
    index = AudienceIndex(positions([(5, CELLS[0], LIKES[1])]))
    index.apply(positions([(large, CELLS[0], LIKES[1])]))
    assert everyone(index, Module.CHILD) == [5, large]
    index.merge()
    index.apply(positions([(large, CELLS[0], NOBODY), (large + 1, CELLS[0], LIKES[1])]))
    assert everyone(index, Module.CHILD) == [5, large + 1]


def test_searches_see_a_change_whole_or_not_at_all() -> None:
    child = LIKES[1]
    people = list(range(1, 201))
    index = AudienceIndex(positions([(i, CELLS[0], child) for i in people]))
    seen, stop = set[int](), threading.Event()

    def search() -> None:
        while not stop.is_set():
            seen.add(len(everyone(index, Module.CHILD)))

    thread = threading.Thread(target=search)
    thread.start()
    try:
        for cell in CELLS * 20:
            index.apply(positions([(i, cell, child) for i in people]))
            index.merge()
    finally:
        stop.set()
        thread.join()
    # Nobody is in two places, and nobody in none.
    assert seen == {200}


def test_an_empty_change_changes_nothing() -> None:
    index = AudienceIndex()
    index.apply(no_positions())
    assert len(index) == 0
