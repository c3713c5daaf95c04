"""What Reunite does with faces and places, in plain words."""

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.cases.retention import PHOTO_RETENTION
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()


@routes.get("/about", access=PUBLIC)
def about(page: Page) -> Response:
    """What is stored, who sees it, when it is gone."""
    return page.render(
        "about.html",
        retention_days=PHOTO_RETENTION.days,
        probe_hours=int(page.services.settings.probe_ttl.total_seconds() // 3600),
    )
