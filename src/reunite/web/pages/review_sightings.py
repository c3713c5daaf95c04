"""Triage of sightings: pass them on to those who search, or set them aside."""

from typing import Any

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.list_queues import Urgency, list_waiting_sightings
from reunite.app.triage_sighting import decide_sighting
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import SightingId
from reunite.web.durations import Spans
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

PAGE_SIGHTINGS = 20


@routes.get("/review/sightings", access=STAFF_ONLY)
def show_sightings(page: Page) -> Response:
    """Sightings that wait, or those that were passed on or set aside."""
    return page.render("review/sightings.html", **_extras(page, page.query_form().text("status")))


@routes.post("/review/sightings/{sighting_id:int}", access=STAFF_ONLY)
def submit_decision(page: Page, sighting_id: int) -> Response:
    """A reviewer's word on one sighting."""
    try:
        status = page.form.choice("status", SightingStatus)
        if status is SightingStatus.NEW:
            raise InvalidInputError("choice_unknown", field="status")
        decide_sighting(page.services, page.actor, SightingId(sighting_id), status)
    except ReuniteError as error:
        return page.refuse("review/sightings.html", error, **_extras(page, ""))
    return page.redirect(f"/review/sightings?done={status.value}")


def _extras(page: Page, wanted: str) -> dict[str, Any]:
    status = next((one for one in SightingStatus if one.value == wanted), SightingStatus.NEW)
    offset = max(0, page.query_form().integer("offset") or 0)
    waiting = list_waiting_sightings(
        page.services, page.actor, status, limit=PAGE_SIGHTINGS + 1, offset=offset
    )
    done = page.query("done")
    return {
        "sightings": waiting[:PAGE_SIGHTINGS],
        "next_offset": offset + PAGE_SIGHTINGS if len(waiting) > PAGE_SIGHTINGS else None,
        "shown": status,
        "done": done if done in set(SightingStatus) else "",
        "spans": Spans(page.language, page.now),
        "SightingStatus": SightingStatus,
        "Urgency": Urgency,
    }
