"""Review: verify a case, publish it with its alert, close it."""

from typing import Annotated

from fastapi import APIRouter, Query

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import Before, CaseReference
from reunite.api.problems import problem_responses
from reunite.api.routes.cases import page_of
from reunite.api.schemas.basics import Page
from reunite.api.schemas.cases import (
    AlertEstimate,
    CaseSummary,
    NoteBody,
    Publication,
    Resolution,
    WaveBody,
)
from reunite.app.access import STAFF_ONLY
from reunite.app.close_case import resolve_case
from reunite.app.publish_case import AlertWish, preview_alert, publish_case, verify_case
from reunite.app.view_case import list_cases_to_review
from reunite.cases.case import CaseStatus
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.ids import CaseId

router = APIRouter(route_class=AccessRoute, tags=["Review"])

WAITING = frozenset({CaseStatus.REPORTED, CaseStatus.VERIFIED})


@router.get("/review/cases", summary="List cases to review")
@allow(STAFF_ONLY)
def list_review_cases(
    services: Wired,
    caller: Caller,
    status: Annotated[
        list[CaseStatus] | None, Query(description="Any of these; what waits unless given.")
    ] = None,
    before: Before = None,
) -> Page[CaseSummary]:
    """Cases that wait to be verified or published, the newest first."""
    statuses = frozenset(status) if status else WAITING
    page = list_cases_to_review(
        services, caller, statuses, None if before is None else CaseId(before)
    )
    return page_of(page, services.settings.country, sees_all=True)


@router.post(
    "/cases/{reference}/verification",
    status_code=204,
    summary="Verify a case",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def verify(services: Wired, caller: Caller, reference: CaseReference, body: NoteBody) -> None:
    """The report is true, and `note` says how that is known.  Not for one's own case."""
    verify_case(services, caller, reference, body.note)


@router.get(
    "/cases/{reference}/alert-preview",
    summary="Whom an alert would reach",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def preview(
    services: Wired,
    caller: Caller,
    reference: CaseReference,
    radius_km: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
) -> AlertEstimate:
    """How many volunteers are within a radius; the one that the rules suggest unless given."""
    estimate = preview_alert(services, caller, reference, radius_km)
    if estimate is None:
        raise InvalidInputError("alert_needs_place", field="radius_km")
    return AlertEstimate(
        suggested_radius_km=estimate.suggested_radius_km,
        radius_km=estimate.radius_km,
        recipients=estimate.recipients,
        may_push=estimate.may_push,
        waves=[
            WaveBody(after_seconds=wave.after.total_seconds(), radius_km=wave.radius_km)
            for wave in estimate.plan.schedule
        ],
    )


@router.post(
    "/cases/{reference}/publication",
    status_code=204,
    summary="Publish a case",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def publish(services: Wired, caller: Caller, reference: CaseReference, body: Publication) -> None:
    """Show it to everyone, and tell the volunteers within `alert_radius_km`.

    As time passes without result the alert is widened by the rules; `alert-preview` says when
    and how far.  `422` with `override_reason_required`: give the radius that `alert-preview`
    suggests, or a `reason`.
    """
    wish = None
    if body.alert_radius_km is not None:
        wish = AlertWish(
            radius_km=body.alert_radius_km,
            category=body.category,
            mode=body.mode,
            area=body.area,
            without=body.without,
            datum=body.datum,
            reason=body.reason,
            is_imminent=body.is_imminent,
        )
    publish_case(services, caller, reference, None, wish)


@router.post(
    "/cases/{reference}/resolution",
    status_code=204,
    summary="Close a case",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def resolve(services: Wired, caller: Caller, reference: CaseReference, body: Resolution) -> None:
    """End the search.  Name and photo leave the public side; those who were told are thanked."""
    resolve_case(
        services,
        caller,
        reference,
        body.outcome,
        body.cause,
        body.note,
        with_confirmed_partners=body.with_confirmed_partners,
    )
