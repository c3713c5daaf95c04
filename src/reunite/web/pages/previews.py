"""Illustrations of ageing: their pictures, and a reviewer's word on each."""

from starlette.responses import Response

from reunite.app.access import PUBLIC, STAFF_ONLY
from reunite.app.view_preview import approve_preview, get_preview_picture
from reunite.kernel.ids import PreviewId
from reunite.web.page import Page
from reunite.web.pages.pictures import picture
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/previews/{preview_id:int}.jpg", access=PUBLIC, localised=False)
def preview_picture(page: Page, preview_id: int) -> Response:
    """A computer illustration; ``view_preview`` decides who sees it."""
    jpeg, is_public = get_preview_picture(page.services, page.actor, PreviewId(preview_id))
    return picture(page, jpeg, is_public=is_public)


@routes.post("/review/previews/{preview_id:int}", access=STAFF_ONLY)
def submit_preview(page: Page, preview_id: int) -> Response:
    """Show it on the poster, or take it off."""
    reference = approve_preview(
        page.services, page.actor, PreviewId(preview_id), show=page.form.text("show") == "yes"
    )
    return page.redirect(f"/cases/{reference}#previews")
