"""Send a sighting of a published person."""

from typing import Any

from starlette.responses import Response

from reunite.app.access import SIGNED_IN
from reunite.app.report_sighting import SightingReport, report_sighting
from reunite.app.view_case import CaseView, get_case
from reunite.kernel.errors import ConflictError, NotFoundError, ReuniteError
from reunite.web.forms import Form, at_field
from reunite.web.page import Page
from reunite.web.pages.cases import shown_photo
from reunite.web.routing import Pages
from reunite.web.towns import read_place

routes = Pages()


@routes.get("/cases/{reference}/sighting", access=SIGNED_IN)
def show_sighting(page: Page, reference: str) -> Response:
    """The form; ``probe`` brings the photo of a face-find along."""
    view = _public_case(page, reference)
    form = Form.of(seen_at=page.formats.local_input(page.now), probe=page.query("probe") or None)
    return page.render("sightings/form.html", form=form, **_extras(view))


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
        return page.refuse("sightings/form.html", error, **_extras(view))
    return page.redirect(f"/cases/{view.case.reference}/sighting/thanks")


@routes.get("/cases/{reference}/sighting/thanks", access=SIGNED_IN)
def thanks(page: Page, reference: str) -> Response:
    """What happens with a sighting now."""
    return page.render("sightings/thanks.html", **_extras(_public_case(page, reference)))


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
    )


def _public_case(page: Page, reference: str) -> CaseView:
    view = get_case(page.services, page.actor, reference.upper())
    if view.case.is_public:
        return view
    if not view.case.is_open:
        raise ConflictError("case_closed", status=view.case.status.value)
    raise NotFoundError


def _extras(view: CaseView) -> dict[str, Any]:
    return {"case": view.case, "photo_id": shown_photo(view)}
