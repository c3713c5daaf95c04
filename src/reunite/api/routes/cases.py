"""Cases: list, look, report, add photos, withdraw."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, UploadFile
from pydantic import Json

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import Before, CapturedYear, CaseReference, Limit, PhotoFile
from reunite.api.problems import problem_responses
from reunite.api.render import MODULE_OF, SEX_OF, SIDE_OF, card, case_detail
from reunite.api.schemas.basics import GivenPosition, ModuleName, Page, SideName
from reunite.api.schemas.cases import (
    CaseDetail,
    CaseOpened,
    CaseRequest,
    CaseSummary,
    NoteBody,
    Years,
)
from reunite.app.access import PUBLIC, SIGNED_IN
from reunite.app.close_case import withdraw_case
from reunite.app.open_case import CaseReport, Opened, add_photo, open_case
from reunite.app.view_case import CasePage, get_case, list_own_cases, list_public_cases
from reunite.cases.case import Circumstances, Person
from reunite.kernel.datum import to_wgs84
from reunite.kernel.ids import CaseId
from reunite.kernel.people import YearRange
from reunite.kernel.places import Point

router = APIRouter(route_class=AccessRoute, tags=["Cases"])


@router.get("/cases", summary="List published cases")
@allow(PUBLIC)
def list_cases(
    services: Wired,
    module: Annotated[list[ModuleName] | None, Query(description="Any of these.")] = None,
    side: Annotated[list[SideName] | None, Query(description="Any of these.")] = None,
    before: Before = None,
    limit: Limit = 24,
) -> Page[CaseSummary]:
    """What everybody may see, the newest first."""
    page = list_public_cases(
        services,
        modules=frozenset(MODULE_OF[name] for name in module or ()),
        sides=frozenset(SIDE_OF[name] for name in side or ()),
        before=None if before is None else CaseId(before),
        limit=limit,
    )
    return page_of(page, services.settings.country, sees_all=False)


@router.get("/cases/mine", summary="List one's own cases")
@allow(SIGNED_IN)
def list_my_cases(services: Wired, caller: Caller, before: Before = None) -> Page[CaseSummary]:
    """What the caller has reported, at every stage, the newest first."""
    page = list_own_cases(services, caller, None if before is None else CaseId(before))
    return page_of(page, services.settings.country, sees_all=True)


@router.post("/cases", status_code=201, summary="Open a case")
@allow(SIGNED_IN)
def open_new_case(services: Wired, caller: Caller, body: CaseRequest) -> CaseOpened:
    """Report a missing or a found person; photos can follow with `POST …/photos`.

    A reviewer verifies the report before anybody sees it.
    """
    return _opened(open_case(services, caller, report_of(body, None)))


@router.post("/cases/with-photo", status_code=201, summary="Open a case with its photo")
@allow(SIGNED_IN)
def open_new_case_with_photo(
    services: Wired,
    caller: Caller,
    report: Annotated[Json[CaseRequest], Form(description="A CaseRequest, as JSON.")],
    photo: PhotoFile,
) -> CaseOpened:
    """As `POST /cases`; where the photo cannot be used, nothing is written."""
    return _opened(open_case(services, caller, report_of(report, photo)))


@router.get("/cases/{reference}", summary="Look at a case", responses=problem_responses(404, 410))
@allow(PUBLIC)
def get_one_case(services: Wired, caller: Caller, reference: CaseReference) -> CaseDetail:
    """Everybody sees a published case; its reporter and staff see it at every stage.

    `410` is a case that was public and is over.
    """
    return case_detail(get_case(services, caller, reference), services.settings.country)


@router.post(
    "/cases/{reference}/photos",
    status_code=201,
    summary="Add a photo",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def add_case_photo(
    services: Wired,
    caller: Caller,
    reference: CaseReference,
    photo: PhotoFile,
    captured_year: CapturedYear = None,
) -> CaseOpened:
    """Another photo of the same person: several ages find more."""
    return _opened(add_photo(services, caller, reference, photo.file.read(), captured_year))


@router.post(
    "/cases/{reference}/withdrawal",
    status_code=204,
    summary="Withdraw a case",
    responses=problem_responses(404, 409),
)
@allow(SIGNED_IN)
def withdraw(services: Wired, caller: Caller, reference: CaseReference, body: NoteBody) -> None:
    """Take it back; its pictures are erased, and those who were told are told."""
    withdraw_case(services, caller, reference, body.note)


def page_of(page: CasePage, country: str, *, sees_all: bool) -> Page[CaseSummary]:
    """One page of cases as a body."""
    items = [card(one, country, sees_all=sees_all) for one in page.cards]
    return Page(items=items, next=page.next_before)


def point_of(place: GivenPosition | None) -> Point | None:
    """A position of a body as a point in WGS-84."""
    if place is None:
        return None
    return to_wgs84(Point(place.latitude, place.longitude), place.datum)


def years_of(years: Years | None) -> YearRange | None:
    """A range of years of a body."""
    return None if years is None else YearRange(years.first, years.last)


def report_of(body: CaseRequest, photo: UploadFile | None) -> CaseReport:
    """What a reporter says."""
    person, circumstances = body.person, body.circumstances
    return CaseReport(
        module=MODULE_OF[body.module],
        side=SIDE_OF[body.side],
        person=Person(
            name=person.name.strip(),
            sex=SEX_OF[person.sex],
            birth_years=years_of(person.birth_years),
            height_cm=person.height_cm,
            marks=person.marks,
            clothing=person.clothing,
            dialect=person.dialect,
            blood_group=person.blood_group,
        ),
        circumstances=Circumstances(
            seen_at=circumstances.seen_at,
            place=point_of(circumstances.place),
            place_label=circumstances.place_label,
            story=circumstances.story,
            private_note=circumstances.private_note,
        ),
        consent_search=body.consent_search,
        consent_publish=body.consent_publish,
        contact=body.contact,
        photo=None if photo is None else photo.file.read(),
        captured_year=body.captured_year,
    )


def _opened(opened: Opened) -> CaseOpened:
    return CaseOpened(reference=opened.reference, choose_photo=opened.choose_photo)
