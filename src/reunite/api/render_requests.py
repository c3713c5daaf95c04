"""Requests for blood as bodies."""

from reunite.api.schemas.basics import Position
from reunite.api.schemas.blood_requests import (
    AskRow,
    BloodRequestEntry,
    BoardBody,
    CallBody,
    DonorAskBody,
    DonorListBody,
    FindingBody,
    HindranceBody,
    LikeRequestBody,
    RankedDonorBody,
    SourceBody,
    UnitBody,
)
from reunite.app.answer_ask import AskView
from reunite.app.call_donors import Call
from reunite.app.find_donors import DonorList, RankedDonor
from reunite.app.open_blood_request import LikeRequest, SuitableUnit
from reunite.app.run_blood_request import Board, BoardRow, RequestLine
from reunite.blood.appeals import Appeal
from reunite.blood.donors import stored_type
from reunite.cases.case import Case


def entry_body(line: RequestLine) -> BloodRequestEntry:
    """A request in a list."""
    return _entry(line.case, line.appeal, line.asked, line.coming)


def _entry(case: Case, appeal: Appeal, asked: int, coming: int) -> BloodRequestEntry:
    request = appeal.request
    return BloodRequestEntry(
        reference=case.reference,
        status=case.status,
        outcome=case.outcome,
        cause=case.cause,
        patient=stored_type(request.need.patient),
        component=request.need.component,
        units=request.units,
        needed_by=request.needed_by,
        urgency=request.urgency,
        patient_code=request.patient_code,
        opened_at=request.opened_at,
        asked=asked,
        coming=coming,
    )


def board_body(board: Board) -> BoardBody:
    """Everything that the board shows."""
    appeal = board.appeal
    entry = _entry(board.case, appeal, board.counts["asked"], board.coming)
    return BoardBody(
        **entry.model_dump(),
        needed=board.needed,
        promised=board.promised,
        filled=board.filled,
        late=board.late,
        asking_since=appeal.asking_since,
        waves=appeal.waves,
        why=appeal.why,
        next_look_at=appeal.next_look_at,
        counts=board.counts,
        asks=[_row(one) for one in board.rows],
        alike=[like_body(one) for one in board.alike],
        available_units=[unit_body(one) for one in board.units],
    )


def _row(row: BoardRow) -> AskRow:
    ask = row.ask
    return AskRow(
        id=ask.id,
        type=None if row.phenotype is None else stored_type(row.phenotype),
        confirmed=row.confirmed,
        grade=ask.grade.name.lower(),
        distance_km=ask.distance_km,
        sibling=ask.sibling,
        wave=ask.wave,
        asked_at=ask.asked_at,
        answer=ask.answer,
        answered_at=ask.answered_at,
        comes_at=ask.comes_at,
        reason=ask.reason,
        hindrance=ask.hindrance,
        deferred_until=ask.deferred_until,
        thanked_at=ask.thanked_at,
        call=row.to_call,
        keeper=row.keeper,
        number=row.number,
    )


def like_body(one: LikeRequest) -> LikeRequestBody:
    """Another request that may be the same."""
    return LikeRequestBody(
        likeness=one.likeness, centre=one.centre, reference=one.reference, opened_at=one.opened_at
    )


def unit_body(one: SuitableUnit) -> UnitBody:
    """A unit in stock."""
    unit = one.shelved.unit
    return UnitBody(
        centre_id=one.shelved.centre_id,
        centre=unit.centre,
        number=unit.number,
        type=stored_type(unit.phenotype),
        expires_on=unit.expires_on,
        grade=one.verdict.grade.name.lower(),
        promised=one.shelved.promised_to is not None,
    )


def donor_list_body(listed: DonorList) -> DonorListBody:
    """Donors in order, and why others are not asked."""
    return DonorListBody(
        ranked=[_ranked(one) for one in listed.ranked],
        not_asked=[_ranked(one) for one in listed.not_asked],
        graded={grade.name.lower(): count for grade, count in listed.graded.items()},
        deferred=listed.deferred,
    )


def _ranked(one: RankedDonor) -> RankedDonorBody:
    return RankedDonorBody(
        type=stored_type(one.donor.phenotype),
        confirmed=one.donor.is_confirmed,
        grade=one.verdict.grade.name.lower(),
        distance_km=one.distance_km,
        sibling=one.sibling,
        obstacle=one.obstacle,
        deferred_until=None if one.hindrance is None else one.hindrance.until,
        findings=[
            FindingBody(
                rule=finding.rule,
                code=finding.code,
                grade=finding.grade.name.lower(),
                antigens=list(finding.antigens),
                sources=[SourceBody(title=s.title, url=s.url) for s in finding.sources],
            )
            for finding in one.verdict.findings
        ],
    )


def ask_body(view: AskView) -> DonorAskBody:
    """A request as its donor sees it: the hospital and what is needed, no patient."""
    request, ask = view.appeal.request, view.ask
    return DonorAskBody(
        reference=view.case.reference,
        hospital=view.centre.name,
        place=Position(latitude=request.place.latitude, longitude=request.place.longitude),
        component=request.need.component,
        needed_by=request.needed_by,
        urgency=request.urgency,
        asked_at=ask.asked_at,
        distance_km=ask.distance_km,
        answer=ask.answer,
        comes_at=ask.comes_at,
        reason=ask.reason,
        deferred_until=ask.deferred_until,
        hindrances=[
            HindranceBody(
                code=one.code,
                about=one.about,
                until=one.until,
                source=None
                if one.source is None
                else SourceBody(title=one.source.title, url=one.source.url),
            )
            for one in view.eligibility.hindrances
        ],
        can_answer=view.can_come,
        filled=view.filled,
    )


def call_body(call: Call) -> CallBody:
    """A donor to be called by the centre that keeps them."""
    request = call.appeal.request
    return CallBody(
        id=call.ask.id,
        type=stored_type(call.donor.phenotype),
        number=call.donor.reference,
        contact=call.donor.contact,
        hospital=call.centre.name,
        component=request.need.component,
        needed_by=request.needed_by,
        urgency=request.urgency,
    )
