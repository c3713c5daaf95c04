"""Donors and blood centres over the API: what pages do, for programs."""

from datetime import timedelta

import httpx
import pytest

from reunite.accounts.account import Actor, Role
from reunite.api.main import create_api
from reunite.app.search_face import digest_of
from reunite.testing.donors import store_donor
from tests.unit.api.conftest import Client
from tests.unit.app.test_donors import a_centre
from tests.unit.app.world import World

BODY = {
    "type": "O型 熊猫血",
    "consents": ["ask", "centre"],
    "born_on": "1990-05-01",
    "sex": "female",
    "weight_kg": 58,
    "town_id": 1808926,
    "last_given": {"kind": "whole_blood", "on": "2026-05-01"},
}


class Caller:
    """Somebody with a token."""

    def __init__(self, world: World, actor: Actor) -> None:
        token = f"t{actor.account_id}"
        with world.database.transaction() as transaction:
            transaction.accounts.add_session(
                digest_of(token), actor.account_id, world.clock.now() + timedelta(days=1)
            )
        self._client = Client(create_api(world.services))
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **more: object) -> httpx.Response:
        return self._client.request(method, path, headers=self._headers, **more)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def donor(world: World) -> Caller:
    return Caller(world, world.actor(Role.VOLUNTEER))


def test_registering_and_leaving(donor: Caller) -> None:
    assert donor("GET", "/donor").status_code == 404
    made = donor("PUT", "/donor", json=BODY).json()
    assert (made["type"], made["confirmed"], made["town_id"]) == ("O RhD-", False, 1808926)
    assert "never transfusion advice" in made["note"]
    [whole] = [one for one in made["eligibility"] if one["kind"] == "whole_blood"]
    assert whole["earliest"] == "2026-11-01"
    assert whole["hindrances"][0]["source_url"].startswith("http")
    assert donor("GET", "/donor").json() == made
    rest = donor("PUT", "/donor/rest", json={"asleep": True}).json()
    assert (rest["asleep"], rest["may_be_asked"]) == (True, False)
    donor("PUT", "/donor/rest", json={})
    given = donor("POST", "/donor/donations", json={"kind": "plasma", "on": "2026-05-20"}).json()
    assert len(given["donations"]) == 2
    deferred = donor("POST", "/donor/deferrals", json={"reason": "malaria"}).json()
    assert deferred["deferrals"] == [{"reason": "malaria", "over_on": None}]
    assert donor("DELETE", "/donor/deferrals/malaria").status_code == 204
    assert donor("GET", "/donor/export").json()["declared_type"] == "O RhD-"
    assert donor("DELETE", "/donor").status_code == 204
    assert donor("GET", "/donor").status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "AB 抗-A"}, "blood_antibody_contradicts"),
        ({"type": "zebra"}, "blood_notation_unreadable"),
        ({"consents": []}, "consent_ask_required"),
        ({"town_id": 1}, "town_unknown"),
        ({"town_id": None}, "place_required"),
        ({"weight_kg": 1}, "number_out_of_range"),
        ({"born_on": "2100-01-01"}, "date_in_future"),
        ({"family_code": "X"}, "family_code_unknown"),
    ],
)
def test_what_cannot_be_is_refused(donor: Caller, changes: dict[str, object], code: str) -> None:
    answer = donor("PUT", "/donor", json={**BODY, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert donor("GET", "/donor").status_code == 404


def test_a_centre_keeps_types_and_gives_up(world: World, donor: Caller) -> None:
    made = donor("PUT", "/donor", json=BODY).json()
    _, officer = a_centre(world)
    centre = Caller(world, officer)
    taken = centre("POST", "/centre/donors", json={"code": made["code"], "reference": "7"}).json()
    assert taken == {"donor_id": made["id"], "claim_id": None}
    path = f"/centre/donors/{made['id']}"
    typed = centre("PUT", f"{path}/type", json={"type": "O- kk", "method": "genotyping"}).json()
    assert (typed["type"], typed["confirmed"]) == ("O RhD- K- k+", True)
    assert typed["confirmation"]["method"] == "genotyping"
    assert centre("PUT", f"{path}/type", json={"type": "O A"}).status_code == 422
    centre("POST", f"{path}/donations", json={"kind": "platelets", "on": "2026-05-30"})
    deferred = centre("POST", f"{path}/deferrals", json={"reason": "malaria"}).json()
    assert len(deferred["donations"]) == 2
    code = centre("POST", f"{path}/family").json()["code"]
    assert donor("PUT", "/donor/family", json={"code": code}).json()["family_code"] == code
    assert donor("DELETE", "/donor/family").status_code == 204
    assert [one["reference"] for one in centre("GET", "/centre/donors").json()["items"]] == ["7"]
    assert centre("GET", path).json()["reference"] == "7"

    _, second = a_centre(world)
    other = Caller(world, second)
    assert other("GET", path).status_code == 404
    claimed = other("POST", "/centre/donors", json={"code": made["code"]}).json()
    [claim] = centre("GET", "/centre/claims").json()
    assert (claim["id"], claim["answers"]) == (claimed["claim_id"], ["move", "stay"])
    answer = centre("POST", f"/centre/claims/{claim['id']}", json={"verdict": "move"})
    assert answer.status_code == 204
    assert other("GET", path).status_code == 200
    assert other("DELETE", path).status_code == 204
    assert donor("GET", "/donor").json()["reference"] == ""


def test_an_officer_without_a_centre_sees_nobody(world: World) -> None:
    store_donor(world.database)
    answer = Caller(world, world.actor(Role.OFFICER))("GET", "/centre/donors")
    assert (answer.status_code, answer.json()["code"]) == (403, "centre_required")


def test_files_go_in_and_out(world: World) -> None:
    _, officer = a_centre(world)
    centre = Caller(world, officer)
    file = {"file": ("d.csv", "编号,血型\n1,熊猫血 O\n2,Q\n".encode("gbk"))}
    tried = centre("POST", "/centre/donors/import", files=file).json()
    assert (tried["written"], tried["counts"]["refused"]) == (False, 1)
    assert tried["rows"][1]["faults"][0]["code"] == "blood_notation_unreadable"
    brought = centre(
        "POST",
        "/centre/donors/import",
        files=file,
        params={"dry_run": False, "skip_faulty": True, "agreed": True},
    ).json()
    assert (brought["written"], brought["counts"]["new"]) == (True, 1)
    assert "1,O型 Rh阴性,no" in centre("GET", "/centre/donors/export").text
    workbook = centre("GET", "/centre/donors/export", params={"form": "xlsx"})
    assert workbook.content.startswith(b"PK")
