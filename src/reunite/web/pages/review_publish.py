"""Publish a case: draw whom its alert is for, see how many that are, widen it or stop."""

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.app.publish_case import AlertPreview, preview_alert, publish_case
from reunite.app.widen_alert import stop_widening
from reunite.kernel.errors import ConflictError, ReuniteError
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.pages.review_case import render_case, take_step
from reunite.web.previews import digest_of, preview_extras, read_wish
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/review/cases/{reference}/audience", access=STAFF_ONLY)
def show_audience(page: Page, reference: str) -> Response:
    """How many volunteers an alert reaches: a part of the page for HTMX, else the page."""
    return _count(page, reference.upper(), page.query_form())


@routes.post("/review/cases/{reference}/audience", access=STAFF_ONLY)
def count_audience(page: Page, reference: str) -> Response:
    """The same for an area that is too long for an address."""
    return _count(page, reference.upper(), page.form)


@routes.post("/review/cases/{reference}/publish", access=STAFF_ONLY)
def submit_publish(page: Page, reference: str) -> Response:
    """Show it to everyone; ``alert`` says whether volunteers are told."""

    def publish() -> None:
        if not page.form.flag("alert"):
            publish_case(page.services, page.actor, reference.upper(), None)
            return
        page.form.required("radius_km")
        wish = read_wish(page.form)
        counted = page.form.text("counted")
        if counted and counted != digest_of(wish):
            # What the button said is not what would be done.
            raise ConflictError("audience_changed", field="radius_km")
        publish_case(page.services, page.actor, reference.upper(), None, wish)

    return take_step(page, reference, "publish", "published", publish)


@routes.post("/review/cases/{reference}/stop-widening", access=STAFF_ONLY)
def submit_stop_widening(page: Page, reference: str) -> Response:
    """No further waves."""
    stop_widening(page.services, page.actor, reference.upper())
    return page.redirect(f"/review/cases/{reference.upper()}")


def _count(page: Page, reference: str, form: Form) -> Response:
    preview: AlertPreview | None
    try:
        wish = read_wish(form)
        preview = preview_alert(page.services, page.actor, reference, wish=wish)
    except ReuniteError as error:
        form.error, form.message = error, page.message(error)
        preview = preview_alert(page.services, page.actor, reference)
    if page.request.headers.get("hx-request") == "true":
        return page.render(
            "review/_publish.html",
            form=form,
            reference=reference,
            **preview_extras(form, preview),
        )
    return render_case(page, reference, {"publish": form}, preview)
