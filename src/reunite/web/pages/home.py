"""The way in: what Reunite is, and who is being looked for."""

from starlette.responses import RedirectResponse, Response

from reunite.app.access import PUBLIC
from reunite.app.count_outcomes import Statistics, count_outcomes
from reunite.app.view_case import list_public_cases
from reunite.kernel.ids import CaseId
from reunite.kernel.people import Module, Side
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

HOME_CASES = 8
PAGE_CASES = 24
STATISTICS_SECONDS = 15.0


@routes.get("/", access=PUBLIC, localised=False)
def choose_language(page: Page) -> Response:
    """Send the reader to their language."""
    return RedirectResponse(page.url("/"), status_code=303, headers={"Vary": "Accept-Language"})


@routes.get("", access=PUBLIC)
def home_without_slash(page: Page) -> Response:
    """The home page has one address."""
    return RedirectResponse(page.url("/"), status_code=308)


@routes.get("/", access=PUBLIC)
def home(page: Page) -> Response:
    """What Reunite is, two ways to start, and the newest cases."""
    return page.render(
        "home.html",
        listing=list_public_cases(page.services, sides=frozenset({Side.MISSING}), limit=HOME_CASES),
        statistics=_recent_statistics(page),
    )


@routes.get("/cases", access=PUBLIC)
def list_cases(page: Page) -> Response:
    """Published cases, by module and side, a page at a time."""
    wanted = page.query_form()
    return page.render(
        "cases.html",
        listing=list_public_cases(
            page.services,
            modules=wanted.choices("module", Module),
            sides=wanted.choices("side", Side),
            before=_case_id(wanted, "before"),
            limit=PAGE_CASES,
        ),
        form=wanted,
    )


def _recent_statistics(page: Page) -> Statistics:
    """The figures, at most some seconds old: counting millions of rows is not for every visitor."""
    state = page.request.app.state
    at, held = getattr(state, "statistics", (float("-inf"), None))
    now = page.services.clock.now().timestamp()
    if held is None or now - at >= STATISTICS_SECONDS:
        held = count_outcomes(page.services)
        state.statistics = (now, held)
    return held


def _case_id(form: Form, name: str) -> CaseId | None:
    number = form.integer(name)
    return None if number is None else CaseId(number)
