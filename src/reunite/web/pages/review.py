"""Where reviewers begin: everything that waits for them."""

from collections.abc import Sequence

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.list_queues import (
    Urgency,
    list_waiting_cases,
    list_waiting_leads,
    list_waiting_sightings,
)
from reunite.kernel.ids import CaseId
from reunite.web.durations import Spans
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

SHOWN_OF_QUEUE = 6
# One more than is counted: "50+" is as much as anybody needs to know.
COUNTED_OF_QUEUE = 51


@routes.get("/review", access=STAFF_ONLY)
def dashboard(page: Page) -> Response:
    """Reports, leads and sightings that wait, the most urgent first."""
    before = page.query_form().integer("before")
    leads = list_waiting_leads(page.services, page.actor, limit=COUNTED_OF_QUEUE)
    sightings = list_waiting_sightings(page.services, page.actor, limit=COUNTED_OF_QUEUE)
    return page.render(
        "review/dashboard.html",
        cases=list_waiting_cases(
            page.services, page.actor, None if before is None else CaseId(before)
        ),
        is_first_page=before is None,
        leads=leads[:SHOWN_OF_QUEUE],
        leads_count=_count(leads),
        sightings=sightings[:SHOWN_OF_QUEUE],
        sightings_count=_count(sightings),
        spans=Spans(page.language, page.now),
        Urgency=Urgency,
    )


def _count(items: Sequence[object]) -> str:
    most = COUNTED_OF_QUEUE - 1
    return f"{most}+" if len(items) > most else str(len(items))
