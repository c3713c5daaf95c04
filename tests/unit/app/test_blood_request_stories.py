"""Requests for blood under any answers, in any order."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reunite.accounts.account import Actor
from reunite.alerts.notices import NoticeKind
from reunite.app.answer_ask import DonorAnswer, answer_ask
from reunite.app.run_blood_request import record_answer
from reunite.blood.donors import RegisteredDonor
from reunite.blood.waves import Answer
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.errors import ReuniteError
from tests.unit.app.blood_desk import Desk
from tests.unit.app.world import NOON, World

DONORS = 14
Event = tuple[str, int, Answer | None]
Donors = list[tuple[Actor, RegisteredDonor]]
COMING = {Answer.COMING, Answer.ARRIVED, Answer.GIVEN}
DECLINED = {Answer.CANNOT, Answer.NOT_ME}
events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(
        st.just("says"),
        st.integers(0, DONORS - 1),
        st.sampled_from([Answer.COMING, Answer.COMING, Answer.CANNOT, Answer.NOT_ME]),
    ),
    st.tuples(
        st.just("desk"),
        st.integers(0, DONORS - 1),
        st.sampled_from([Answer.ARRIVED, Answer.UNSUITABLE, Answer.GIVEN, Answer.CANNOT]),
    ),
    st.tuples(st.just("wait"), st.integers(1, 45), st.none()),
    st.tuples(st.just("work"), st.integers(1, 3), st.none()),
)


REFUSED = {"not_found", "answer_settled", "request_filled"}


def happen(desk: Desk, reference: str, event: Event, donors: Donors) -> None:
    """One event; what cannot be said now is refused, and changes nothing."""
    kind, number, answer = event
    actor, donor = donors[number % DONORS]
    before = desk.board(reference)
    try:
        if kind == "says" and answer is not None:
            answer_ask(desk.world.services, actor, reference, DonorAnswer(answer))
        elif kind == "desk" and answer is not None:
            for row in before.rows:
                if row.ask.donor_id == donor.id:
                    record_answer(desk.world.services, desk.clerk, reference, row.ask.id, answer)
    except ReuniteError as error:
        if error.code not in REFUSED:
            raise
        assert desk.board(reference).counts == before.counts
    if kind == "wait":
        desk.world.pass_time(minutes=number)
    for _ in range(number if kind == "work" else 0):
        desk.world.worker.run_once()
    after = desk.board(reference)
    if before.filled and after.filled:
        assert after.counts["asked"] <= before.counts["asked"]
    assert after.coming <= after.needed


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3), st.lists(events, max_size=25))
def test_nobody_is_asked_twice_or_after_it_is_filled(units: int, story: list[Event]) -> None:
    desk = Desk(World())
    donors = [desk.donor("O Rh-") for _ in range(DONORS)]
    stranger, _ = desk.donor("A Rh+")
    reference = desk.ask("O Rh-", units=units, needed_by=NOON + timedelta(days=4)).reference
    for event in story:
        happen(desk, reference, event, donors)
    desk.world.drain()
    board = desk.board(reference)
    desk.close(reference, Outcome.NOT_NEEDED, ResolutionCause.UNRELATED)
    asked = {row.ask.donor_id: row.ask for row in desk.board(reference).rows}
    for actor, donor in donors:
        heard = desk.heard(actor)
        assert heard.count(NoticeKind.BLOOD_ASK) == (1 if donor.id in asked else 0)
        assert heard.count(NoticeKind.BLOOD_THANKS) <= 1
        if donor.id in asked and asked[donor.id].answer not in DECLINED:
            assert heard[-1] is NoticeKind.BLOOD_THANKS
    assert desk.heard(stranger) == []
    assert board.coming == sum(one.answer in COMING for one in asked.values())
