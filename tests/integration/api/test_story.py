"""The whole way of one case through the API."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from reunite.accounts.account import Role
from reunite.app.services import Services
from reunite.app.sign_in import create_account
from reunite.kernel.languages import Language
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from reunite.worker.loop import Worker
from tests.integration.api.conftest import Caller
from tests.unit.api.conftest import Client

PASSWORD = "a long enough one"
YEARS = {"first": 2018, "last": 2018}
HANGZHOU = {"latitude": 30.2741, "longitude": 120.1551}


def join(services: Services, client: Client, name: str, role: Role) -> Caller:
    email = f"{name}@example.org"
    create_account(services, email, PASSWORD, name, role, Language.EN)
    answer = client.post("/sessions", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201
    return Caller(client, answer.json()["token"])


@pytest.fixture
def family(services: Services, client: Client) -> Caller:
    return join(services, client, "family", Role.FAMILY)


def report(**changes: object) -> dict[str, object]:
    seen_at = datetime.now(UTC) - timedelta(hours=5)
    return {
        "module": "child",
        "side": "missing",
        "person": {
            "name": "<script>乐乐",
            "sex": "male",
            "birth_years": {"first": 2018, "last": 2018},
        },
        "circumstances": {"seen_at": seen_at.isoformat(), "place": HANGZHOU},
        "consent_search": True,
        "consent_publish": True,
        "contact": "138 0000 0000",
    } | changes


def files(photo: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"photo": ("photo.jpg", photo, "image/jpeg")}


def test_from_report_to_outcome(services: Services, client: Client, family: Caller) -> None:
    volunteer = join(services, client, "volunteer", Role.VOLUNTEER)
    first = join(services, client, "first", Role.REVIEWER)
    second = join(services, client, "second", Role.REVIEWER)
    worker = Worker(services)

    joined = volunteer.ask(
        "PUT", "/volunteer", 200, json={"modules": ["child"], "position": HANGZHOU}
    ).json()
    assert joined["town"]["name_en"] == "Hangzhou"
    assert volunteer.ask("GET", "/volunteer", 200).json()["modules"] == ["child"]

    opened = family.ask(
        "POST",
        "/cases/with-photo",
        201,
        data={"report": json.dumps(report())},
        files=files(paint_person(7, 1)),
    ).json()
    reference = opened["reference"]
    assert opened["choose_photo"] is None
    # Nobody but the family and staff knows of it yet.
    assert client.get(f"/cases/{reference}").status_code == 404
    assert client.get("/cases").json()["items"] == []
    assert family.ask("GET", "/cases/mine", 200).json()["items"][0]["reference"] == reference

    waiting = first.ask("GET", "/review/cases", 200).json()["items"]
    assert [case["reference"] for case in waiting] == [reference]
    first.ask("POST", f"/cases/{reference}/verification", 422, json={"note": " "})
    first.ask("POST", f"/cases/{reference}/verification", 204, json={"note": "by telephone"})
    preview = first.ask("GET", f"/cases/{reference}/alert-preview?radius_km=5", 200).json()
    # Whether it may disturb them depends on the hour.
    assert (preview["recipients"], preview["may_push"] <= 1) == (1, True)
    # Somebody who overrides the rules says why, on this way too.
    refused = first.ask(
        "POST", f"/cases/{reference}/publication", 422, json={"alert_radius_km": 50}
    ).json()
    assert refused["code"] == "override_reason_required"
    first.ask(
        "POST",
        f"/cases/{reference}/publication",
        204,
        json={"alert_radius_km": 5, "reason": "a trial"},
    )
    worker.drain()
    # The alert is going to be widened as it would be from the form.
    assert preview["waves"]
    with services.database.transaction() as transaction:
        plan = transaction.alert_plans.find(transaction.cases.get_by_reference(reference).id)
        assert plan is not None
        assert [wave.radius_km for wave in plan.schedule] == [
            wave["radius_km"] for wave in preview["waves"]
        ]
        assert transaction.outbox.count_waiting() == 1

    inbox = volunteer.ask("GET", "/inbox", 200).json()
    assert inbox["unread"] == 1
    assert inbox["items"][0]["case"]["name"] == "<script>乐乐"
    volunteer.ask("POST", "/inbox/read", 204)
    assert volunteer.ask("GET", "/inbox", 200).json()["unread"] == 0

    public = client.get(f"/cases/{reference.lower()}").json()
    assert public["file"] is None
    assert "138 0000" not in json.dumps(public)
    picture = client.get(f"/photos/{public['photo_id']}/picture?variant=face")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Cache-Control"] == "no-cache"

    seen = {"seen_at": datetime.now(UTC).isoformat(), "text": "at the bus stop", "place": HANGZHOU}
    sighting = volunteer.ask(
        "POST",
        f"/cases/{reference}/sightings/with-photo",
        201,
        data={"report": json.dumps(seen)},
        files=files(paint_person(7, 5)),
    ).json()["id"]
    (one,) = first.ask("GET", "/sightings", 200).json()["items"]
    assert one["has_photo"]
    assert one["similarity"] > 0.5
    first.ask("GET", f"/sightings/{sighting}/picture", 200)
    first.ask("POST", f"/sightings/{sighting}/decision", 204, json={"status": "passed_on"})
    first.ask("POST", f"/sightings/{sighting}/decision", 409, json={"status": "unlikely"})

    search = volunteer.ask("POST", "/searches", 201, files=files(paint_person(7, 2))).json()
    result = volunteer.ask("GET", f"/searches/{search['token']}?side=missing", 200).json()
    assert result["resemblances"][0]["case"]["reference"] == reference
    assert result["searched"] >= 1
    volunteer.ask("GET", f"/searches/{search['token']}/picture?variant=thumbnail", 200)
    family.ask("GET", f"/searches/{search['token']}", 404)

    station = join(services, client, "station", Role.OFFICER)
    found = station.ask(
        "POST",
        "/cases/with-photo",
        201,
        data={"report": json.dumps(report(side="found", person={}))},
        files=files(paint_person(7, 3)),
    ).json()["reference"]
    worker.drain()
    (lead,) = second.ask("GET", "/leads", 200).json()["items"]
    decide = f"/leads/{lead['id']}/decisions"
    accept = {"verdict": "accept", "note": "the same scar"}
    assert station.ask("POST", decide, 409, json=accept).json()["code"] == "own_case"
    assert first.ask("POST", decide, 201, json=accept).json()["status"] == "second_opinion"
    problem = first.ask("POST", decide, 409, json=accept).json()
    assert problem["code"] == "same_reviewer"
    assert second.ask("POST", decide, 201, json=accept).json()["status"] == "confirmed"
    assert second.ask("GET", f"/leads/{lead['id']}", 200).json()["decisions"][0]["note"]

    second.ask("POST", f"/cases/{found}/verification", 204, json={"note": "seen in person"})
    first.ask(
        "POST",
        f"/cases/{reference}/resolution",
        204,
        json={"outcome": "reunited", "cause": "face_lead", "with_confirmed_partners": True},
    )
    worker.drain()
    assert client.get(f"/cases/{reference}").status_code == 410
    assert client.get(f"/photos/{public['photo_id']}/picture").status_code == 404
    inbox = volunteer.ask("GET", "/inbox", 200)
    assert "乐乐" not in inbox.text
    assert inbox.json()["items"][0]["kind"] == "resolved"
    child = client.get("/statistics").json()["modules"][0]
    assert (child["resolved"], child["by_cause"]) == (1, {"face_lead": 1})
    full = first.ask("GET", f"/cases/{reference}", 200).json()
    assert full["file"]["outcome"] == "reunited"


def test_a_face_is_chosen_among_several(client: Client, family: Caller) -> None:
    two = paint_people(PaintedPerson(1), PaintedPerson(2))
    reference = family.ask("POST", "/cases", 201, json=report()).json()["reference"]
    opened = family.ask("POST", f"/cases/{reference}/photos", 201, files=files(two)).json()
    photo = opened["choose_photo"]
    assert len(family.ask("GET", f"/photos/{photo}", 200).json()["faces"]) == 2
    family.ask("PUT", f"/photos/{photo}/face", 422, json={"index": 2})
    family.ask("PUT", f"/photos/{photo}/face", 200, json={"index": 1})
    assert family.ask("GET", f"/cases/{reference}", 200).json()["photos"][0]["chosen"] == 1

    search = family.ask("POST", "/searches", 201, files=files(two)).json()
    assert search["needs_choice"]
    path = f"/searches/{search['token']}"
    assert family.ask("GET", path, 200).json()["chosen"] is None
    family.ask("PUT", f"{path}/face", 204, json={"index": 0})
    assert family.ask("GET", path, 200).json()["chosen"] == 0


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (b"", "photo_empty"),
        (b"just text", "photo_not_an_image"),
        (paint_person(1)[:500], "photo_truncated"),
        (paint_people(), "photo_no_face"),
    ],
)
def test_bad_photos_leave_nothing_behind(
    services: Services, family: Caller, photo: bytes, code: str
) -> None:
    data = {"report": json.dumps(report())}
    answer = family.ask("POST", "/cases/with-photo", 422, data=data, files=files(photo))
    assert answer.json()["code"] == code
    assert answer.json()["details"]["field"] == "photo"
    assert family.ask("GET", "/cases/mine", 200).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"person": {}}, "name"),
        ({"consent_search": False}, "consent_search"),
        ({"circumstances": {"place": {"latitude": 0, "longitude": -30}}}, "place"),
        ({"circumstances": {"seen_at": "2999-01-01T00:00:00Z"}}, "seen_at"),
        ({"circumstances": {"seen_at": "2020-01-01T00:00:00"}}, "circumstances.seen_at"),
        ({"person": {"birth_years": {"first": 2000, "last": 1999}}}, "person.birth_years"),
        ({"side": "both"}, "side"),
    ],
)
def test_bad_reports_name_the_field(family: Caller, changes: dict[str, object], field: str) -> None:
    answer = family.ask("POST", "/cases", 422, json=report(**changes))
    assert answer.json()["details"]["field"] == field


def test_withdrawing(client: Client, family: Caller) -> None:
    reference = family.ask("POST", "/cases", 201, json=report()).json()["reference"]
    family.ask("POST", f"/cases/{reference}/withdrawal", 204, json={"note": "he is home"})
    family.ask("POST", f"/cases/{reference}/withdrawal", 409, json={})
    family.ask("POST", f"/cases/{reference}/photos", 409, files=files(paint_person(1)))


def test_accounts(services: Services, client: Client) -> None:
    new = {"email": "new@example.org", "password": PASSWORD, "display_name": "New"}
    assert client.post("/accounts", json=new).status_code == 201
    assert client.post("/accounts", json=new).status_code == 409
    assert client.post("/accounts", json={**new, "role": "admin"}).status_code == 403
    admin = join(services, client, "admin", Role.ADMIN)
    entries = admin.ask("GET", "/accounts?limit=1", 200).json()
    assert entries["items"][0]["email"] == "new@example.org"
    assert entries["next"] == entries["items"][0]["id"]
    admin.ask("PATCH", f"/accounts/{entries['next']}", 204, json={"role": "reviewer"})
    admin.ask("PATCH", "/accounts/999999", 404, json={"disabled": True})
    following = admin.ask("GET", f"/accounts?after={entries['next']}", 200).json()
    me = admin.ask("GET", "/sessions/current", 200).json()
    assert [one["id"] for one in following["items"]] == [me["id"]]
    admin.ask("PATCH", f"/accounts/{me['id']}", 422, json={"disabled": True})
    admin.ask("DELETE", "/sessions", 204)
    admin.ask("GET", "/sessions/current", 401)


def test_towns_in_both_languages(client: Client) -> None:
    for wanted in ("hangz", "杭州"):
        towns = client.get("/towns", params={"q": wanted}).json()["items"]
        assert towns[0]["name_en"] == "Hangzhou"
    assert len(client.get("/towns?limit=3").json()["items"]) == 3


def test_opting_out(family: Caller) -> None:
    family.ask("GET", "/volunteer", 404)
    family.ask("PUT", "/volunteer", 422, json={"modules": []})
    family.ask("PUT", "/volunteer", 200, json={"modules": ["elder"], "town_id": 1808926})
    family.ask("DELETE", "/volunteer", 204)
    family.ask("GET", "/volunteer", 404)
