"""Send a sighting of a published person, and see what became of one's own."""

import secrets
from typing import Any

from starlette.responses import Response

from reunite.app.access import SIGNED_IN
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.triage_sighting import list_own_sightings
from reunite.app.view_case import CaseView, get_case
from reunite.kernel.errors import ConflictError, NotFoundError, ReuniteError
from reunite.kernel.people import Side
from reunite.kernel.places import nearest_town
from reunite.web.forms import Form, at_field
from reunite.web.page import Page
from reunite.web.pages.cases import shown_photo
from reunite.web.routing import Pages
from reunite.web.towns import read_place

routes = Pages()

CLIENT_KEY_BYTES = 16


@routes.get("/cases/{reference}/sighting", access=SIGNED_IN)
def show_sighting(page: Page, reference: str) -> Response:
    """The form; ``probe`` brings the photo of a face-find along."""
    view = _public_case(page, reference)
    form = Form.of(seen_at=page.formats.local_input(page.now), probe=page.query("probe") or None)
    return page.render("sightings/form.html", form=form, **_extras(page, view))


@routes.post("/cases/{reference}/sighting", access=SIGNED_IN)
def submit_sighting(page: Page, reference: str) -> Response:
    """Put it into the reviewers' queue."""
    view = _public_case(page, reference)
    try:
        report_sighting(page.services, page.actor, view.case.reference, _read(page))
    except ReuniteError as error:
        if error.code == "search_expired":
            error.details["field"] = "photo"
            page.form.values = {k: v for k, v in page.form.values.items() if k != "probe"}
        return page.refuse("sightings/form.html", error, **_extras(page, view))
    return page.redirect(f"/cases/{view.case.reference}/sighting/thanks")


@routes.get("/cases/{reference}/sighting/thanks", access=SIGNED_IN)
def thanks(page: Page, reference: str) -> Response:
    """What happens with a sighting now."""
    return page.render("sightings/thanks.html", **_extras(page, _public_case(page, reference)))


@routes.get("/my/sightings", access=SIGNED_IN)
def own_sightings(page: Page) -> Response:
    """What the reader has sent, and what reviewers answered."""
    return page.render(
        "sightings/own.html", sightings=list_own_sightings(page.services, page.actor)
    )


def _read(page: Page) -> SightingReport:
    form = page.form
    with at_field("place"):
        place, label = read_place(form, page.services.settings.country, page.language)
    seen_at = form.moment("seen_at", page.settings.zone)
    return SightingReport(
        # Left empty it is now: whoever stands before the person has no time to type.
        seen_at=page.now if seen_at is None else seen_at,
        place=place,
        place_label=label,
        text=form.text("text"),
        photo=form.upload("photo"),
        probe_token=form.text("probe") or None,
        client_key=form.text("client_key") or None,
    )


def _public_case(page: Page, reference: str) -> CaseView:
    view = get_case(page.services, page.actor, reference.upper())
    if view.case.is_public:
        return view
    if not view.case.is_open:
        raise ConflictError("case_closed", status=view.case.status.value)
    raise NotFoundError


def _extras(page: Page, view: CaseView) -> dict[str, Any]:
    place = view.case.circumstances.place
    # Where a found person is, is nobody's business: their map starts in the middle of the town.
    if place is not None and view.case.side is Side.FOUND and not view.sees_all:
        place = nearest_town(place, page.services.settings.country).point
    return {
        "case": view.case,
        "photo_id": shown_photo(view),
        "map_start": place,
        "new_key": secrets.token_urlsafe(CLIENT_KEY_BYTES),
    }
