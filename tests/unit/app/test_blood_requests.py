"""From a hospital's request to a donor who gives, without a browser."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from reunite.accounts.account import Role
from reunite.alerts.notices import NoticeKind
from reunite.app.answer_ask import DonorAnswer, answer_ask, get_ask, list_asks
from reunite.app.call_donors import answer_call, list_calls
from reunite.app.close_case import withdraw_case
from reunite.app.erase_expired import erase_expired
from reunite.app.import_stock import import_stock, last_stock
from reunite.app.notice_words import message_of
from reunite.app.open_blood_request import (
    RequestWish,
    open_blood_request,
    promise_unit,
    start_asking,
)
from reunite.app.open_case import open_case
from reunite.app.register_donor import erase_donor
from reunite.app.run_blood_request import (
    get_board,
    list_requests,
    rank_donors,
    see_contact,
)
from reunite.app.view_case import get_case, list_cases_to_review, list_own_cases
from reunite.blood.appeals import CannotReason
from reunite.blood.deferral import Donation, DonationKind, DonorFacts
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.waves import Answer, Urgency, Why
from reunite.cases.case import Outcome, ResolutionCause
from reunite.kernel.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from reunite.kernel.ids import BloodCentreId
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of
from reunite.ports import LookPurpose
from reunite.testing.donors import store_centre, store_donor
from tests.unit.app.blood_desk import FAMILY, FAR, Desk
from tests.unit.app.world import HANGZHOU, NOON, World, a_report


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_bombay_request_from_end_to_end(desk: Desk) -> None:
    near_oh, _ = desk.donor("Bombay Rh+", cell=cell_of(FAR))
    sibling, _ = desk.donor("Bombay Rh-", cell=cell_of(FAR), family_code=FAMILY)
    ordinary, _ = desk.donor("O Rh+")
    opened = desk.ask(family_code=FAMILY.lower())
    assert opened.asking
    board = desk.board(opened.reference)
    assert [row.ask.sibling for row in board.rows] == [True, False]
    assert board.counts["asked"] == 2
    assert 250 < (board.rows[1].ask.distance_km or 0) < 350
    assert desk.heard(ordinary) == []
    assert desk.heard(sibling) == desk.heard(near_oh) == [NoticeKind.BLOOD_ASK]

    comes_at = NOON + timedelta(hours=3)
    view = desk.answer(near_oh, opened.reference, Answer.COMING, comes_at=comes_at, contact="138")
    assert view.ask.answer is Answer.COMING
    # At once, and nobody else.
    board = desk.board(opened.reference)
    assert (board.filled, board.coming, board.counts["thanked"]) == (True, 1, 1)
    assert desk.heard(sibling) == [NoticeKind.BLOOD_ASK, NoticeKind.BLOOD_THANKS]
    assert desk.heard(near_oh) == [NoticeKind.BLOOD_ASK]

    coming = board.rows[1].ask
    desk.record(opened.reference, coming, Answer.ARRIVED)
    desk.record(opened.reference, coming, Answer.GIVEN)
    desk.close(opened.reference, Outcome.HELPED, ResolutionCause.DONOR_ASKED)
    assert desk.heard(near_oh)[-1] is NoticeKind.BLOOD_THANKS
    assert desk.heard(sibling).count(NoticeKind.BLOOD_THANKS) == 1
    counted = desk.counted()
    assert (counted.reported, counted.resolved) == (1, 1)
    assert counted.by_cause == {ResolutionCause.DONOR_ASKED: 1}
    assert counted.by_outcome == {Outcome.HELPED: 1}


def test_a_donation_is_in_the_register(desk: Desk) -> None:
    giver, donor = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    desk.answer(giver, opened.reference, Answer.COMING)
    desk.record(opened.reference, desk.board(opened.reference).rows[0].ask, Answer.GIVEN)
    with desk.world.database.transaction() as transaction:
        given = transaction.donors.get(donor.id)
    assert given.facts.donations == (Donation(DonationKind.WHOLE_BLOOD, NOON.date()),)
    assert (given.history.asked, given.history.yes) == (1, 1)


def test_silence_brings_the_next_wave_and_nobody_is_asked_twice(desk: Desk) -> None:
    donors = [desk.donor("O Rh-")[0] for _ in range(30)]
    opened = desk.ask("O Rh-")
    first = desk.board(opened.reference).counts["asked"]
    assert 0 < first < 30
    desk.world.pass_time(minutes=31)
    desk.world.drain()
    board = desk.board(opened.reference)
    assert first < board.counts["asked"] <= 30
    assert board.appeal.waves == 2
    assert all(desk.heard(one) in ([], [NoticeKind.BLOOD_ASK]) for one in donors)


def test_a_routine_need_wakes_nobody(desk: Desk) -> None:
    giver, _ = desk.donor("O Rh-")
    desk.world.pass_time(hours=3)  # 23 o'clock in Hangzhou
    routine = desk.ask("O Rh-", urgency=Urgency.ROUTINE, needed_by=NOON + timedelta(days=5))
    board = desk.board(routine.reference)
    assert (board.counts["asked"], board.appeal.why) == (0, Why.WAIT)
    assert board.appeal.next_look_at == NOON + timedelta(hours=11)  # 7 o'clock
    desk.world.pass_time(hours=8)
    desk.world.drain()
    assert desk.heard(giver) == [NoticeKind.BLOOD_ASK]


def test_a_routine_need_before_the_morning_does_not_wait(desk: Desk) -> None:
    giver, _ = desk.donor("O Rh-")
    desk.world.pass_time(hours=3)
    desk.ask("O Rh-", urgency=Urgency.ROUTINE, needed_by=NOON + timedelta(hours=9))
    assert desk.heard(giver) == [NoticeKind.BLOOD_ASK]


def test_a_worker_that_looks_twice_asks_once(desk: Desk) -> None:
    desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    case_id = desk.world.case(opened.reference).id
    for _ in range(3):
        with desk.world.database.transaction() as transaction:
            transaction.outbox.add("recruit_donors", {"case_id": case_id})
        desk.world.drain()
    board = desk.board(opened.reference)
    assert (board.counts["asked"], board.appeal.waves) == (1, 1)
    with desk.world.database.transaction() as transaction:
        assert len(transaction.notices.list_of_case(case_id)) == 1


def test_a_look_that_fails_halfway_has_not_happened(desk: Desk, monkeypatch: Any) -> None:
    giver, _ = desk.donor("O Rh-")
    wish = RequestWish(parse_phenotype("O Rh-"), 1, NOON + timedelta(hours=24))
    reference = open_blood_request(desk.world.services, desk.clerk, wish).reference
    from reunite.testing.memory_blood_requests import MemoryBloodRequests  # noqa: PLC0415

    def killed(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        # The last thing that a look writes.
        patched.setattr(MemoryBloodRequests, "save", killed)
        desk.world.drain()
    assert desk.board(reference).counts["asked"] == 0
    assert desk.heard(giver) == []
    desk.world.pass_time(minutes=5)
    desk.world.drain()
    assert desk.heard(giver) == [NoticeKind.BLOOD_ASK]


def test_whoever_was_asked_lately_is_left_alone_but_for_the_rarest(desk: Desk) -> None:
    tired, _ = desk.donor("O Rh-", last_asked_at=None)
    first = desk.ask("O Rh-")
    desk.close(first.reference, Outcome.NOT_NEEDED, ResolutionCause.UNRELATED)
    again = desk.ask("O Rh-")
    assert desk.board(again.reference).counts["asked"] == 0
    assert desk.board(again.reference).appeal.why is Why.EXHAUSTED
    imminent = desk.ask(
        "O Rh-",
        urgency=Urgency.IMMINENT,
        override_reason="ruptured spleen",
        patient_code="P-2",
    )
    assert desk.board(imminent.reference).counts["asked"] == 1
    assert desk.heard(tired).count(NoticeKind.BLOOD_ASK) == 2


def test_a_deferred_donor_who_would_come_is_told_why_not(desk: Desk) -> None:
    eager, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    view = desk.answer(
        eager, opened.reference, Answer.COMING, gave_on=NOON.date() - timedelta(days=20)
    )
    assert view.ask.answer is Answer.CANNOT
    assert view.ask.reason is CannotReason.DEFERRED
    assert view.ask.hindrance == "interval"
    assert view.ask.deferred_until == view.eligibility.earliest == date(2026, 11, 12)
    row = desk.board(opened.reference).rows[0]
    assert (row.ask.reason, row.ask.hindrance) == (CannotReason.DEFERRED, "interval")
    with pytest.raises(NotFoundError):
        see_contact(desk.world.services, desk.clerk, opened.reference, row.ask.id)


def test_somebody_under_age_who_would_come_is_told_why_not(desk: Desk) -> None:
    young, donor = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    with desk.world.database.transaction() as transaction:
        # The centre has just corrected the date of birth.
        transaction.donors.save(replace(donor, facts=DonorFacts(date(2009, 6, 2))))
    view = desk.answer(young, opened.reference, Answer.COMING)
    assert (view.ask.hindrance, view.ask.deferred_until) == ("age_minimum", date(2027, 6, 2))
    assert not desk.board(opened.reference).filled


def test_an_unsuitable_donor_opens_the_request_again(desk: Desk) -> None:
    people = [desk.donor("Bombay Rh+")[0] for _ in range(2)]
    opened = desk.ask()
    desk.answer(people[0], opened.reference, Answer.COMING)
    late, _ = desk.donor("Bombay Rh+")
    with pytest.raises(ConflictError, match="request_filled"):
        desk.answer(people[1], opened.reference, Answer.COMING)
    coming = next(row.ask for row in desk.board(opened.reference).rows if row.ask.shares_contact)
    desk.record(opened.reference, coming, Answer.ARRIVED)
    assert desk.heard(late) == []
    desk.record(opened.reference, coming, Answer.UNSUITABLE, remark="haemoglobin")
    board = desk.board(opened.reference)
    assert not board.filled
    assert desk.heard(late) == [NoticeKind.BLOOD_ASK]
    # Whoever was thanked may still come.
    view = desk.answer(people[1], opened.reference, Answer.COMING)
    assert view.ask.answer is Answer.COMING
    assert desk.board(opened.reference).filled


def test_nobody_who_has_not_been_told_yet_is_told_once_it_is_filled(desk: Desk) -> None:
    first, _ = desk.donor("Bombay Rh+")
    other, _ = desk.donor("Bombay Rh-")
    wish = RequestWish(parse_phenotype("Bombay Rh-"), 1, NOON + timedelta(hours=24))
    reference = open_blood_request(desk.world.services, desk.clerk, wish).reference
    # Chosen, but the chunk has not gone out.
    while desk.board(reference).counts["asked"] == 0:
        desk.world.worker.run_once()
    unheard = [one for one in (first, other) if not desk.heard(one)]
    if len(unheard) == 2:
        view = answer_ask(desk.world.services, other, reference, DonorAnswer(Answer.COMING))
        assert view.ask.answer is Answer.COMING
        desk.world.drain()
        assert desk.heard(first) == []
        assert desk.board(reference).counts["asked"] == 1


def test_not_me_any_more_is_heard(desk: Desk) -> None:
    gone, donor = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    desk.answer(gone, opened.reference, Answer.NOT_ME)
    with desk.world.database.transaction() as transaction:
        assert transaction.donors.get(donor.id).asleep
    desk.close(opened.reference, Outcome.UNMET, ResolutionCause.NO_DONOR)
    assert desk.heard(gone) == [NoticeKind.BLOOD_ASK]  # no thanks to those who declined
    counted = desk.counted()
    assert (counted.unmet, counted.resolved) == (1, 0)


def test_answers_that_cannot_be(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-", units=2)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"answer": Answer.COMING, "comes_at": NOON - timedelta(days=1)}, "coming_in_past"),
        ({"answer": Answer.COMING, "comes_at": NOON + timedelta(days=8)}, "coming_too_late"),
        ({"answer": Answer.COMING, "contact": "x" * 61}, "text_too_long"),
        ({"answer": Answer.COMING, "gave_on": NOON.date() + timedelta(days=1)}, "date_in_future"),
        ({"answer": Answer.CANNOT, "reason": CannotReason.DEFERRED}, "choice_unknown"),
        ({"answer": Answer.CANNOT, "remark": "x" * 201}, "text_too_long"),
        ({"answer": Answer.GIVEN}, "choice_unknown"),
    ]
    for said, code in cases:
        with pytest.raises(InvalidInputError) as caught:
            desk.answer(donor, opened.reference, **said)
        assert caught.value.code == code
    assert desk.board(opened.reference).counts["answered"] == 0
    desk.answer(donor, opened.reference, Answer.CANNOT, reason=CannotReason.AWAY)
    desk.answer(donor, opened.reference, Answer.COMING)
    desk.world.pass_time(hours=25)
    with pytest.raises(ConflictError, match="request_over"):
        desk.answer(donor, opened.reference, Answer.COMING)


def test_nobody_else_sees_anything(desk: Desk) -> None:
    world = desk.world
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    stranger = world.actor(Role.VOLUNTEER)
    rival_centre = store_centre(world.database)
    rival = world.actor(Role.OFFICER)
    desk.join(rival, rival_centre)
    for person in (stranger, world.reviewer):
        with pytest.raises(NotFoundError):
            get_ask(world.services, person, opened.reference)
    with pytest.raises(NotFoundError):
        get_board(world.services, rival, opened.reference)
    with pytest.raises(ForbiddenError, match="centre_required"):
        get_board(world.services, world.reviewer, opened.reference)
    for person in (world.reviewer, world.admin, desk.clerk):
        with pytest.raises(NotFoundError):
            get_case(world.services, person, opened.reference)
    assert list_cases_to_review(world.services, world.reviewer).cards == []
    assert list_own_cases(world.services, desk.clerk).cards == []
    row = desk.board(opened.reference).rows[0]
    with pytest.raises(NotFoundError):
        see_contact(world.services, desk.clerk, opened.reference, row.ask.id)
    desk.answer(donor, opened.reference, Answer.COMING, contact="138")
    contact = see_contact(world.services, desk.clerk, opened.reference, row.ask.id)
    assert contact.contact == "138"
    assert contact.name == donor.display_name
    with world.database.transaction() as transaction:
        looks = transaction.looks.list_of_case(world.case(opened.reference).id)
    assert [(one.account_id, one.purpose) for one in looks] == [
        (desk.clerk.account_id, LookPurpose.DONOR_CONTACT)
    ]


def test_a_contact_is_there_for_a_week_after_the_request(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    desk.answer(donor, opened.reference, Answer.COMING, contact="138")
    ask = desk.board(opened.reference).rows[0].ask
    desk.record(opened.reference, ask, Answer.GIVEN)
    desk.close(opened.reference, Outcome.HELPED, ResolutionCause.DONOR_ASKED)
    assert see_contact(desk.world.services, desk.clerk, opened.reference, ask.id).contact == "138"
    desk.world.pass_time(days=8)
    assert not desk.board(opened.reference).rows[0].contact_open
    with pytest.raises(NotFoundError):
        see_contact(desk.world.services, desk.clerk, opened.reference, ask.id)


def test_only_verified_centres_ask(desk: Desk) -> None:
    world = desk.world
    wish = RequestWish(parse_phenotype("O-"), 1, NOON + timedelta(hours=2))
    with pytest.raises(ForbiddenError, match="centre_required"):
        open_blood_request(world.services, world.officer, wish)
    unverified = store_centre(world.database, verified_at=None)
    desk.join(world.officer, unverified)
    with pytest.raises(ForbiddenError, match="centre_not_verified"):
        open_blood_request(world.services, world.officer, wish)
    with pytest.raises(ForbiddenError, match="centre_required"):
        open_case(world.services, world.family, a_report(module=Module.BLOOD))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"units": 0}, "number_out_of_range"),
        ({"units": 1000}, "number_out_of_range"),
        ({"units_per_donation": 3}, "number_out_of_range"),
        ({"patient": Phenotype()}, "required"),
        ({"family_code": "nobody"}, "family_code_unknown"),
        ({"note": "5000元"}, "blood_for_money"),
        ({"place": Point(0.0, -160.0)}, "place_at_sea"),
    ],
)
def test_requests_that_are_refused(desk: Desk, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        desk.ask("O-", **changes)
    assert caught.value.code == code
    assert desk.world.count_cases() == 0


def test_the_same_request_is_noticed_before_anybody_is_asked(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    first = desk.ask("O Rh-", patient_code="P-1")
    again = desk.ask("O Rh-", patient_code="P-1")
    assert first.asking
    assert not again.asking
    assert [one.reference for one in again.alike] == [first.reference]
    assert desk.heard(donor) == [NoticeKind.BLOOD_ASK]
    start_asking(desk.world.services, desk.clerk, again.reference)
    with pytest.raises(ConflictError, match="asking_already"):
        start_asking(desk.world.services, desk.clerk, again.reference)


STOCK = "unit,type,expires on\nA1,O Rh-,2026-07-01\nA2,O Rh-,2026-05-01\nA3,B Rh+,2026-07-01\n"


def test_stock_comes_before_donors(desk: Desk) -> None:
    world = desk.world
    partner = store_centre(world.database, "杭州血液中心")
    keeper = world.actor(Role.OFFICER)
    desk.join(keeper, partner)
    report = import_stock(world.services, keeper, STOCK.encode())
    assert (len(report.units), report.expired, report.written) == (2, 1, True)
    assert last_stock(world.services, keeper) == (2, NOON)
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    assert not opened.asking
    assert [one.shelved.unit.number for one in opened.units] == ["A1"]
    promise_unit(world.services, desk.clerk, opened.reference, partner.id, "A1")
    world.drain()
    board = desk.board(opened.reference)
    assert (board.needed, board.promised, board.filled) == (0, 1, True)
    second = desk.ask("O Rh-", patient_code="P-2")
    assert second.units == []
    with pytest.raises(ConflictError, match="unit_promised"):
        promise_unit(world.services, desk.clerk, second.reference, partner.id, "A1")
    with pytest.raises(ConflictError, match="unit_promised"):
        promise_unit(world.services, desk.clerk, second.reference, partner.id, "A1", promised=False)
    desk.close(opened.reference, Outcome.HELPED, ResolutionCause.STOCK)
    assert desk.counted().by_cause == {ResolutionCause.STOCK: 1}
    assert NoticeKind.BLOOD_ASK in desk.heard(donor)  # for the second request


def test_a_faulty_inventory_is_not_half_imported(desk: Desk) -> None:
    world = desk.world
    faulty = STOCK + "A4,AB anti-A,2026-07-01\n"
    report = import_stock(world.services, desk.clerk, faulty.encode())
    assert (report.written, [one.row for one in report.faults]) == (False, [5])
    assert import_stock(world.services, desk.clerk, STOCK.encode(), dry_run=True).written is False
    assert last_stock(world.services, desk.clerk) is None
    assert import_stock(world.services, desk.clerk, faulty.encode(), skip_faulty=True).written
    with pytest.raises(InvalidInputError, match="sheet_required"):
        import_stock(world.services, desk.clerk, b"")


def test_donors_without_an_account_are_called(desk: Desk) -> None:
    kept = store_donor(
        desk.world.database,
        written="O Rh-",
        centre_id=desk.centre.id,
        reference="D-7",
        contact="0571-1",
    )
    opened = desk.ask("O Rh-")
    row = desk.board(opened.reference).rows[0]
    assert (row.to_call, row.keeper, row.number) == (True, desk.centre.name, "D-7")
    contact = see_contact(desk.world.services, desk.clerk, opened.reference, row.ask.id)
    assert (contact.contact, contact.reference) == ("0571-1", "D-7")
    desk.record(opened.reference, row.ask, Answer.COMING)
    assert desk.board(opened.reference).filled
    with desk.world.database.transaction() as transaction:
        assert transaction.donors.get(kept.id).history.yes == 1
    desk.record(opened.reference, row.ask, Answer.CANNOT, reason=CannotReason.DID_NOT_COME)
    assert not desk.board(opened.reference).filled


def test_the_cause_must_be_true(desk: Desk) -> None:
    opened = desk.ask("O Rh-")
    for outcome, cause in (
        (Outcome.HELPED, ResolutionCause.DONOR_ASKED),
        (Outcome.HELPED, ResolutionCause.STOCK),
        (Outcome.HELPED, ResolutionCause.NO_DONOR),
    ):
        with pytest.raises(InvalidInputError, match="cause_contradicts"):
            desk.close(opened.reference, outcome, cause)
    with pytest.raises(InvalidInputError, match="choice_unknown"):
        desk.close(opened.reference, Outcome.REUNITED, ResolutionCause.UNRELATED)
    with pytest.raises(InvalidInputError, match="choice_unknown"):
        desk.close(opened.reference, Outcome.HELPED, ResolutionCause.FACE_LEAD)
    desk.close(opened.reference, Outcome.HELPED, ResolutionCause.UNRELATED)
    with pytest.raises(ConflictError, match="case_transition"):
        desk.close(opened.reference, Outcome.HELPED, ResolutionCause.UNRELATED)
    with pytest.raises(ConflictError, match="case_closed"):
        start_asking(desk.world.services, desk.clerk, opened.reference)


def test_a_request_that_is_taken_back_thanks_too_and_is_forgotten(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-", patient_code="P-1", note="theatre 3", units=2)
    desk.answer(donor, opened.reference, Answer.COMING, contact="138")
    withdraw_case(desk.world.services, desk.clerk, opened.reference)
    desk.world.drain()
    assert desk.heard(donor) == [NoticeKind.BLOOD_ASK, NoticeKind.BLOOD_THANKS]
    erase_expired(desk.world.services)
    board = desk.board(opened.reference)
    assert (board.appeal.request.patient_code, board.appeal.request.note) == ("", "")
    assert board.rows[0].ask.contact == ""


def test_ranked_donors_and_why_others_are_not_asked(desk: Desk) -> None:
    _, best = desk.donor("O Rh-")
    _, wrong = desk.donor("A Rh-")
    given = Donation(DonationKind.WHOLE_BLOOD, NOON.date() - timedelta(days=5))
    _, deferred = desk.donor("O Rh-", facts=DonorFacts(date(1990, 1, 1), donations=(given,)))
    _, homely = desk.donor("O Rh-", cell=cell_of(FAR), travel_km=20)
    _, tired = desk.donor("O Rh-")
    with desk.world.database.transaction() as transaction:
        transaction.donors.mark_asked([tired.id], NOON - timedelta(days=3))
    opened = open_blood_request(
        desk.world.services,
        desk.clerk,
        RequestWish(parse_phenotype("O Rh-"), 1, NOON + timedelta(hours=24)),
    )
    listed = rank_donors(desk.world.services, desk.clerk, opened.reference)
    assert [one.donor.id for one in listed.ranked] == [best.id]
    assert listed.ranked[0].verdict.findings
    assert {one.donor.id: one.obstacle for one in listed.not_asked} == {
        wrong.id: "unsuitable",
        deferred.id: "deferred",
        homely.id: "too_far",
        tired.id: "asked_lately",
    }
    assert listed.deferred == 1
    desk.world.drain()
    asked = rank_donors(desk.world.services, desk.clerk, opened.reference)
    assert {one.obstacle for one in asked.not_asked if one.donor.id == best.id} == {"asked"}


def test_lists_of_centre_and_donor(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    assert [one.case.reference for one in list_requests(desk.world.services, desk.clerk)] == [
        opened.reference
    ]
    views = list_asks(desk.world.services, donor)
    assert [one.case.reference for one in views] == [opened.reference]
    assert views[0].can_come
    assert list_asks(desk.world.services, desk.world.family) == []
    assert desk.centre.id != BloodCentreId(0)
    assert views[0].case.circumstances.place == HANGZHOU


def test_what_donors_are_told_outside_names_no_patient(desk: Desk) -> None:
    donor, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-", patient_code="P-1", note="theatre 3")
    with desk.world.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(opened.reference)
        [(notice, _)] = transaction.notices.list_of_case(case.id)
    titles = {Language.ZH: "有人需要您的血型", Language.EN: "Your blood is needed"}
    for language, title in titles.items():
        message = message_of(desk.world.services, notice, case, language)
        assert message is not None
        assert message.title == title
        assert "湖滨医院" in message.body
        assert message.url.endswith(f"/{language.value}/blood/asks/{opened.reference}")
        assert not [secret for secret in ("P-1", "theatre 3", "RhD-") if secret in str(message)]
    desk.answer(donor, opened.reference, Answer.CANNOT)
    desk.close(opened.reference, Outcome.UNMET, ResolutionCause.NO_DONOR)
    over = desk.world.case(opened.reference)
    # What had not gone out by then does not go out any more.
    assert message_of(desk.world.services, notice, over, Language.ZH) is None
    thanks = replace(notice, kind=NoticeKind.BLOOD_THANKS)
    thanked = message_of(desk.world.services, thanks, over, Language.ZH)
    assert thanked is not None
    assert thanked.title == "感谢您随时准备相助"


def test_a_centre_calls_its_own_donors_for_another(desk: Desk) -> None:
    world = desk.world
    keeper_centre = store_centre(world.database, "杭州血液中心")
    keeper = world.actor(Role.OFFICER)
    desk.join(keeper, keeper_centre)
    kept = {"written": "O Rh-", "centre_id": keeper_centre.id, "contact": "0571-1"}
    for number in ("D-1", "D-2", "D-3"):
        store_donor(world.database, reference=number, **kept)
    opened = desk.ask("O Rh-")
    calls = list_calls(world.services, keeper)
    assert [one.donor.reference for one in calls] == ["D-1", "D-2", "D-3"]
    assert calls[0].centre == desk.centre
    assert list_calls(world.services, desk.clerk) == []
    with pytest.raises(NotFoundError):
        answer_call(world.services, desk.clerk, calls[0].ask.id, Answer.COMING)
    with pytest.raises(InvalidInputError, match="choice_unknown"):
        answer_call(world.services, keeper, calls[0].ask.id, Answer.GIVEN)
    # The centre that asks learns who it is only once they come.
    with pytest.raises(NotFoundError):
        see_contact(world.services, desk.clerk, opened.reference, calls[0].ask.id)
    answer_call(world.services, keeper, calls[0].ask.id, Answer.NOT_ME)
    answer_call(world.services, keeper, calls[1].ask.id, Answer.COMING)
    contact = see_contact(world.services, desk.clerk, opened.reference, calls[1].ask.id)
    assert (contact.contact, contact.reference) == ("0571-1", "D-2")
    assert desk.board(opened.reference).filled
    assert list_calls(world.services, keeper) == []
    with world.database.transaction() as transaction:
        assert transaction.donors.get(calls[0].donor.id).asleep


def test_whoever_leaves_the_register_does_not_come(desk: Desk) -> None:
    giver, _ = desk.donor("O Rh-")
    opened = desk.ask("O Rh-")
    desk.answer(giver, opened.reference, Answer.COMING, contact="138")
    other, _ = desk.donor("O Rh-")
    assert desk.heard(other) == []
    erase_donor(desk.world.services, giver)
    desk.world.drain()
    board = desk.board(opened.reference)
    assert (board.filled, board.rows[0].phenotype, board.rows[0].ask.contact) == (False, None, "")
    assert desk.heard(other) == [NoticeKind.BLOOD_ASK]
