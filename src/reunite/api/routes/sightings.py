"""Sightings: report one, and weigh them."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response, UploadFile
from pydantic import Json

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import (
    CaseReference,
    Limit,
    Offset,
    PhotoFile,
    PictureVariant,
    jpeg_response,
    next_offset,
)
from reunite.api.problems import problem_responses
from reunite.api.render import sighting_body
from reunite.api.routes.cases import point_of
from reunite.api.routes.photos import picture
from reunite.api.schemas.alerts import SightingBody, SightingDecision, SightingRequest
from reunite.api.schemas.basics import Created, Number, Page
from reunite.app.access import SIGNED_IN, STAFF_ONLY
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.triage_sighting import decide_sighting, list_sightings
from reunite.app.view_photo import Variant, get_sighting_picture
from reunite.cases.sightings import SightingStatus
from reunite.kernel.ids import SightingId

router = APIRouter(route_class=AccessRoute, tags=["Sightings"])

SightingNumber = Annotated[Number, Path()]


@router.post(
    "/cases/{reference}/sightings",
    status_code=201,
    summary="Report a sighting",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def add_sighting(
    services: Wired, caller: Caller, reference: CaseReference, body: SightingRequest
) -> Created:
    """What somebody saw, without a photo or with that of a face-find."""
    return Created(id=report_sighting(services, caller, reference, _report(body, None)))


@router.post(
    "/cases/{reference}/sightings/with-photo",
    status_code=201,
    summary="Report a sighting with a photo",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def add_sighting_with_photo(
    services: Wired,
    caller: Caller,
    reference: CaseReference,
    report: Annotated[Json[SightingRequest], Form(description="A SightingRequest, as JSON.")],
    photo: PhotoFile,
) -> Created:
    """The photo need not show a face; where it does, reviewers are told how alike it is."""
    return Created(id=report_sighting(services, caller, reference, _report(report, photo)))


@router.get("/sightings", summary="List sightings")
@allow(STAFF_ONLY)
def list_all_sightings(
    services: Wired,
    caller: Caller,
    status: SightingStatus = SightingStatus.NEW,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[SightingBody]:
    """What waits to be weighed, the newest first."""
    views = list_sightings(services, caller, status, limit=limit, offset=offset)
    return Page(
        items=[sighting_body(view) for view in views], next=next_offset(views, limit, offset)
    )


@router.post(
    "/sightings/{sighting_id}/decision",
    status_code=204,
    summary="Decide on a sighting",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def decide_on_sighting(
    services: Wired, caller: Caller, sighting_id: SightingNumber, body: SightingDecision
) -> None:
    """Pass it on to those who search, or set it aside."""
    decide_sighting(services, caller, SightingId(sighting_id), body.status)


@router.get(
    "/sightings/{sighting_id}/picture",
    summary="The picture of a sighting",
    response_class=Response,
    responses={**jpeg_response("The photo that was sent in."), **problem_responses(404)},
)
@allow(STAFF_ONLY)
def get_picture_of_sighting(
    services: Wired,
    caller: Caller,
    sighting_id: SightingNumber,
    variant: PictureVariant = Variant.FULL,
) -> Response:
    """A JPEG; the look is logged."""
    return picture(get_sighting_picture(services, caller, SightingId(sighting_id), variant))


def _report(body: SightingRequest, photo: UploadFile | None) -> SightingReport:
    return SightingReport(
        seen_at=body.seen_at,
        place=point_of(body.place),
        place_label=body.place_label,
        text=body.text,
        photo=None if photo is None else photo.file.read(),
        probe_token=body.search_token,
    )
