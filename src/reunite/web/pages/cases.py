"""One case: its page and its poster."""

import io

import segno
from markupsafe import Markup
from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.app.view_case import CaseView, get_case
from reunite.kernel.errors import NotFoundError
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/cases/{reference}", access=PUBLIC)
def show_case(page: Page, reference: str) -> Response:
    """Everything the reader may see of a case."""
    return page.render("case.html", view=get_case(page.services, page.actor, reference.upper()))


@routes.get("/cases/{reference}/poster", access=PUBLIC)
def poster(page: Page, reference: str) -> Response:
    """A sheet of A4 to print; its code leads to the case and dies with it."""
    view = get_case(page.services, page.actor, reference.upper())
    if not view.case.is_public:
        raise NotFoundError
    address = page.absolute(page.url(f"/cases/{view.case.reference}"))
    return page.render("poster.html", view=view, address=address, code=qr_code(address))


def shown_photo(view: CaseView) -> int | None:
    """The photo that stands for the case."""
    return next((photo.id for photo in view.photos if photo.chosen is not None), None)


def qr_code(text: str) -> Markup:
    """A QR code as an inline picture without styles, as the content policy demands."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=2,
        svgclass="qr",
        lineclass=None,
        nl=False,
    )
    return Markup(out.getvalue().decode())  # noqa: S704  (drawn by segno, not typed)
