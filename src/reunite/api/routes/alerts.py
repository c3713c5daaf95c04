"""Opt in to alerts, and read them."""

from typing import Annotated

from fastapi import APIRouter, Query

from reunite.api.access import AccessRoute, Caller, Wired, allow
from reunite.api.problems import problem_responses
from reunite.api.render import MODULE_OF, inbox_entry, volunteer_body
from reunite.api.routes.cases import point_of
from reunite.api.schemas.alerts import Inbox, VolunteerBody, VolunteerRequest
from reunite.app.access import SIGNED_IN
from reunite.app.join_alerts import JoinRequest, find_volunteer, join_alerts, leave_alerts
from reunite.app.read_inbox import count_unread, list_inbox, mark_read
from reunite.kernel.errors import NotFoundError

router = APIRouter(route_class=AccessRoute, tags=["Alerts"])


@router.get("/volunteer", summary="What one is told about", responses=problem_responses(404))
@allow(SIGNED_IN)
def get_volunteer(services: Wired, caller: Caller) -> VolunteerBody:
    """What the caller has opted in to; `404` for nothing."""
    volunteer = find_volunteer(services, caller)
    if volunteer is None:
        raise NotFoundError
    return volunteer_body(volunteer, services.settings.country)


@router.put("/volunteer", summary="Opt in")
@allow(SIGNED_IN)
def put_volunteer(services: Wired, caller: Caller, body: VolunteerRequest) -> VolunteerBody:
    """Be told about people who are missed nearby; replaces what was said before."""
    volunteer = join_alerts(
        services,
        caller,
        JoinRequest(
            modules=frozenset(MODULE_OF[name] for name in body.modules),
            point=point_of(body.position),
            town_id=body.town_id,
        ),
    )
    return volunteer_body(volunteer, services.settings.country)


@router.delete("/volunteer", status_code=204, summary="Opt out")
@allow(SIGNED_IN)
def delete_volunteer(services: Wired, caller: Caller) -> None:
    """Be told nothing more; the place is forgotten."""
    leave_alerts(services, caller)


@router.get("/inbox", summary="Read the inbox")
@allow(SIGNED_IN)
def get_inbox(
    services: Wired, caller: Caller, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Inbox:
    """Notices, the newest first."""
    country = services.settings.country
    items = [inbox_entry(item, country) for item in list_inbox(services, caller, limit)]
    return Inbox(unread=count_unread(services, caller), items=items)


@router.post("/inbox/read", status_code=204, summary="Mark all notices as read")
@allow(SIGNED_IN)
def read_inbox(services: Wired, caller: Caller) -> None:
    """Nothing is new any more."""
    mark_read(services, caller)
