"""Numbers, with what brought each outcome about."""

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.app.count_outcomes import count_outcomes
from reunite.cases.case import Outcome, ResolutionCause
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/statistics", access=PUBLIC)
def statistics(page: Page) -> Response:
    """Counted now, module by module."""
    return page.render(
        "statistics.html",
        statistics=count_outcomes(page.services),
        causes=[c for c in ResolutionCause if c is not ResolutionCause.MISTAKEN_REPORT],
        outcomes=[o for o in Outcome if o is not Outcome.NOT_MISSING],
    )
