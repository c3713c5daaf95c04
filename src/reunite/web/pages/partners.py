"""Partners: their keys, whom we pull from, webhooks, and alerts of others; for administrators."""

from typing import Any

from starlette.responses import Response

from reunite.app.access import ADMIN_ONLY
from reunite.app.api_keys import (
    KeyRequest,
    add_key,
    list_key_uses,
    list_keys,
    revoke_key,
    rotate_key,
)
from reunite.app.exchange_records import list_repositories
from reunite.app.take_alert import list_received_alerts
from reunite.app.webhooks import list_webhooks
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import AccountId, ApiKeyId
from reunite.partners.keys import DEFAULT_REQUESTS_PER_MINUTE, Scope
from reunite.web.forms import Form
from reunite.web.page import Page
from reunite.web.routing import Pages

routes = Pages()

USES_SHOWN = 50


@routes.get("/admin/partners", access=ADMIN_ONLY)
def show_partners(page: Page) -> Response:
    """Everything that connects us with other registries."""
    return page.render("admin/partners.html", **_extras(page))


@routes.get("/admin/partners/keys/{key_id:int}", access=ADMIN_ONLY)
def show_uses(page: Page, key_id: int) -> Response:
    """What was done with a key."""
    uses = list_key_uses(page.services, page.actor, ApiKeyId(key_id), USES_SHOWN)
    return page.render("admin/key_uses.html", uses=uses, key_id=key_id)


@routes.post("/admin/partners/keys", access=ADMIN_ONLY)
def submit_key(page: Page) -> Response:
    """Make a key; the page that answers shows its secret, this once."""
    form = page.form
    try:
        made = add_key(
            page.services,
            page.actor,
            KeyRequest(
                name=form.required("name"),
                scopes=form.choices("scopes", Scope),
                account_id=AccountId(form.integer("account") or 0)
                if form.text("account")
                else _own(page),
                domain=form.text("domain"),
                publication_agreed=form.flag("publication_agreed"),
                photos_agreed=form.flag("photos_agreed"),
                requests_per_minute=form.integer("requests_per_minute")
                or DEFAULT_REQUESTS_PER_MINUTE,
            ),
        )
    except ReuniteError as error:
        return page.refuse("admin/partners.html", error, **_extras(page))
    page.form = Form()
    return page.render("admin/partners.html", **_extras(page, made.secret))


@routes.post("/admin/partners/keys/{key_id:int}/rotate", access=ADMIN_ONLY)
def submit_rotation(page: Page, key_id: int) -> Response:
    """A new secret; the old one goes on for a day."""
    try:
        made = rotate_key(page.services, page.actor, ApiKeyId(key_id))
    except ReuniteError as error:
        return page.refuse("admin/partners.html", error, **_extras(page))
    return page.render("admin/partners.html", **_extras(page, made.secret))


@routes.post("/admin/partners/keys/{key_id:int}/revoke", access=ADMIN_ONLY)
def submit_revocation(page: Page, key_id: int) -> Response:
    """End a key at once."""
    revoke_key(page.services, page.actor, ApiKeyId(key_id))
    return page.redirect("/admin/partners")


def _own(page: Page) -> AccountId:
    return AccountId(0) if page.actor is None else page.actor.account_id


def _extras(page: Page, secret: str = "") -> dict[str, Any]:
    listed = list_keys(page.services, page.actor)
    return {
        "keys": listed.keys,
        "uses": listed.uses,
        "secret": secret,
        "scopes": [(scope.value, scope) for scope in Scope],
        "default_limit": DEFAULT_REQUESTS_PER_MINUTE,
        "repositories": list_repositories(page.services, page.actor),
        "webhooks": list_webhooks(page.services, page.actor),
        "alerts": list_received_alerts(page.services, page.actor)[:20],
    }
