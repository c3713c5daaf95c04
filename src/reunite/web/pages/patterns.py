"""Every building block on one page, for those who work on the design."""

from starlette.responses import Response

from reunite.app.access import STAFF_ONLY
from reunite.kernel.errors import InvalidInputError
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/_patterns", access=STAFF_ONLY)
def patterns(page: Page) -> Response:
    """Fields, buttons, cards, badges."""
    form = Form.of(name="Lin", story="…")
    form.error = InvalidInputError("required", field="place_label")
    form.message = page.message(form.error)
    return page.render("patterns.html", form=form)
