"""Donors: register, rest, belong to a family, leave."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.problems import problem_responses
from reunite.api.render import SEX_OF
from reunite.api.render_blood import donor_detail
from reunite.api.routes.cases import point_of
from reunite.api.schemas.blood import (
    DeferralBody,
    DonationBody,
    DonorBody,
    DonorDetail,
    FamilyBody,
    RestBody,
)
from reunite.app.access import SIGNED_IN
from reunite.app.donor_families import join_family, leave_family
from reunite.app.export_donors import export_own_donor
from reunite.app.register_donor import (
    DonorForm,
    defer_donor,
    erase_donor,
    find_own_donor,
    forget_deferral,
    register_donor,
    sleep_donor,
)
from reunite.blood.deferral import Donation, Reason
from reunite.blood.notation import parse_phenotype
from reunite.kernel.errors import NotFoundError

router = APIRouter(route_class=AccessRoute, tags=["Blood"])


@router.get("/donor", summary="What is kept about one as a donor", responses=problem_responses(404))
@allow(SIGNED_IN)
def get_donor(services: Wired, caller: Caller) -> DonorDetail:
    """The caller's own record; `404` for somebody who is no donor."""
    view = find_own_donor(services, caller)
    if view is None:
        raise NotFoundError
    return donor_detail(view.donor, services.clock.now().date())


@router.put("/donor", summary="Register as a donor")
@allow(SIGNED_IN)
def put_donor(services: Wired, caller: Caller, body: DonorBody) -> DonorDetail:
    """Join the register, or replace what was said; what a laboratory found stays.

    A type that cannot be, or that contradicts itself, is refused with the part at fault.
    """
    given = body.last_given
    donor = register_donor(
        services,
        caller,
        DonorForm(
            declared=parse_phenotype(body.type),
            consents=frozenset(body.consents),
            born_on=body.born_on,
            sex=SEX_OF[body.sex],
            weight_kg=body.weight_kg,
            last_given=None if given is None else Donation(given.kind, given.on),
            kinds=frozenset(body.gives),
            travel_km=body.travel_km,
            rules=body.rules,
            contact=body.contact,
            point=point_of(body.position),
            town_id=body.town_id,
            family_code=body.family_code,
        ),
    )
    return donor_detail(donor, services.clock.now().date())


@router.delete("/donor", status_code=204, summary="Leave the register")
@allow(SIGNED_IN)
def delete_donor(services: Wired, caller: Caller) -> None:
    """Everything that is kept about the caller as a donor is erased at once."""
    erase_donor(services, caller)


@router.get("/donor/export", summary="Take one's data away", responses=problem_responses(404))
@allow(SIGNED_IN)
def export_donor(services: Wired, caller: Caller) -> dict[str, Any]:
    """Everything that is kept about the caller as a donor."""
    return export_own_donor(services, caller)


@router.put("/donor/rest", summary="Sleep, be away, wake", responses=problem_responses(404))
@allow(SIGNED_IN)
def rest_donor(services: Wired, caller: Caller, body: RestBody) -> DonorDetail:
    """Be asked by nobody for a while; an empty body wakes."""
    donor = sleep_donor(services, caller, asleep=body.asleep, away_until=body.away_until)
    return donor_detail(donor, services.clock.now().date())


@router.post("/donor/donations", summary="Say that one has given", responses=problem_responses(404))
@allow(SIGNED_IN)
def add_donation(services: Wired, caller: Caller, body: DonationBody) -> DonorDetail:
    """A donation anywhere; the answer tells when one may give again."""
    donor = defer_donor(services, caller, donation=Donation(body.kind, body.on))
    return donor_detail(donor, services.clock.now().date())


@router.post("/donor/deferrals", summary="Say what defers one", responses=problem_responses(404))
@allow(SIGNED_IN)
def add_deferral(services: Wired, caller: Caller, body: DeferralBody) -> DonorDetail:
    """Replaces what was said of the same reason."""
    donor = defer_donor(services, caller, reason=Reason(body.reason, body.over_on))
    return donor_detail(donor, services.clock.now().date())


@router.delete(
    "/donor/deferrals/{reason}",
    status_code=204,
    summary="That was a mistake",
    responses=problem_responses(404),
)
@allow(SIGNED_IN)
def delete_deferral(
    services: Wired, caller: Caller, reason: Annotated[str, Path(max_length=60)]
) -> None:
    """Take back a reason."""
    forget_deferral(services, caller, reason)


@router.put("/donor/family", summary="Join a family", responses=problem_responses(404))
@allow(SIGNED_IN)
def put_family(services: Wired, caller: Caller, body: FamilyBody) -> DonorDetail:
    """Be asked first when a member of this family needs blood."""
    donor = join_family(services, caller, body.code)
    return donor_detail(donor, services.clock.now().date())


@router.delete(
    "/donor/family", status_code=204, summary="Leave a family", responses=problem_responses(404)
)
@allow(SIGNED_IN)
def delete_family(services: Wired, caller: Caller) -> None:
    """Belong to no family any more."""
    leave_family(services, caller)
