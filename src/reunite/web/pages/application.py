"""What makes the pages an application that can be installed: manifest, service worker, shell."""

import hashlib
import json

from starlette.responses import Response

from reunite.app.access import PUBLIC
from reunite.kernel.languages import Language
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

# In this order.  One that is not among the static files is left out.
WORKER_SCRIPTS = ("js/service-worker.js", "js/sw-sightings.js")
SHELL_FILES = ("app.css", "logo.svg", "icons.svg", "icons/icon-192.png")
ICONS = (
    ("icons/icon-192.png", "192x192", "any"),
    ("icons/icon-512.png", "512x512", "any"),
    ("icons/maskable-512.png", "512x512", "maskable"),
)


@routes.get("/sw.js", access=PUBLIC, localised=False)
def service_worker(page: Page) -> Response:
    """The service worker.  At the root, because it may serve no more than what lies below it."""
    assets = page.web.assets
    offline = {language.value: f"/{language.value}/offline" for language in Language}
    shell = [assets.url(name) for name in SHELL_FILES]
    scripts = [assets.url(name) for name in WORKER_SCRIPTS if name in assets]
    version = hashlib.sha256(" ".join([*shell, *scripts]).encode()).hexdigest()[:12]
    said = {
        "version": version,
        "shell": [*offline.values(), *shell],
        "offline": offline,
        "icon": assets.url("icons/icon-192.png"),
        "badge": assets.url("icons/badge-96.png"),
        "push": page.url("/volunteer/channels/push"),
        "name": "Reunite",
    }
    script = "".join(
        [
            f"self.REUNITE = {json.dumps(said)};\n",
            *(f"importScripts({json.dumps(address)});\n" for address in scripts),
        ]
    )
    return Response(
        script, media_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


@routes.get("/manifest.webmanifest", access=PUBLIC)
def manifest(page: Page) -> Response:
    """What an installed application is called and looks like (W3C Web Application Manifest)."""
    translations = page.web.renderers[page.language].translations
    said = {
        "id": "/",
        "name": translations.gettext("Reunite"),
        "short_name": translations.gettext("Reunite"),
        "description": translations.gettext("Bring lost people home."),
        "lang": page.language.value,
        "start_url": page.url("/"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbf7f2",
        "theme_color": "#b3441e",
        "icons": [
            {
                "src": page.web.assets.url(name),
                "sizes": sizes,
                "type": "image/png",
                "purpose": purpose,
            }
            for name, sizes, purpose in ICONS
        ],
        "shortcuts": [
            {"name": translations.gettext("Find by photo"), "url": page.url("/find")},
            {"name": translations.gettext("Inbox"), "url": page.url("/inbox")},
        ],
    }
    return Response(
        json.dumps(said, ensure_ascii=False),
        media_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )


@routes.get("/offline", access=PUBLIC)
def offline_page(page: Page) -> Response:
    """What a reader sees without a connection; kept by the service worker, so nobody's own."""
    return page.render("offline.html")
