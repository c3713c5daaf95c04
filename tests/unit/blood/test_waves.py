"""Waves ask enough people and no more, never twice, never after the need is filled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.blood.compatibility import Need
from reunite.blood.notation import parse_phenotype
from reunite.blood.rules import Grade
from reunite.blood.waves import (
    ASSURANCE,
    FATIGUE,
    MOST_UNITS,
    PATIENCE,
    Answer,
    Ask,
    Candidate,
    History,
    Plan,
    Recruitment,
    Urgency,
    Why,
    answered_within,
    is_rarest,
    plan,
    rank,
    require_override,
    require_units,
    to_call,
    to_thank,
    travel_minutes,
)
from reunite.kernel.errors import InvalidInputError

NOW = datetime(2026, 3, 15, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPEN = Recruitment(2, Urgency.URGENT, NOW)


def candidates_of(n: int, **facts: object) -> list[Candidate]:
    return [Candidate(id_, Grade.EXACT, 5.0 + id_, **facts) for id_ in range(n)]  # type: ignore[arg-type]


def asked(recruitment: Recruitment, told: Plan, at: datetime) -> Recruitment:
    asks = tuple(Ask(id_, at, 0.3) for id_ in told.donor_ids)
    return replace(recruitment, asks=recruitment.asks + asks)


def answered(recruitment: Recruitment, donor_id: int, answer: Answer) -> Recruitment:
    asks = (replace(a, answer=answer) if a.donor_id == donor_id else a for a in recruitment.asks)
    return replace(recruitment, asks=tuple(asks))


candidate = st.builds(
    Candidate,
    st.integers(0, 40),
    st.sampled_from(Grade),
    st.floats(0, 3000) | st.just(float("inf")),
    st.integers(0, 9).flatmap(lambda n: st.builds(History, st.just(n), st.integers(0, n))),
    st.none() | st.integers(0, 60).map(lambda days: NOW - timedelta(days=days)),
    st.booleans(),
)
pools = st.lists(candidate, max_size=25, unique_by=lambda one: one.donor_id)
recruitments = st.builds(
    Recruitment,
    st.integers(1, 6),
    st.sampled_from(Urgency),
    st.just(NOW),
    st.none() | st.integers(1, 48).map(lambda hours: NOW + timedelta(hours=hours)),
    st.booleans(),
    st.sampled_from(["", "bleeding"]),
)


@settings(deadline=None)
@given(
    pool=pools,
    recruitment=recruitments,
    answers=st.lists(st.none() | st.sampled_from(Answer), max_size=40),
    steps=st.lists(st.integers(1, 300), min_size=1, max_size=12),
)
def test_a_recruitment_from_beginning_to_end(
    pool: list[Candidate],
    recruitment: Recruitment,
    answers: list[Answer | None],
    steps: list[int],
) -> None:
    by_id = {one.donor_id: one for one in pool}
    now, left = NOW, list(answers)
    for step in steps:
        told = plan(recruitment, pool, now)
        ids = [ask.donor_id for ask in recruitment.asks]
        assert not set(told.donor_ids) & set(ids)
        assert len(set(told.donor_ids)) == len(told.donor_ids)
        assert (told.why is Why.FILLED) is recruitment.filled
        assert bool(told.donor_ids) is (told.why is Why.ASK)
        assert (told.next_look_at is not None) or told.why in {Why.FILLED, Why.EXHAUSTED} or ids
        for id_ in told.donor_ids:
            one = by_id[id_]
            assert one.grade <= Grade.LAST_RESORT or one.sibling
            rested = one.last_asked_at is None or now - one.last_asked_at >= FATIGUE
            assert rested or recruitment.rarest or recruitment.override_reason
        recruitment = asked(recruitment, told, now)
        for ask in recruitment.asks:
            if ask.answer is None and left:
                answer = left.pop()
                if answer is not None:
                    recruitment = answered(recruitment, ask.donor_id, answer)
        now += step * MINUTE
    thanked = to_thank(recruitment)
    assert set(thanked) <= {ask.donor_id for ask in recruitment.asks}
    assert recruitment.filled or not thanked


@settings(deadline=None)
@given(pool=pools, recruitment=recruitments)
def test_silence_reaches_everybody_in_the_end(
    pool: list[Candidate], recruitment: Recruitment
) -> None:
    now = NOW
    may = {one.donor_id for one in rank(recruitment, pool, now)}
    for _ in range(len(pool) + 1):
        recruitment = asked(recruitment, plan(recruitment, pool, now), now)
        now += PATIENCE[recruitment.urgency]
    reached = {ask.donor_id for ask in recruitment.asks}
    assert may <= reached


@settings(max_examples=30, deadline=None)
@given(needed=st.integers(1, 8), yes=st.integers(0, 50), no=st.integers(0, 50))
def test_a_wave_is_needed_over_p(needed: int, yes: int, no: int) -> None:
    pool = candidates_of(1200, history=History(yes + no, yes))
    for urgency in Urgency:
        told = plan(Recruitment(needed, urgency, NOW), pool, NOW)
        p = pool[0].probability * answered_within(PATIENCE[urgency])
        assert abs(len(told.donor_ids) - ceil(ASSURANCE[urgency] * needed / p)) <= 1
        assert told.next_look_at == NOW + PATIENCE[urgency]


@settings(max_examples=30, deadline=None)
@given(fewer=st.integers(1, 10), more=st.integers(0, 10))
def test_a_larger_need_asks_no_fewer(fewer: int, more: int) -> None:
    pool = candidates_of(500)
    small, large = (
        plan(Recruitment(n, Urgency.URGENT, NOW), pool, NOW) for n in (fewer, fewer + more)
    )
    assert small.donor_ids == large.donor_ids[: len(small.donor_ids)]


def test_answers_change_what_comes_next() -> None:
    pool = candidates_of(100)
    first = plan(OPEN, pool, NOW)
    told = asked(OPEN, first, NOW)
    assert plan(told, pool, NOW + MINUTE).why is Why.WAIT
    one_yes = answered(told, first.donor_ids[0], Answer.COMING)
    assert plan(one_yes, pool, NOW + MINUTE).why is Why.WAIT
    filled = answered(one_yes, first.donor_ids[1], Answer.COMING)
    assert plan(filled, pool, NOW + MINUTE) == Plan(Why.FILLED)
    assert set(to_thank(filled)) == set(first.donor_ids)
    assert to_call(one_yes) == first.donor_ids[1:]
    assert to_call(filled) == ()
    # Not suitable on arrival: somebody else is needed after all.
    again = answered(filled, first.donor_ids[1], Answer.UNSUITABLE)
    assert plan(again, pool, NOW + timedelta(hours=2)).why is Why.ASK
    refused = told
    for id_ in first.donor_ids:
        refused = answered(refused, id_, Answer.CANNOT)
    second = plan(refused, pool, NOW + MINUTE)
    assert second.why is Why.ASK
    assert len(second.donor_ids) > len(first.donor_ids)
    assert to_thank(replace(refused, closed=True)) == ()


def test_nobody_left() -> None:
    assert plan(OPEN, [], NOW) == Plan(Why.EXHAUSTED)
    told = asked(OPEN, plan(OPEN, candidates_of(1), NOW), NOW)
    waiting = plan(told, candidates_of(1), NOW + MINUTE)
    assert waiting.why is Why.WAIT
    assert plan(told, candidates_of(1), NOW + timedelta(days=1)).next_look_at is None
    refused = answered(told, 0, Answer.CANNOT)
    assert plan(refused, candidates_of(1), NOW + MINUTE).why is Why.EXHAUSTED


def test_order() -> None:
    pool = [
        Candidate(1, Grade.EXACT, 300),
        Candidate(2, Grade.COMPATIBLE, 1),
        Candidate(3, Grade.EXACT, 10),
        Candidate(4, Grade.EXACT, 12, History(10, 10)),
        Candidate(5, Grade.EXACT, 11, last_asked_at=NOW - timedelta(days=40)),
        Candidate(6, Grade.EXACT, 1, last_asked_at=NOW - timedelta(days=29)),
        Candidate(7, Grade.NEEDS_TYPING, 1),
        Candidate(8, Grade.NEEDS_TYPING, 400, sibling=True),
        Candidate(9, Grade.EXACT, 400, sibling=True),
        Candidate(10, Grade.EXCLUDED, 1, sibling=True),
    ]
    assert [one.donor_id for one in rank(OPEN, pool, NOW)] == [4, 3, 5, 1, 9, 2, 8]
    rarest = replace(OPEN, rarest=True)
    assert [one.donor_id for one in rank(rarest, pool, NOW)] == [9, 8, 4, 3, 5, 6, 1, 2]
    soon = replace(OPEN, needed_by=NOW + timedelta(hours=2))
    assert [one.donor_id for one in rank(soon, pool, NOW)] == [4, 3, 5, 2, 1, 9, 8]
    imminent = replace(OPEN, override_reason="ruptured spleen")
    assert 6 in [one.donor_id for one in rank(imminent, pool, NOW)]


@pytest.mark.parametrize("units", [0, -1, MOST_UNITS + 1, 1000])
def test_units_out_of_range(units: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_units(units)
    assert caught.value.code == "number_out_of_range"
    assert require_units(4) == 4


def test_only_an_imminent_need_overrides() -> None:
    assert require_override(Urgency.IMMINENT, " bleeding ") == "bleeding"
    assert require_override(Urgency.ROUTINE, " ") == ""
    with pytest.raises(InvalidInputError) as caught:
        require_override(Urgency.URGENT, "please")
    assert caught.value.code == "override_not_imminent"


@pytest.mark.parametrize(
    ("patient", "rarest"),
    [
        ("O-", False),
        ("Oh", True),
        ("A para-Bombay", True),
        ("B+ Jk(a-b-)", True),
        ("B+ anti-Jk3", True),
        ("B+ anti-Jk(a) anti-Jk(b)", True),
        ("B+ anti-Jk(a)", False),
        ("Rhnull", True),
    ],
)
def test_the_rarest(patient: str, *, rarest: bool) -> None:
    assert is_rarest(Need(parse_phenotype(patient))) is rarest


def test_times() -> None:
    assert answered_within(timedelta(0)) == 0
    assert answered_within(timedelta(minutes=45)) == pytest.approx(0.6)
    assert travel_minutes(10) == pytest.approx(50)
    assert travel_minutes(300) == pytest.approx(30 + 90 + 72)
    assert travel_minutes(float("inf")) == float("inf")
    grows = [travel_minutes(km) for km in (0, 5, 50, 200)]
    assert grows == sorted(grows)


def test_history_moves_the_prior() -> None:
    assert History().probability == pytest.approx(0.3)
    assert History(10, 10).probability == pytest.approx(0.65)
    assert History(20, 0).probability == pytest.approx(0.1)
