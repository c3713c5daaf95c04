"""Who may call which page.  A route that is not in this table fails; so does one too many."""

import pytest

from reunite.accounts.account import Actor
from reunite.app.access import ADMIN_ONLY, PUBLIC, SIGNED_IN, STAFF_ONLY, Access
from reunite.web.routing import PageRoute
from reunite.web.settings import WebSettings
from tests.unit.app.world import World
from tests.unit.web.conftest import Site, make_site

MATRIX: dict[tuple[str, str], Access] = {
    ("GET", "/"): PUBLIC,
    ("GET", "/~"): PUBLIC,
    ("GET", "/~/"): PUBLIC,
    ("GET", "/~/admin/partners"): ADMIN_ONLY,
    ("POST", "/~/admin/partners/keys"): ADMIN_ONLY,
    ("GET", "/~/admin/partners/keys/{key_id:int}"): ADMIN_ONLY,
    ("POST", "/~/admin/partners/keys/{key_id:int}/rotate"): ADMIN_ONLY,
    ("POST", "/~/admin/partners/keys/{key_id:int}/revoke"): ADMIN_ONLY,
    ("GET", "/~/widget"): PUBLIC,
    ("GET", "/~/widget/{reference}"): PUBLIC,
    ("GET", "/~/cases"): PUBLIC,
    ("GET", "/~/cases/{reference}"): PUBLIC,
    ("GET", "/~/cases/{reference}/poster"): PUBLIC,
    ("GET", "/~/report/{side}"): SIGNED_IN,
    ("POST", "/~/report/{side}"): SIGNED_IN,
    ("GET", "/~/towns"): PUBLIC,
    ("GET", "/~/towns/around"): PUBLIC,
    ("GET", "/~/my/cases"): SIGNED_IN,
    ("GET", "/~/cases/{reference}/photos"): SIGNED_IN,
    ("POST", "/~/cases/{reference}/photos"): SIGNED_IN,
    ("GET", "/~/photos/{photo_id:int}/face"): SIGNED_IN,
    ("POST", "/~/photos/{photo_id:int}/face"): SIGNED_IN,
    ("GET", "/~/cases/{reference}/withdraw"): SIGNED_IN,
    ("POST", "/~/cases/{reference}/withdraw"): SIGNED_IN,
    ("GET", "/~/find"): PUBLIC,
    ("POST", "/~/find"): SIGNED_IN,
    ("GET", "/~/find/{token}"): SIGNED_IN,
    ("POST", "/~/find/{token}"): SIGNED_IN,
    ("GET", "/~/find/{token}/face"): SIGNED_IN,
    ("GET", "/~/find/{token}/photos"): SIGNED_IN,
    ("POST", "/~/find/{token}/photos"): SIGNED_IN,
    ("POST", "/~/find/{token}/photos/drop"): SIGNED_IN,
    ("POST", "/~/find/{token}/aside"): SIGNED_IN,
    ("GET", "/photos/{photo_id:int}/{variant}.jpg"): PUBLIC,
    ("GET", "/previews/{preview_id:int}.jpg"): PUBLIC,
    ("POST", "/~/review/previews/{preview_id:int}"): STAFF_ONLY,
    ("GET", "/find/{token}/{variant}.jpg"): SIGNED_IN,
    ("GET", "/sightings/{sighting_id:int}/{variant}.jpg"): STAFF_ONLY,
    ("GET", "/~/cases/{reference}/sighting"): SIGNED_IN,
    ("POST", "/~/cases/{reference}/sighting"): SIGNED_IN,
    ("GET", "/~/cases/{reference}/sighting/thanks"): SIGNED_IN,
    ("GET", "/~/volunteer"): SIGNED_IN,
    ("POST", "/~/volunteer"): SIGNED_IN,
    ("POST", "/~/volunteer/leave"): SIGNED_IN,
    ("GET", "/~/volunteer/channels"): SIGNED_IN,
    ("POST", "/~/volunteer/channels"): SIGNED_IN,
    ("GET", "/~/volunteer/channels/push"): SIGNED_IN,
    ("POST", "/~/volunteer/channels/try"): SIGNED_IN,
    ("POST", "/~/volunteer/channels/{address_id:int}/remove"): SIGNED_IN,
    ("GET", "/~/confirm/{token}"): PUBLIC,
    ("POST", "/~/confirm/{token}"): PUBLIC,
    ("GET", "/~/unsubscribe/{token}"): PUBLIC,
    ("POST", "/~/unsubscribe/{token}"): PUBLIC,
    ("GET", "/sw.js"): PUBLIC,
    ("GET", "/~/manifest.webmanifest"): PUBLIC,
    ("GET", "/~/offline"): PUBLIC,
    ("POST", "/~/volunteer/places"): SIGNED_IN,
    ("POST", "/~/volunteer/places/{kind}/forget"): SIGNED_IN,
    ("POST", "/~/volunteer/confirm"): SIGNED_IN,
    ("POST", "/~/volunteer/position"): SIGNED_IN,
    ("GET", "/~/volunteer/export"): SIGNED_IN,
    ("GET", "/~/inbox"): SIGNED_IN,
    ("GET", "/inbox/stream"): SIGNED_IN,
    ("GET", "/~/review"): STAFF_ONLY,
    ("GET", "/~/review/cases/{reference}"): STAFF_ONLY,
    ("GET", "/~/review/cases/{reference}/audience"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/audience"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/stop-widening"): STAFF_ONLY,
    ("GET", "/~/review/cases/{reference}/notices"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/verify"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/publish"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/resolve"): STAFF_ONLY,
    ("POST", "/~/review/cases/{reference}/withdraw"): STAFF_ONLY,
    ("GET", "/~/review/alerts/{notice_id:int}"): STAFF_ONLY,
    ("GET", "/review/alerts/{notice_id:int}/stream"): STAFF_ONLY,
    ("POST", "/~/review/alerts/{notice_id:int}/stop"): STAFF_ONLY,
    ("POST", "/~/review/alerts/{notice_id:int}/news"): STAFF_ONLY,
    ("GET", "/~/review/leads"): STAFF_ONLY,
    ("GET", "/~/review/leads/{lead_id:int}"): STAFF_ONLY,
    ("POST", "/~/review/leads/{lead_id:int}"): STAFF_ONLY,
    ("GET", "/~/review/duplicates"): STAFF_ONLY,
    ("GET", "/~/review/duplicates/{duplicate_id:int}"): STAFF_ONLY,
    ("POST", "/~/review/duplicates/{duplicate_id:int}"): STAFF_ONLY,
    ("GET", "/~/review/sightings"): STAFF_ONLY,
    ("GET", "/~/review/cases/{reference}/sightings"): STAFF_ONLY,
    ("POST", "/~/review/sightings/{sighting_id:int}/answer"): STAFF_ONLY,
    ("GET", "/~/my/sightings"): SIGNED_IN,
    ("POST", "/~/review/sightings/{sighting_id:int}"): STAFF_ONLY,
    ("GET", "/~/my/people"): SIGNED_IN,
    ("POST", "/~/my/people"): SIGNED_IN,
    ("GET", "/~/my/people/{token}"): SIGNED_IN,
    ("GET", "/~/my/people/{token}/card"): SIGNED_IN,
    ("POST", "/~/my/people/{token}/alarm"): SIGNED_IN,
    ("POST", "/~/my/people/{token}/delete"): SIGNED_IN,
    ("GET", "/~/card/{token}"): PUBLIC,
    ("POST", "/~/card/{token}"): PUBLIC,
    ("GET", "/~/station"): STAFF_ONLY,
    ("POST", "/~/station"): STAFF_ONLY,
    ("GET", "/~/sign-in"): PUBLIC,
    ("POST", "/~/sign-in"): PUBLIC,
    ("GET", "/~/register"): PUBLIC,
    ("POST", "/~/register"): PUBLIC,
    ("POST", "/~/sign-out"): SIGNED_IN,
    ("GET", "/~/admin/accounts"): ADMIN_ONLY,
    ("GET", "/~/admin/dead-letters"): ADMIN_ONLY,
    ("POST", "/~/admin/dead-letters"): ADMIN_ONLY,
    ("POST", "/~/admin/accounts/{account_id:int}"): ADMIN_ONLY,
    ("GET", "/~/blood"): PUBLIC,
    ("GET", "/~/blood/sources"): PUBLIC,
    ("GET", "/~/blood/donor"): SIGNED_IN,
    ("POST", "/~/blood/donor"): SIGNED_IN,
    ("GET", "/~/blood/donor/edit"): SIGNED_IN,
    ("POST", "/~/blood/donor/sleep"): SIGNED_IN,
    ("POST", "/~/blood/donor/deferral"): SIGNED_IN,
    ("POST", "/~/blood/donor/deferral/forget"): SIGNED_IN,
    ("POST", "/~/blood/donor/family"): SIGNED_IN,
    ("POST", "/~/blood/donor/claims/{claim_id:int}"): SIGNED_IN,
    ("GET", "/~/blood/donor/leave"): SIGNED_IN,
    ("POST", "/~/blood/donor/leave"): SIGNED_IN,
    ("GET", "/~/blood/donor/export"): SIGNED_IN,
    ("GET", "/~/blood/centre"): STAFF_ONLY,
    ("POST", "/~/blood/centre/donors"): STAFF_ONLY,
    ("GET", "/~/blood/centre/donors/{donor_id:int}"): STAFF_ONLY,
    ("POST", "/~/blood/centre/donors/{donor_id:int}/type"): STAFF_ONLY,
    ("POST", "/~/blood/centre/donors/{donor_id:int}/deferral"): STAFF_ONLY,
    ("POST", "/~/blood/centre/donors/{donor_id:int}/family"): STAFF_ONLY,
    ("POST", "/~/blood/centre/donors/{donor_id:int}/release"): STAFF_ONLY,
    ("GET", "/~/blood/centre/claims"): STAFF_ONLY,
    ("POST", "/~/blood/centre/claims/{claim_id:int}"): STAFF_ONLY,
    ("GET", "/~/blood/centre/import"): STAFF_ONLY,
    ("POST", "/~/blood/centre/import"): STAFF_ONLY,
    ("GET", "/~/blood/centre/export/{name}"): STAFF_ONLY,
    ("GET", "/~/admin/centres"): ADMIN_ONLY,
    ("POST", "/~/admin/centres"): ADMIN_ONLY,
    ("POST", "/~/admin/centres/{centre_id:int}"): ADMIN_ONLY,
    ("GET", "/~/blood/compatibility"): PUBLIC,
    ("GET", "/~/blood/again"): PUBLIC,
    ("POST", "/~/blood/again"): PUBLIC,
    ("GET", "/~/blood/requests"): STAFF_ONLY,
    ("GET", "/~/blood/requests/new"): STAFF_ONLY,
    ("POST", "/~/blood/requests/new"): STAFF_ONLY,
    ("GET", "/~/blood/requests/{reference}"): STAFF_ONLY,
    ("GET", "/blood/requests/{reference}/stream"): STAFF_ONLY,
    ("POST", "/~/blood/requests/{reference}/start"): STAFF_ONLY,
    ("POST", "/~/blood/requests/{reference}/units"): STAFF_ONLY,
    ("POST", "/~/blood/requests/{reference}/asks/{ask_id:int}"): STAFF_ONLY,
    ("POST", "/~/blood/requests/{reference}/asks/{ask_id:int}/contact"): STAFF_ONLY,
    ("GET", "/~/blood/requests/{reference}/donors"): STAFF_ONLY,
    ("POST", "/~/blood/requests/{reference}/close"): STAFF_ONLY,
    ("POST", "/~/blood/calls/{ask_id:int}"): STAFF_ONLY,
    ("GET", "/~/blood/asks"): SIGNED_IN,
    ("GET", "/~/blood/asks/{reference}"): SIGNED_IN,
    ("POST", "/~/blood/asks/{reference}"): SIGNED_IN,
    ("GET", "/~/blood/stock"): STAFF_ONLY,
    ("POST", "/~/blood/stock"): STAFF_ONLY,
    ("GET", "/~/statistics"): PUBLIC,
    ("GET", "/~/about"): PUBLIC,
    ("GET", "/~/_patterns"): STAFF_ONLY,
}
NUMBERS = (
    "duplicate_id",
    "photo_id",
    "sighting_id",
    "lead_id",
    "account_id",
    "address_id",
    "notice_id",
    "key_id",
    "preview_id",
    "claim_id",
    "donor_id",
    "centre_id",
    "ask_id",
)
# Mail programs send them (RFC 8058); the token in the address is the proof.
FROM_OTHER_PROGRAMS = {"/~/unsubscribe/{token}"}
EXAMPLES = {
    "reference": "7K3M9QX2TB",
    "token": "x",
    "variant": "full",
    "side": "missing",
    "kind": "work",
    "name": "donors.csv",
}
# They answer as long as the reader's page is open.
STREAMS = {"/inbox/stream"}


@pytest.fixture
def site() -> Site:
    return make_site(WebSettings(patterns_page=True))


def routes(site: Site) -> dict[tuple[str, str], PageRoute]:
    found = {}
    for route in site.app.routes:
        if isinstance(route, PageRoute):
            method = "POST" if "POST" in (route.methods or ()) else "GET"
            found[method, route.path.replace("{language:language}", "~")] = route
    return found


def test_every_route_is_in_the_table(site: Site) -> None:
    assert {where: route.access for where, route in routes(site).items()} == MATRIX


def people(world: World) -> list[Actor | None]:
    return [None, world.family, world.volunteer, world.reviewer, world.officer, world.admin]


def admitted(access: Access, actor: Actor | None) -> bool:
    return access.roles is None or (actor is not None and actor.role in access.roles)


@pytest.mark.parametrize(("method", "path"), sorted(MATRIX))
def test_each_role_is_let_in_or_kept_out(site: Site, method: str, path: str) -> None:
    access = MATRIX[method, path]
    address = path.replace("~", "en")
    for name, example in EXAMPLES.items():
        address = address.replace(f"{{{name}}}", example)
    for name in NUMBERS:
        address = address.replace(f"{{{name}:int}}", "1")
    for actor in people(site.world):
        if admitted(access, actor) and path in STREAMS:
            continue
        reader = site.reader(actor)
        answer = reader.get(address) if method == "GET" else reader.post(address)
        sent_to_sign_in = answer.headers.get("location", "").startswith("/en/sign-in?next=")
        if admitted(access, actor):
            assert not sent_to_sign_in
            assert "may not do this" not in answer.text
            assert answer.status_code < 500, (actor, answer.text)
        elif actor is None and method == "GET":
            # Addresses without a language lead to the sign-in of the default one.
            assert answer.status_code == 303
            assert "/sign-in?next=" in answer.headers["location"]
        else:
            assert answer.status_code == 403


def test_only_these_forms_need_no_token(site: Site) -> None:
    free = {path for (_, path), route in routes(site).items() if not route.own_pages_only}
    assert free == FROM_OTHER_PROGRAMS


@pytest.mark.parametrize(
    "path", sorted({p for m, p in MATRIX if m == "POST"} - FROM_OTHER_PROGRAMS)
)
def test_no_form_is_accepted_without_its_token(site: Site, path: str) -> None:
    address = path.replace("~", "en")
    for name, example in EXAMPLES.items():
        address = address.replace(f"{{{name}}}", example)
    for name in NUMBERS:
        address = address.replace(f"{{{name}:int}}", "1")
    answer = site.reader(site.world.admin).client.post(address)
    assert answer.status_code == 403
    assert "For your safety" in answer.text
