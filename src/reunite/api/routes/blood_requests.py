"""Requests for blood: for hospitals and blood centres, and for the donors who are asked."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, UploadFile

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import CaseReference
from reunite.api.problems import problem_responses
from reunite.api.render_requests import (
    ask_body,
    board_body,
    call_body,
    donor_list_body,
    entry_body,
    like_body,
    unit_body,
)
from reunite.api.routes.cases import point_of
from reunite.api.schemas.basics import Number
from reunite.api.schemas.blood_requests import (
    BloodRequestBody,
    BloodRequestList,
    BloodRequestOpened,
    BoardBody,
    CallList,
    ContactBody,
    DeskAnswer,
    DonorAnswerBody,
    DonorAskBody,
    DonorAskList,
    DonorListBody,
    RequestOutcome,
    RowFaultBody,
    StockReportBody,
    UnitPromise,
)
from reunite.app.access import SIGNED_IN, STAFF_ONLY
from reunite.app.answer_ask import DonorAnswer, answer_ask, get_ask, list_asks
from reunite.app.call_donors import answer_call, list_calls
from reunite.app.import_stock import import_stock
from reunite.app.open_blood_request import (
    RequestWish,
    open_blood_request,
    promise_unit,
    start_asking,
)
from reunite.app.run_blood_request import (
    close_request,
    get_board,
    list_requests,
    rank_donors,
    record_answer,
    see_contact,
)
from reunite.blood.notation import parse_phenotype
from reunite.blood.phenotype import Phenotype
from reunite.blood.rules import POLICIES
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import BloodCentreId, DonorAskId

router = APIRouter(route_class=AccessRoute, tags=["Blood requests"])

AskNumber = Annotated[Number, Path(description="The number of an ask, as the board gives it.")]
SheetFile = Annotated[UploadFile, File(description="CSV or XLSX, a row a unit.")]
Flag = Annotated[bool, Query()]


@router.post("/blood/requests", status_code=201, summary="Ask for blood")
@allow(STAFF_ONLY)
def ask_for_blood(services: Wired, caller: Caller, body: BloodRequestBody) -> BloodRequestOpened:
    """Verified hospitals and blood centres only.  The first donors are asked at once, unless
    stock may hold enough or another request looks the same.
    """
    opened = open_blood_request(services, caller, _wish(body))
    return BloodRequestOpened(
        reference=opened.reference,
        asking=opened.asking,
        alike=[like_body(one) for one in opened.alike],
        units=[unit_body(one) for one in opened.units],
    )


@router.get("/blood/requests", summary="List the requests of one's centre")
@allow(STAFF_ONLY)
def list_blood_requests(services: Wired, caller: Caller) -> BloodRequestList:
    """The newest first."""
    return BloodRequestList(items=[entry_body(one) for one in list_requests(services, caller)])


@router.get("/blood/requests/{reference}", summary="The board", responses=problem_responses(404))
@allow(STAFF_ONLY)
def get_blood_request(services: Wired, caller: Caller, reference: CaseReference) -> BoardBody:
    """Asked, answered, coming, arrived, unsuitable, given; donors are not named."""
    return board_body(get_board(services, caller, reference))


@router.get(
    "/blood/requests/{reference}/donors",
    summary="Rank donors",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def rank_blood_donors(services: Wired, caller: Caller, reference: CaseReference) -> DonorListBody:
    """In the order in which they would be asked, with each reason and its source."""
    return donor_list_body(rank_donors(services, caller, reference))


@router.post(
    "/blood/requests/{reference}/asking",
    status_code=204,
    summary="Start asking donors",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def start_asking_donors(services: Wired, caller: Caller, reference: CaseReference) -> None:
    """For a request that waited for its centre to look at stock or at a like request."""
    start_asking(services, caller, reference)


@router.put(
    "/blood/requests/{reference}/unit",
    status_code=204,
    summary="Set a unit in stock aside",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def promise_blood_unit(
    services: Wired, caller: Caller, reference: CaseReference, body: UnitPromise
) -> None:
    """The partner has agreed to give it: so many donors fewer are asked."""
    centre_id = BloodCentreId(body.centre_id)
    promise_unit(services, caller, reference, centre_id, body.number, promised=body.promised)


@router.post(
    "/blood/requests/{reference}/asks/{ask_id}/answer",
    status_code=204,
    summary="Record what a donor said or did",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def record_donor_answer(
    services: Wired, caller: Caller, reference: CaseReference, ask_id: AskNumber, body: DeskAnswer
) -> None:
    """On the telephone, or at the desk: arrived, unsuitable, given."""
    record_answer(
        services,
        caller,
        reference,
        DonorAskId(ask_id),
        body.answer,
        comes_at=body.comes_at,
        reason=body.reason,
        remark=body.remark,
    )


@router.post(
    "/blood/requests/{reference}/asks/{ask_id}/contact",
    summary="See who is coming",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def see_donor_contact(
    services: Wired, caller: Caller, reference: CaseReference, ask_id: AskNumber
) -> ContactBody:
    """Only after a donor has said that they come; the look is logged, hence no `GET`."""
    contact = see_contact(services, caller, reference, DonorAskId(ask_id))
    return ContactBody(
        name=contact.name,
        email=contact.email,
        contact=contact.contact,
        reference=contact.reference,
    )


@router.post(
    "/blood/requests/{reference}/outcome",
    status_code=204,
    summary="Close a request",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def close_blood_request(
    services: Wired, caller: Caller, reference: CaseReference, body: RequestOutcome
) -> None:
    """Everybody who was asked and did not decline is thanked; the cause is counted."""
    close_request(services, caller, reference, body.outcome, body.cause, body.note)


@router.get("/blood/calls", summary="Donors of one's own centre to be called")
@allow(STAFF_ONLY)
def list_donor_calls(services: Wired, caller: Caller) -> CallList:
    """Donors without an account, whom requests of any centre would ask."""
    return CallList(items=[call_body(one) for one in list_calls(services, caller)])


@router.post(
    "/blood/calls/{ask_id}/answer",
    status_code=204,
    summary="Record what a called donor said",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def answer_donor_call(services: Wired, caller: Caller, ask_id: AskNumber, body: DeskAnswer) -> None:
    """`coming`, `cannot` or `not_me`; the centre that asked sees it at once."""
    answer_call(
        services,
        caller,
        DonorAskId(ask_id),
        body.answer,
        comes_at=body.comes_at,
        reason=body.reason,
        remark=body.remark,
    )


@router.post("/blood/stock", summary="Replace the inventory of one's centre")
@allow(STAFF_ONLY)
def replace_stock(
    services: Wired,
    caller: Caller,
    sheet: SheetFile,
    *,
    dry_run: Flag = False,
    skip_faulty: Flag = False,
) -> StockReportBody:
    """All rows or none, unless faulty ones are to be skipped."""
    report = import_stock(
        services, caller, sheet.file.read(), dry_run=dry_run, skip_faulty=skip_faulty
    )
    return StockReportBody(
        units=len(report.units),
        expired=report.expired,
        written=report.written,
        faults=[
            RowFaultBody(row=one.row, column=one.column, got=one.got, code=one.error.code)
            for one in report.faults
        ],
    )


@router.get("/blood/asks", summary="What one was asked for")
@allow(SIGNED_IN)
def list_own_asks(services: Wired, caller: Caller) -> DonorAskList:
    """Requests that reached the caller as a donor, the newest first."""
    return DonorAskList(items=[ask_body(one) for one in list_asks(services, caller)])


@router.get(
    "/blood/asks/{reference}", summary="One request, for a donor", responses=problem_responses(404)
)
@allow(SIGNED_IN)
def get_own_ask(services: Wired, caller: Caller, reference: CaseReference) -> DonorAskBody:
    """The hospital and what is needed; `404` for whoever was not asked."""
    return ask_body(get_ask(services, caller, reference))


@router.post(
    "/blood/asks/{reference}/answer",
    summary="Answer as a donor",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def answer_own_ask(
    services: Wired, caller: Caller, reference: CaseReference, body: DonorAnswerBody
) -> DonorAskBody:
    """Coming, not this time, not me any more.  Whoever would come and is deferred is answered
    with `reason` `deferred` and what stands in the way.
    """
    said = DonorAnswer(
        body.answer, body.comes_at, body.contact, body.reason, body.remark, body.gave_on
    )
    return ask_body(answer_ask(services, caller, reference, said))


def _wish(body: BloodRequestBody) -> RequestWish:
    if body.policy not in POLICIES:
        raise InvalidInputError("choice_unknown", field="policy")
    return RequestWish(
        patient=_patient(body.patient),
        units=body.units,
        needed_by=body.needed_by,
        component=body.component,
        childbearing=body.childbearing,
        policy=POLICIES[body.policy],
        urgency=body.urgency,
        units_per_donation=body.units_per_donation,
        place=point_of(body.place),
        patient_code=body.patient_code,
        family_code=body.family_code,
        note=body.note,
        override_reason=body.override_reason,
    )


def _patient(text: str) -> Phenotype:
    try:
        return parse_phenotype(text)
    except InvalidInputError as error:
        error.details["field"] = "patient"
        raise
