"""A case as a small frame for other sites, e.g. for their pages that are not found.

It has a policy of its own: everybody may frame it, and nothing in it runs.  When the case
closes, the frame says so and shows nobody.
"""

import random

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.app.view_case import get_case, list_public_cases
from reunite.kernel.errors import NotFoundError
from reunite.kernel.people import Module, Side
from reunite.web.page import Page
from reunite.web.pages.cases import shown_photo
from reunite.web.routing import Pages

routes = Pages()

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors *"
)
# Short: a frame must be gone soon after its case has closed.
CACHE = "max-age=60"
PEOPLE = frozenset({Module.CHILD, Module.ELDER})


@routes.get("/widget", access=PUBLIC)
def show_somebody(page: Page) -> Response:
    """Somebody who is missing, another one each time."""
    cards = list_public_cases(
        page.services, modules=PEOPLE, sides=frozenset({Side.MISSING}), limit=50
    ).cards
    if not cards:
        return _framed(page.render("widget.html", case=None, photo=None, status=404))
    card = random.choice(cards)  # noqa: S311  (nothing depends on its being unpredictable)
    photo = None if card.photo is None else card.photo.id
    return _framed(page.render("widget.html", case=card.case, photo=photo), cache="no-store")


@routes.get("/widget/{reference}", access=PUBLIC)
def show_case(page: Page, reference: str) -> Response:
    """One case; 410 once it is over, 404 for one that is not public."""
    try:
        view = get_case(page.services, None, reference.upper())
    except NotFoundError as error:
        status = 410 if error.code == "case_over" else 404
        return _framed(page.render("widget.html", case=None, photo=None, status=status))
    return _framed(page.render("widget.html", case=view.case, photo=shown_photo(view)))


def _framed(response: Response, cache: str = CACHE) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = cache
    return response
