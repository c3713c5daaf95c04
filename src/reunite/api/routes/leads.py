"""Leads: two records whose faces look alike, for reviewers."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import Limit, Offset, next_offset
from reunite.api.problems import problem_responses
from reunite.api.render import lead_detail
from reunite.api.schemas.basics import Number, Page
from reunite.api.schemas.matching import LeadDecision, LeadDetail, LeadState
from reunite.app.access import STAFF_ONLY
from reunite.app.review_lead import WAITING, decide_lead, get_lead, list_leads
from reunite.cases.leads import LeadStatus
from reunite.kernel.ids import LeadId

router = APIRouter(route_class=AccessRoute, tags=["Review"])

LeadNumber = Annotated[Number, Path()]


@router.get("/leads", summary="List leads")
@allow(STAFF_ONLY)
def list_all_leads(
    services: Wired,
    caller: Caller,
    status: Annotated[
        list[LeadStatus] | None, Query(description="Any of these; what waits unless given.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[LeadDetail]:
    """Leads of open cases, the most similar first."""
    statuses = frozenset(status) if status else WAITING
    views = list_leads(services, caller, statuses, limit=limit, offset=offset)
    return Page(items=[lead_detail(view) for view in views], next=next_offset(views, limit, offset))


@router.get("/leads/{lead_id}", summary="Compare", responses=problem_responses(404))
@allow(STAFF_ONLY)
def get_one_lead(services: Wired, caller: Caller, lead_id: LeadNumber) -> LeadDetail:
    """Both sides with ages, lapse and facts; the look at both faces is logged."""
    return lead_detail(get_lead(services, caller, LeadId(lead_id)))


@router.post(
    "/leads/{lead_id}/decisions",
    status_code=201,
    summary="Decide on a lead",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def decide_on_lead(
    services: Wired, caller: Caller, lead_id: LeadNumber, body: LeadDecision
) -> LeadState:
    """Two different reviewers must accept; one may reject, and then the pair never returns."""
    return LeadState(status=decide_lead(services, caller, LeadId(lead_id), body.verdict, body.note))
