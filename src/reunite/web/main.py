"""Put the pages together."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from reunite.app.services import Services
from reunite.app.throttle import Doorkeeper
from reunite.kernel.languages import Language
from reunite.web.assets import STATIC_DIR, Assets, CachedStaticFiles
from reunite.web.failures import handle_http_exception
from reunite.web.page import Web
from reunite.web.pages import ALL_PAGES, patterns
from reunite.web.rendering import Renderer
from reunite.web.routing import require_declared
from reunite.web.security import SecurityMiddleware
from reunite.web.settings import WebSettings


def create_web(
    services: Services,
    settings: WebSettings | None = None,
    doorkeeper: Doorkeeper | None = None,
) -> Starlette:
    """The application that serves all pages, pictures and static files.

    ``doorkeeper`` is to be that of the API where both are served.

    Raises TypeError where a route does not declare who may call it.
    """
    settings = settings or WebSettings()
    routes: list[BaseRoute] = [route for pages in ALL_PAGES for route in pages.routes]
    if settings.patterns_page:
        routes += patterns.routes.routes
    routes.append(Mount("/static", CachedStaticFiles(directory=STATIC_DIR), name="static"))
    require_declared(routes)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityMiddleware, max_body_bytes=settings.max_body_bytes)],
        exception_handlers={HTTPException: handle_http_exception},
    )
    assets = Assets()
    app.state.web = Web(
        services=services,
        settings=settings,
        renderers={language: Renderer(language, settings, assets) for language in Language},
        doorkeeper=doorkeeper or Doorkeeper(services.clock),
        assets=assets,
    )
    return app
