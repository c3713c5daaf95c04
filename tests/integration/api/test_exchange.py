"""A partner's record on a real database, from its arrival to its withdrawal."""

from datetime import UTC, datetime, timedelta

import pytest

from reunite.accounts.account import Actor, Role
from reunite.api.feeds import create_feeds
from reunite.app.api_keys import KeyRequest, add_key
from reunite.app.open_case import add_photo
from reunite.app.publish_case import publish_case, verify_case
from reunite.app.services import Services
from reunite.app.sign_in import actor_of, create_account
from reunite.kernel.languages import Language
from reunite.partners.keys import Scope
from reunite.partners.pfif.records import format_time
from reunite.testing.faces import paint_person
from reunite.worker.loop import Worker
from tests.independent import pfif_reader
from tests.unit.api.conftest import Client

DOMAIN = "registry.example"


def person(source: str, expiry: str = "", name: str = "李小红") -> bytes:
    fields = {
        "person_record_id": f"{DOMAIN}/1",
        "expiry_date": expiry,
        "source_date": source,
        "full_name": name,
        "age": "7",
    }
    inside = "".join(f"<p:{key}>{value}</p:{key}>" for key, value in fields.items() if value)
    return (
        f'<p:pfif xmlns:p="http://zesty.ca/pfif/1.4"><p:person>{inside}</p:person></p:pfif>'
    ).encode()


@pytest.fixture
def officer(services: Services) -> Actor:
    return staff(services, "officer", Role.OFFICER)


def staff(services: Services, name: str, role: Role) -> Actor:
    number = create_account(
        services, f"{name}@example.org", "a long enough one", name, role, Language.EN
    )
    with services.database.transaction() as transaction:
        return actor_of(transaction.accounts.get(number))


def test_from_arrival_to_withdrawal(services: Services, officer: Actor) -> None:
    admin = staff(services, "admin", Role.ADMIN)
    reviewer = staff(services, "reviewer", Role.REVIEWER)
    wanted = KeyRequest(
        "registry",
        frozenset({Scope.WRITE_OWN, Scope.READ_PUBLIC}),
        officer.account_id,
        DOMAIN,
        publication_agreed=True,
    )
    key = {"X-API-Key": add_key(services, admin, wanted).secret}
    client, worker = Client(create_feeds(services)), Worker(services)
    now = datetime.now(UTC)
    first, later, last = (format_time(now - timedelta(minutes=m)) for m in (50, 40, 30))

    answer = client.post("/pfif/write", headers=key, content=person(first))
    assert answer.json()["new"] == 1
    (fate,) = client.get("/pfif/records", headers=key).json()["records"]
    reference = fate["case_reference"]
    add_photo(services, officer, reference, paint_person(1))
    verify_case(services, reviewer, reference, "called the registry")
    publish_case(services, reviewer, reference, None)
    worker.drain()
    (record,), _ = pfif_reader.read(client.get("/pfif/persons", headers=key).text)
    assert (record["person_record_id"], record["full_name"]) == (f"{DOMAIN}/1", "李小红")

    answer = client.post("/pfif/write", headers=key, content=person(later, name="李晓红"))
    assert answer.json()["changed"] == 1
    (record,), _ = pfif_reader.read(client.get("/pfif/persons", headers=key).text)
    assert record["full_name"] == "李晓红"

    answer = client.post("/pfif/write", headers=key, content=person(last, expiry=last))
    assert answer.json()["gone"] == 1
    # Another one: it erases at once what is due, which the first would do within a minute.
    Worker(services).drain()
    with services.database.transaction() as transaction:
        case = transaction.cases.get_by_reference(reference)
        assert transaction.templates.list_of_case(case.id, services.gallery.space) == []
        assert transaction.photos.list_of_case(case.id) == []
    assert (case.person.name, case.status.value) == ("", "withdrawn")
    (record,), notes = pfif_reader.read(client.get("/pfif/persons", headers=key).text)
    assert set(record) == {"person_record_id", "source_date", "entry_date", "expiry_date"}
    assert notes == []
    (fate,) = client.get("/pfif/records", headers=key).json()["records"]
    assert (fate["state"], fate["case_status"]) == ("expired", "withdrawn")
