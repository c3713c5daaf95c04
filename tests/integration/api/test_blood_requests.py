"""A request for blood through the API."""

from datetime import UTC, datetime, timedelta

from reunite.accounts.account import Role
from reunite.app.services import Services
from reunite.kernel.ids import AccountId
from reunite.testing.donors import store_centre, store_donor
from reunite.worker.loop import Worker
from tests.integration.api.conftest import Caller
from tests.integration.api.test_story import join
from tests.unit.api.conftest import Client

STOCK = b"unit,type,expires on\nA1,O Rh-,2999-07-01\n"
FAULTY = STOCK + b"A2,AB anti-A,2999-07-01\n"


def account_of(services: Services, name: str) -> AccountId:
    with services.database.transaction() as transaction:
        account = transaction.accounts.find_by_email(f"{name}@example.org")
    assert account is not None
    return account.id


def wish(**changes: object) -> dict[str, object]:
    needed_by = datetime.now(UTC) + timedelta(hours=12)
    return {"patient": "O Rh-", "units": 1, "needed_by": needed_by.isoformat(), **changes}


def test_from_request_to_outcome(services: Services, client: Client) -> None:
    clerk = join(services, client, "clerk", Role.OFFICER)
    donor = join(services, client, "donor", Role.VOLUNTEER)
    other = join(services, client, "other", Role.VOLUNTEER)
    worker = Worker(services)
    refused = clerk.ask("POST", "/blood/requests", 403, json=wish()).json()
    assert refused["code"] == "centre_required"
    centre = store_centre(services.database, "湖滨医院")
    with services.database.transaction() as transaction:
        transaction.blood_centres.set_member(account_of(services, "clerk"), centre.id)
    for units in (0, 1000):
        answer = clerk.ask("POST", "/blood/requests", 422, json=wish(units=units)).json()
        assert answer["code"] == "number_out_of_range"
    for changes in ({"patient": "AB anti-A"}, {"policy": "?"}, {"needed_by": "2026-01-01T00:00"}):
        clerk.ask("POST", "/blood/requests", 422, json=wish(**changes))
    store_donor(services.database, account_id=account_of(services, "donor"), written="O Rh-")

    opened = clerk.ask("POST", "/blood/requests", 201, json=wish(patient_code="P-1")).json()
    assert opened["asking"] is True
    assert "never transfusion advice" in opened["notice"]
    path = f"/blood/requests/{opened['reference']}"
    ranked = clerk.ask("GET", f"{path}/donors", 200).json()
    assert ranked["ranked"][0]["findings"][0]["sources"][0]["title"]
    worker.drain()
    [entry] = clerk.ask("GET", "/blood/requests", 200).json()["items"]
    assert (entry["asked"], entry["coming"]) == (1, 0)
    [asked] = donor.ask("GET", "/blood/asks", 200).json()["items"]
    assert (asked["hospital"], asked["can_answer"]) == ("湖滨医院", True)
    assert "P-1" not in str(asked)
    own = f"/blood/asks/{opened['reference']}"
    other.ask("GET", own, 404)
    other.ask("POST", f"{own}/answer", 404, json={"answer": "coming"})
    [row] = clerk.ask("GET", path, 200).json()["asks"]
    contact = f"{path}/asks/{row['id']}/contact"
    clerk.ask("POST", contact, 404)
    said = donor.ask("POST", f"{own}/answer", 200, json={"answer": "coming", "contact": "138"})
    assert said.json()["answer"] == "coming"
    assert clerk.ask("POST", contact, 200).json()["contact"] == "138"
    desk = f"{path}/asks/{row['id']}/answer"
    clerk.ask("POST", desk, 204, json={"answer": "arrived"})
    clerk.ask("POST", desk, 204, json={"answer": "given"})
    clerk.ask("POST", desk, 409, json={"answer": "given"})
    outcome = {"outcome": "helped", "cause": "donor_asked"}
    clerk.ask("POST", f"{path}/outcome", 204, json=outcome)
    clerk.ask("POST", f"{path}/outcome", 409, json=outcome)
    board = clerk.ask("GET", path, 200).json()
    assert (board["status"], board["counts"]["given"]) == ("resolved", 1)
    blood = client.get("/statistics").json()["modules"][2]
    assert (blood["module"], blood["by_cause"]) == ("blood", {"donor_asked": 1})


def test_a_called_donor_answers_by_telephone(services: Services, client: Client) -> None:
    clerk = join(services, client, "clerk", Role.OFFICER)
    centre = store_centre(services.database, "湖滨医院")
    with services.database.transaction() as transaction:
        transaction.blood_centres.set_member(account_of(services, "clerk"), centre.id)
    kept = {"written": "O Rh-", "centre_id": centre.id, "reference": "D-7", "contact": "0571"}
    store_donor(services.database, **kept)
    opened = clerk.ask("POST", "/blood/requests", 201, json=wish()).json()
    Worker(services).drain()
    [call] = clerk.ask("GET", "/blood/calls", 200).json()["items"]
    assert (call["number"], call["contact"], call["hospital"]) == ("D-7", "0571", "湖滨医院")
    answer = f"/blood/calls/{call['id']}/answer"
    clerk.ask("POST", answer, 422, json={"answer": "given"})
    clerk.ask("POST", answer, 204, json={"answer": "coming"})
    assert clerk.ask("GET", "/blood/calls", 200).json()["items"] == []
    board = clerk.ask("GET", f"/blood/requests/{opened['reference']}", 200).json()
    assert board["filled"] is True


def test_stock_and_like_requests_are_looked_at_first(services: Services, client: Client) -> None:
    clerk: Caller = join(services, client, "clerk", Role.OFFICER)
    centre = store_centre(services.database)
    with services.database.transaction() as transaction:
        transaction.blood_centres.set_member(account_of(services, "clerk"), centre.id)

    def bring(data: bytes, query: str = "") -> dict[str, object]:
        files = {"sheet": ("stock.csv", data, "text/csv")}
        report: dict[str, object] = clerk.ask(
            "POST", f"/blood/stock{query}", 200, files=files
        ).json()
        return report

    assert bring(FAULTY)["faults"] == [
        {"row": 3, "column": "type", "got": "AB anti-A", "code": "blood_antibody_contradicts"}
    ]
    assert bring(STOCK, "?dry_run=true")["written"] is False
    assert bring(FAULTY, "?skip_faulty=true")["written"] is True
    opened = clerk.ask("POST", "/blood/requests", 201, json=wish(patient_code="P-1")).json()
    assert (opened["asking"], [one["number"] for one in opened["units"]]) == (False, ["A1"])
    path = f"/blood/requests/{opened['reference']}"
    promise = {"centre_id": centre.id, "number": "A1"}
    clerk.ask("PUT", f"{path}/unit", 204, json=promise)
    assert clerk.ask("GET", path, 200).json()["filled"] is True
    clerk.ask("PUT", f"{path}/unit", 204, json={**promise, "promised": False})
    clerk.ask("POST", f"{path}/asking", 204)
    clerk.ask("POST", f"{path}/asking", 409)
    again = clerk.ask("POST", "/blood/requests", 201, json=wish(patient_code="P-1")).json()
    assert [one["reference"] for one in again["alike"]] == [opened["reference"]]
