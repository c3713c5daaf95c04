"""Every operation says who may call it, and that is who is let in."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from reunite.accounts.account import Role
from reunite.api.access import AccessRoute, allow
from reunite.api.main import ROUTERS
from reunite.app.access import ADMIN_ONLY, PUBLIC, SIGNED_IN, STAFF_ONLY, Access
from tests.unit.api.conftest import Client

# Whoever adds an operation writes it down here, and somebody looks at it.
EXPECTED = {
    "POST /sessions": PUBLIC,
    "GET /sessions/current": SIGNED_IN,
    "DELETE /sessions": SIGNED_IN,
    "POST /accounts": PUBLIC,
    "GET /accounts": ADMIN_ONLY,
    "PATCH /accounts/{account_id}": ADMIN_ONLY,
    "GET /cases": PUBLIC,
    "GET /cases/mine": SIGNED_IN,
    "POST /cases": SIGNED_IN,
    "POST /cases/with-photo": SIGNED_IN,
    "GET /cases/{reference}": PUBLIC,
    "POST /cases/{reference}/photos": SIGNED_IN,
    "POST /cases/{reference}/withdrawal": SIGNED_IN,
    "GET /photos/{photo_id}": SIGNED_IN,
    "PUT /photos/{photo_id}/face": SIGNED_IN,
    "GET /photos/{photo_id}/picture": PUBLIC,
    "POST /searches": SIGNED_IN,
    "PUT /searches/{token}/face": SIGNED_IN,
    "GET /searches/{token}": SIGNED_IN,
    "GET /searches/{token}/picture": SIGNED_IN,
    "POST /searches/{token}/photos": SIGNED_IN,
    "DELETE /searches/{token}/photos/{number}": SIGNED_IN,
    "PUT /searches/{token}/set-aside/{reference}": SIGNED_IN,
    "DELETE /searches/{token}/set-aside/{reference}": SIGNED_IN,
    "POST /cases/{reference}/sightings": SIGNED_IN,
    "POST /cases/{reference}/sightings/with-photo": SIGNED_IN,
    "GET /sightings": STAFF_ONLY,
    "POST /sightings/{sighting_id}/decision": STAFF_ONLY,
    "GET /sightings/{sighting_id}/picture": STAFF_ONLY,
    "GET /volunteer": SIGNED_IN,
    "PUT /volunteer": SIGNED_IN,
    "DELETE /volunteer": SIGNED_IN,
    "GET /donor": SIGNED_IN,
    "PUT /donor": SIGNED_IN,
    "DELETE /donor": SIGNED_IN,
    "GET /donor/export": SIGNED_IN,
    "PUT /donor/rest": SIGNED_IN,
    "POST /donor/donations": SIGNED_IN,
    "POST /donor/deferrals": SIGNED_IN,
    "DELETE /donor/deferrals/{reason}": SIGNED_IN,
    "PUT /donor/family": SIGNED_IN,
    "DELETE /donor/family": SIGNED_IN,
    "GET /centre/donors": STAFF_ONLY,
    "POST /centre/donors": STAFF_ONLY,
    "POST /centre/donors/import": STAFF_ONLY,
    "GET /centre/donors/export": STAFF_ONLY,
    "GET /centre/donors/{donor_id}": STAFF_ONLY,
    "DELETE /centre/donors/{donor_id}": STAFF_ONLY,
    "PUT /centre/donors/{donor_id}/type": STAFF_ONLY,
    "POST /centre/donors/{donor_id}/donations": STAFF_ONLY,
    "POST /centre/donors/{donor_id}/deferrals": STAFF_ONLY,
    "POST /centre/donors/{donor_id}/family": STAFF_ONLY,
    "GET /centre/claims": STAFF_ONLY,
    "POST /centre/claims/{claim_id}": STAFF_ONLY,
    "GET /inbox": SIGNED_IN,
    "POST /inbox/read": SIGNED_IN,
    "GET /review/cases": STAFF_ONLY,
    "POST /cases/{reference}/verification": STAFF_ONLY,
    "GET /cases/{reference}/alert-preview": STAFF_ONLY,
    "POST /cases/{reference}/publication": STAFF_ONLY,
    "POST /cases/{reference}/resolution": STAFF_ONLY,
    "GET /leads": STAFF_ONLY,
    "GET /leads/{lead_id}": STAFF_ONLY,
    "POST /leads/{lead_id}/decisions": STAFF_ONLY,
    "POST /blood/requests": STAFF_ONLY,
    "GET /blood/requests": STAFF_ONLY,
    "GET /blood/requests/{reference}": STAFF_ONLY,
    "GET /blood/requests/{reference}/donors": STAFF_ONLY,
    "POST /blood/requests/{reference}/asking": STAFF_ONLY,
    "PUT /blood/requests/{reference}/unit": STAFF_ONLY,
    "POST /blood/requests/{reference}/asks/{ask_id}/answer": STAFF_ONLY,
    "POST /blood/requests/{reference}/asks/{ask_id}/contact": STAFF_ONLY,
    "POST /blood/requests/{reference}/outcome": STAFF_ONLY,
    "GET /blood/calls": STAFF_ONLY,
    "POST /blood/calls/{ask_id}/answer": STAFF_ONLY,
    "POST /blood/stock": STAFF_ONLY,
    "GET /blood/asks": SIGNED_IN,
    "GET /blood/asks/{reference}": SIGNED_IN,
    "POST /blood/asks/{reference}/answer": SIGNED_IN,
    "GET /statistics": PUBLIC,
    "GET /towns": PUBLIC,
}
CALLERS: tuple[Role | None, ...] = (None, *Role)


def declared() -> Iterator[tuple[str, Access]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, AccessRoute)
            for method in sorted(route.methods or ()):
                yield f"{method} {route.path}", route.access


def test_every_operation_is_in_the_matrix() -> None:
    assert dict(declared()) == EXPECTED


def test_the_application_serves_nothing_else(api: FastAPI) -> None:
    others = []
    for context in iter_route_contexts(api.routes):
        if not isinstance(context.original_route, AccessRoute):
            assert isinstance(context.original_route, Route)
            others.append(context.original_route.path)
    assert others == ["/openapi.json"]


def test_an_operation_without_a_rule_is_refused(api: FastAPI) -> None:
    with pytest.raises(TypeError, match="/forgotten does not declare"):

        @api.get("/forgotten")
        def forgotten() -> None: ...


def test_a_rule_survives_registration(api: FastAPI) -> None:
    @api.get("/mine")
    @allow(ADMIN_ONLY)
    def mine() -> None: ...

    assert Client(api).get("/mine").status_code == 401
    answer = Client(api).get("/mine", headers={"Authorization": "Bearer admin"})
    assert answer.status_code == 200


@pytest.mark.parametrize("operation", EXPECTED)
def test_who_is_let_in(client: Client, operation: str) -> None:
    method, template = operation.split(" ")
    path = template.replace("{reference}", "0000000000").replace("{token}", "t")
    numbered = (
        "account_id",
        "photo_id",
        "sighting_id",
        "lead_id",
        "donor_id",
        "claim_id",
        "ask_id",
    )
    for name in numbered:
        path = path.replace("{" + name + "}", "1")
    access = EXPECTED[operation]
    for role in CALLERS:
        headers = {} if role is None else {"Authorization": f"Bearer {role.value}"}
        answer = client.request(method, path, headers=headers)
        status = answer.status_code
        if status == 403 and answer.json()["code"] == "centre_required":
            # Of those who may, whoever acts for a verified centre.
            assert re.match(r"/(blood|centre)\b", template)
            assert access.roles is not None
            assert role in access.roles
        elif access.roles is None or role in access.roles:
            assert status not in (401, 403), (role, status)
        else:
            assert status == (401 if role is None else 403), (role, status)


def test_a_token_that_is_not_known_is_refused_even_where_nobody_needs_one(
    client: Client,
) -> None:
    answer = client.get("/towns", headers={"Authorization": "Bearer stale"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic YTpi", "bearer", "Bearer ", "", "Bearer\x7f"])
def test_strange_authorisation_lets_nobody_in(client: Client, header: str) -> None:
    assert client.get("/inbox", headers={"Authorization": header}).status_code == 401


def test_the_body_is_not_read_before_the_check(client: Client) -> None:
    answer = client.post("/cases", content=b"{not json", headers={"Content-Type": "x/y"})
    assert answer.status_code == 401


def test_nothing_is_kept_in_caches_and_no_cookie_is_set(client: Client) -> None:
    answer = client.get("/towns")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
