"""A blood centre and its donors.  Only for those who act for a verified centre."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Response, UploadFile

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.parameters import After, Limit
from reunite.api.problems import problem_responses
from reunite.api.render_blood import claim_body, donor_detail, donor_summary, file_body
from reunite.api.schemas.basics import Number, Page
from reunite.api.schemas.blood import (
    ClaimBody,
    DeferralBody,
    DonationBody,
    DonorDetail,
    DonorFileBody,
    DonorSummary,
    FamilyCode,
    TakenOn,
    TakeOnBody,
    TypeBody,
    VerdictBody,
)
from reunite.app.access import STAFF_ONLY
from reunite.app.donor_families import make_family
from reunite.app.export_donors import FileFormat, export_donors
from reunite.app.import_donors import DonorFileOptions, import_donors
from reunite.app.keep_donors import (
    confirm_type,
    get_kept_donor,
    list_own_donors,
    record_deferral,
    record_donation,
    release_donor,
    take_on_donor,
)
from reunite.app.settle_claims import list_claims, settle_claim
from reunite.blood.claims import DonorClaim
from reunite.blood.deferral import Donation
from reunite.blood.notation import parse_phenotype
from reunite.kernel.ids import DonorClaimId, DonorId

router = APIRouter(route_class=AccessRoute, tags=["Blood"])

DonorNumber = Annotated[Number, Path(description="The number of a donor of this centre.")]
ClaimNumber = Annotated[Number, Path(description="The number of a claim.")]


@router.get("/centre/donors", summary="List one's centre's donors")
@allow(STAFF_ONLY)
def list_donors(
    services: Wired, caller: Caller, after: After = 0, limit: Limit = 50
) -> Page[DonorSummary]:
    """Donors whom the caller's centre keeps, by number."""
    roll = list_own_donors(services, caller, after=DonorId(after), limit=limit)
    items = [donor_summary(one.donor) for one in roll.donors]
    return Page(items=items, next=roll.next)


@router.post("/centre/donors", summary="Take on a donor", responses=problem_responses(409))
@allow(STAFF_ONLY)
def take_on(services: Wired, caller: Caller, body: TakeOnBody) -> TakenOn:
    """By the code that the donor shows.  Whoever another centre keeps is claimed, not taken."""
    taken = take_on_donor(services, caller, body.code, body.reference)
    if isinstance(taken, DonorClaim):
        return TakenOn(donor_id=None, claim_id=taken.id)
    return TakenOn(donor_id=taken.id, claim_id=None)


@router.post("/centre/donors/import", summary="Bring a file of donors")
@allow(STAFF_ONLY)
def import_file(
    services: Wired,
    caller: Caller,
    file: Annotated[UploadFile, File(description="CSV (UTF-8, UTF-16, GBK) or XLSX.")],
    *,
    dry_run: Annotated[bool, Query(description="Find out everything, write nothing.")] = True,
    agreed: Annotated[bool, Query(description="These donors agreed to be asked.")] = False,
    skip_faulty: Annotated[bool, Query(description="Go on without the rows at fault.")] = False,
) -> DonorFileBody:
    """Whole or not at all; brought again, it brings up to date.  A trial unless told otherwise."""
    options = DonorFileOptions(dry_run=dry_run, agreed=agreed, skip_faulty=skip_faulty)
    return file_body(import_donors(services, caller, file.file.read(), options))


@router.get(
    "/centre/donors/export",
    summary="Take the centre's donors away",
    response_class=Response,
    responses={200: {"description": "The file.", "content": {"text/csv": {}}}},
)
@allow(STAFF_ONLY)
def export_file(services: Wired, caller: Caller, form: FileFormat = FileFormat.CSV) -> Response:
    """A file that `POST /centre/donors/import` takes; no cell is run as a formula."""
    return Response(export_donors(services, caller, form), media_type=form.media_type)


@router.get(
    "/centre/donors/{donor_id}", summary="Look at a donor", responses=problem_responses(404)
)
@allow(STAFF_ONLY)
def get_kept(services: Wired, caller: Caller, donor_id: DonorNumber) -> DonorDetail:
    """A donor of the caller's centre."""
    kept = get_kept_donor(services, caller, DonorId(donor_id))
    return donor_detail(kept.donor, services.clock.now().date())


@router.delete(
    "/centre/donors/{donor_id}",
    status_code=204,
    summary="Keep a donor no longer",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def release(services: Wired, caller: Caller, donor_id: DonorNumber) -> None:
    """A record without an account is erased by it."""
    release_donor(services, caller, DonorId(donor_id))


@router.put(
    "/centre/donors/{donor_id}/type", summary="Confirm a type", responses=problem_responses(404)
)
@allow(STAFF_ONLY)
def put_type(services: Wired, caller: Caller, donor_id: DonorNumber, body: TypeBody) -> DonorDetail:
    """What the laboratory found; it goes before the donor's own word."""
    found = parse_phenotype(body.type)
    donor = confirm_type(services, caller, DonorId(donor_id), found, body.method)
    return donor_detail(donor, services.clock.now().date())


@router.post(
    "/centre/donors/{donor_id}/donations",
    summary="Write down a donation",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def post_donation(
    services: Wired, caller: Caller, donor_id: DonorNumber, body: DonationBody
) -> DonorDetail:
    """The donor has given here."""
    donation = Donation(body.kind, body.on)
    donor = record_donation(services, caller, DonorId(donor_id), donation)
    return donor_detail(donor, services.clock.now().date())


@router.post(
    "/centre/donors/{donor_id}/deferrals",
    summary="Defer a donor",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def post_deferral(
    services: Wired, caller: Caller, donor_id: DonorNumber, body: DeferralBody
) -> DonorDetail:
    """The centre's doctor defers a donor."""
    donor = record_deferral(services, caller, DonorId(donor_id), body.reason, body.over_on)
    return donor_detail(donor, services.clock.now().date())


@router.post(
    "/centre/donors/{donor_id}/family",
    summary="Give a donor's family a code",
    responses=problem_responses(404),
)
@allow(STAFF_ONLY)
def post_family(services: Wired, caller: Caller, donor_id: DonorNumber) -> FamilyCode:
    """Siblings join by it and are asked first; a donor who has a family keeps it."""
    return FamilyCode(code=make_family(services, caller, DonorId(donor_id)).code)


@router.get("/centre/claims", summary="List donors whom two centres have")
@allow(STAFF_ONLY)
def get_claims(services: Wired, caller: Caller) -> list[ClaimBody]:
    """Open ones, the oldest first."""
    return [claim_body(view) for view in list_claims(services, caller)]


@router.post(
    "/centre/claims/{claim_id}",
    status_code=204,
    summary="Say what is so",
    responses=problem_responses(404, 409),
)
@allow(STAFF_ONLY)
def post_verdict(services: Wired, caller: Caller, claim_id: ClaimNumber, body: VerdictBody) -> None:
    """Two records become one only if both sides say so."""
    settle_claim(services, caller, DonorClaimId(claim_id), body.verdict)
