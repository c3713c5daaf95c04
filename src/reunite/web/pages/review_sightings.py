"""Triage of sightings: pass them on to those who search, or set them aside."""

from functools import partial
from typing import Any

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.list_queues import Urgency, list_waiting_sightings
from reunite.app.triage_sighting import (
    answer_sighting,
    decide_sighting,
    list_sightings_of_case,
)
from reunite.app.view_case import get_case
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import InvalidInputError, ReuniteError
from reunite.kernel.ids import SightingId
from reunite.web.durations import Spans
from reunite.web.page import Page
from reunite.web.routing import Pages
from reunite.web.sighting_words import sighting_reason

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


@routes.post("/review/sightings/{sighting_id:int}/answer", access=STAFF_ONLY)
def submit_answer(page: Page, sighting_id: int) -> Response:
    """A reviewer's words to the reporter."""
    try:
        answer_sighting(page.services, page.actor, SightingId(sighting_id), page.form.text("reply"))
    except InvalidInputError as error:
        extras = _extras(page, "") | {"answering": sighting_id}
        return page.refuse("review/sightings.html", error, **extras)
    return page.redirect("/review/sightings?done=answered")


@routes.get("/review/cases/{reference}/sightings", access=STAFF_ONLY)
def show_sightings_of_case(page: Page, reference: str) -> Response:
    """Everything that was seen of one person, on a map with its time."""
    view = get_case(page.services, page.actor, reference.upper())
    sightings = list_sightings_of_case(page.services, page.actor, view.case.reference)
    return page.render(
        "review/case_sightings.html",
        case=view.case,
        sightings=sightings,
        placed=any(one.sighting.place for one in sightings),
    )


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
        "done": done if done in {*SightingStatus, "answered"} else "",
        "answering": None,
        "sighting_reason": partial(sighting_reason, page),
        "spans": Spans(page.language, page.now),
        "SightingStatus": SightingStatus,
        "Urgency": Urgency,
    }
