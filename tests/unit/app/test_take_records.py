"""Records of partners become cases to verify, are corrected, and taken back with all traces."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from reunite.accounts.account import Actor
from reunite.app.close_case import resolve_case
from reunite.app.exchange_records import (
    RepositoryRequest,
    add_repository,
    expire_records,
    list_repositories,
    pause_repository,
    pull_due,
    remove_repository,
)
from reunite.app.open_case import add_photo
from reunite.app.pfif_of_case import Site
from reunite.app.publish_case import publish_case
from reunite.app.publish_feeds import FeedQuery, read_feed
from reunite.app.services import Services, Settings
from reunite.app.sign_in import change_account
from reunite.app.take_records import TakeReport, Terms, take_document
from reunite.cases.case import (
    Case,
    CaseStatus,
    Circumstances,
    Outcome,
    Person,
    ResolutionCause,
)
from reunite.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ReuniteError,
)
from reunite.kernel.people import Module, Sex, Side, YearRange
from reunite.partners.exchange import Arrival, PartnerRecord, RecordState
from reunite.partners.keys import ApiKey, Scope
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.life import is_placeholder, placeholder
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.pfif.writing import FeedHead, write_document, write_person_feed
from reunite.testing.faces import paint_person
from reunite.worker.loop import Worker
from tests.unit.app.world import HANGZHOU, NOON, World, a_report

DOMAIN = "registry.example"
SITE = Site("reunite.localhost", "https://reunite.example", "CN")


def a_person(number: int = 1, /, **changes: str) -> PfifRecord:
    fields = {
        "person_record_id": f"{DOMAIN}/{number}",
        "source_date": "2026-05-30T08:00:00Z",
        "full_name": "李小红",
        "sex": "female",
        "age": "7",
        "description": "左手有痣",
        "author_name": "赵敏",
        "author_phone": "139 1111 1111",
    }
    return PfifRecord(Kind.PERSON, fields).with_fields(**changes)


def a_note(number: int = 1, /, **changes: str) -> PfifRecord:
    fields = {
        "note_record_id": f"{DOMAIN}/n{number}",
        "person_record_id": f"{DOMAIN}/1",
        "author_name": "赵敏",
        "source_date": "2026-05-30T09:00:00Z",
        "status": "information_sought",
        "last_known_location": "西湖  边",
        "text": "在湖边走失",
    }
    return PfifRecord(Kind.NOTE, fields).with_fields(**changes)


@pytest.fixture
def world() -> World:
    return World()


def take(
    world: World,
    *records: PfifRecord,
    by: Actor | None = None,
    domain: str = DOMAIN,
    publication_agreed: bool = True,
) -> TakeReport:
    persons = [one for one in records if one.kind is Kind.PERSON]
    notes: dict[str, list[PfifRecord]] = {}
    for one in records:
        if one.kind is Kind.NOTE:
            notes.setdefault(one.text("person_record_id"), []).append(one)
    terms = Terms(by or world.officer, "push", frozenset({domain}), publication_agreed)
    pieces = [piece.encode() for piece in write_document(persons, notes)]
    return take_document(world.services, terms, pieces)


def held(world: World, record_id: str = f"{DOMAIN}/1") -> PartnerRecord:
    with world.database.transaction() as transaction:
        found = transaction.partners.find_record(record_id)
    assert found is not None
    return found


def case_of(world: World, record_id: str = f"{DOMAIN}/1") -> Case:
    case_id = held(world, record_id).case_id
    assert case_id is not None
    with world.database.transaction() as transaction:
        return transaction.cases.get(case_id)


def published(world: World) -> Case:
    """The case of a record, with a face, shown to everybody."""
    case = case_of(world)
    add_photo(world.services, world.officer, case.reference, paint_person(1))
    world.publish(case.reference)
    world.drain()
    return case_of(world)


def test_a_record_becomes_a_case_that_somebody_has_to_verify(world: World) -> None:
    report = take(world, a_person(), a_note())
    assert report.counts == {Arrival.NEW: 2}
    case = case_of(world)
    assert (case.status, case.module, case.side) == (
        CaseStatus.REPORTED, Module.CHILD, Side.MISSING,
    )  # fmt: skip
    assert (case.person.name, case.person.birth_years) == ("李小红", YearRange(2018, 2019))
    assert case.circumstances.story == "左手有痣"
    assert case.circumstances.place_label == "西湖 边"
    assert case.contact == "赵敏 139 1111 1111"
    assert case.consent_publish
    with pytest.raises(ConflictError, match="own_case"):
        case.verify(world.officer.account_id, NOON)


def test_every_field_knows_its_source_and_time(world: World) -> None:
    take(world, a_person(), a_note())
    with world.database.transaction() as transaction:
        origins = {one.field: one for one in transaction.partners.list_origins(case_of(world).id)}
    assert set(origins) == {
        "name", "sex", "birth_years", "story", "contact", "place_label", "seen_at",
    }  # fmt: skip
    assert origins["name"].record_id == f"{DOMAIN}/1"
    assert origins["place_label"].record_id == f"{DOMAIN}/n1"
    assert origins["place_label"].source_at == NOON - timedelta(days=2, hours=3)
    assert origins["name"].received_at == NOON


@pytest.mark.parametrize(
    ("person", "notes", "module", "side"),
    [
        ({"age": "70-80"}, {}, Module.ELDER, Side.MISSING),
        ({"age": ""}, {}, Module.CHILD, Side.MISSING),
        ({"age": "40"}, {}, Module.CHILD, Side.MISSING),
        ({}, {"status": "believed_alive"}, Module.CHILD, Side.FOUND),
        ({}, {"status": "is_note_author"}, Module.CHILD, Side.FOUND),
        ({}, {"status": "believed_dead"}, Module.CHILD, Side.MISSING),
        ({}, {"status": ""}, Module.CHILD, Side.MISSING),
    ],
)
def test_whose_concern_a_record_is(
    world: World, person: dict[str, str], notes: dict[str, str], module: Module, side: Side
) -> None:
    take(world, a_person(**person), a_note(**notes))
    assert (case_of(world).module, case_of(world).side) == (module, side)


def test_without_an_agreement_nothing_can_be_published(world: World) -> None:
    take(world, a_person(), publication_agreed=False)
    reference = case_of(world).reference
    world.verify(reference)
    with pytest.raises(ConflictError, match="consent_missing"):
        publish_case(world.services, world.reviewer, reference, None)


def test_somebody_of_the_staff_answers_for_records(world: World) -> None:
    with pytest.raises(ForbiddenError):
        take(world, a_person(), by=world.family)
    assert world.is_untouched()


def test_the_same_thing_said_again_is_nothing_new(world: World) -> None:
    take(world, a_person(), a_note())
    version = case_of(world).version
    again = take(world, a_person(entry_date="2026-06-01T11:00:00Z"), a_note())
    assert again.counts == {Arrival.UNCHANGED: 2}
    assert (world.count_cases(), case_of(world).version) == (1, version)


def test_a_correction_reaches_the_case_and_the_feed(world: World) -> None:
    take(world, a_person(), a_note())
    published(world)
    world.pass_time(hours=1)
    report = take(world, a_person(full_name="李晓红", source_date="2026-06-01T12:30:00Z"))
    assert report.counts == {Arrival.CHANGED: 1}
    case = case_of(world)
    assert (case.person.name, case.is_public) == ("李晓红", True)
    assert case.circumstances.place_label == "西湖 边"
    (person,) = feed(world)
    assert person.text("full_name") == "李晓红"
    assert person.text("entry_date") == "2026-06-01T13:00:00Z"


def feed(world: World) -> list[PfifRecord]:
    key = ApiKey(
        "k", b"", "", frozenset({Scope.READ_PUBLIC}), world.officer.account_id, world.clock.now()
    )
    return read_feed(world.services, key, SITE, FeedQuery()).persons


def test_an_older_copy_does_not_undo_a_correction(world: World) -> None:
    take(world, a_person(full_name="李晓红", source_date="2026-06-01T10:00:00Z"))
    assert take(world, a_person()).counts == {Arrival.OUTDATED: 1}
    assert case_of(world).person.name == "李晓红"


def test_what_a_case_cannot_hold_is_refused_with_the_reason(world: World) -> None:
    take(world, a_person())
    bad = a_person(age="7", source_date="1887-01-01T00:00:00Z", full_name="旧")
    report = take(world, bad.with_fields(person_record_id=f"{DOMAIN}/9"), a_person(2))
    assert report.counts == {Arrival.NEW: 2}
    assert case_of(world, f"{DOMAIN}/9").person.birth_years == YearRange(1880, 1880)


def test_a_note_that_is_taken_back_takes_its_place_along(world: World) -> None:
    take(world, a_person(), a_note())
    take(world, placeholder(a_note(), NOON))
    case = case_of(world)
    assert (case.circumstances.place_label, case.circumstances.seen_at) == ("", None)
    assert held(world, f"{DOMAIN}/n1").record.text("text") == ""


def test_a_later_note_tells_of_a_new_place(world: World) -> None:
    take(world, a_person(), a_note())
    later = a_note(2, last_known_location="火车站", source_date="2026-06-01T09:00:00Z")
    assert take(world, later).counts == {Arrival.NEW: 1}
    assert case_of(world).circumstances.place_label == "火车站"


def test_a_note_about_our_own_case_is_kept_beside_it(world: World) -> None:
    reference = world.open_public(1)
    note = a_note(person_record_id=f"reunite.localhost/{reference}")
    assert take(world, note).counts == {Arrival.NEW: 1}
    assert case_of(world, f"{DOMAIN}/n1").reference == reference
    assert world.case(reference).circumstances.place_label != "西湖 边"
    lost = a_note(2, person_record_id="reunite.localhost/0000000000")
    take(world, lost)
    assert held(world, f"{DOMAIN}/n2").case_id is None
    take(world, a_note(3, person_record_id="unknown.example/1"))
    assert held(world, f"{DOMAIN}/n3").case_id is None


@pytest.mark.parametrize("way", ["placeholder", "expiry"])
def test_a_withdrawal_reaches_everything_made_from_a_record(world: World, way: str) -> None:
    take(world, a_person(), a_note())
    reference = published(world).reference
    assert world.count_templates() == 1
    world.pass_time(hours=1)
    gone = (
        placeholder(a_person(), world.clock.now())
        if way == "placeholder"
        else a_person(expiry_date="2026-06-01T12:30:00Z", source_date="2026-06-01T12:30:00Z")
    )
    assert take(world, gone).counts == {Arrival.GONE: 1}
    assert world.count_templates() == 0
    world.drain()
    case = world.case(reference)
    assert case.status is CaseStatus.WITHDRAWN
    world.pass_time(minutes=2)
    world.drain()
    assert world.keys() == world.files() == set()
    assert world.case(reference).person.name == ""
    for record_id in (f"{DOMAIN}/1", f"{DOMAIN}/n1"):
        assert is_placeholder(held(world, record_id).record)
        assert held(world, record_id).state is RecordState.EXPIRED
    (person,) = feed(world)
    assert is_placeholder(person)
    assert person.record_id == f"{DOMAIN}/1"


def test_a_record_that_was_taken_back_after_the_end_is_erased_at_once(world: World) -> None:
    take(world, a_person())
    reference = published(world).reference
    resolve_case(
        world.services, world.reviewer, reference, Outcome.REUNITED, ResolutionCause.POLICE
    )
    take(world, placeholder(a_person(), NOON))
    case = world.case(reference)
    assert (case.status, case.person.name) == (CaseStatus.RESOLVED, "")
    assert world.keys() == set()


def test_a_correction_opens_nothing_that_is_over(world: World) -> None:
    take(world, a_person())
    reference = published(world).reference
    resolve_case(
        world.services, world.reviewer, reference, Outcome.REUNITED, ResolutionCause.POLICE
    )
    report = take(world, a_person(full_name="别人", source_date="2026-06-01T11:00:00Z"))
    assert report.counts == {Arrival.CHANGED: 1}
    case = world.case(reference)
    assert (case.status, case.person.name) == (CaseStatus.RESOLVED, "李小红")
    assert world.count_cases() == 1


def test_an_expired_record_pushed_again_changes_nothing(world: World) -> None:
    expired = a_person(expiry_date="2026-05-31T00:00:00Z")
    assert take(world, expired).counts == {Arrival.NEVER_SEEN: 1}
    assert world.count_cases() == 0
    take(world, a_person())
    take(world, placeholder(a_person(), NOON))
    world.drain()
    for _ in range(2):
        again = take(world, placeholder(a_person(), NOON), expired)
        assert again.counts.total() == 2
        assert set(again.counts) <= {Arrival.UNCHANGED, Arrival.OUTDATED}
    # Somebody's stale copy from before the end does not bring the person back either.
    assert take(world, a_person()).counts == {Arrival.OUTDATED: 1}
    assert (world.count_cases(), case_of(world).status) == (1, CaseStatus.WITHDRAWN)


def test_its_own_repository_may_bring_a_record_back(world: World) -> None:
    take(world, a_person())
    first = case_of(world).reference
    take(world, placeholder(a_person(), NOON))
    world.drain()
    world.pass_time(hours=2)
    report = take(world, a_person(source_date="2026-06-01T13:30:00Z"))
    assert report.counts == {Arrival.CHANGED: 1}
    assert case_of(world).reference != first
    assert world.count_cases() == 2


def test_nobody_speaks_for_others_or_for_us(world: World) -> None:
    ours = a_person(person_record_id="reunite.localhost/ABC")
    theirs = a_person(person_record_id="other.example/1")
    report = take(world, ours, theirs, a_note(note_record_id="other.example/n"))
    assert report.counts == {Arrival.OWN: 1, Arrival.STRANGE: 2}
    assert world.count_cases() == 0


def test_records_expire_by_themselves(world: World) -> None:
    take(world, a_person(expiry_date="2026-06-02T12:00:00Z"), a_note())
    reference = published(world).reference
    assert expire_records(world.services) == 0
    world.pass_time(days=1)
    world.drain()
    assert world.case(reference).status is CaseStatus.WITHDRAWN
    assert is_placeholder(held(world).record)
    assert expire_records(world.services) == 0


@dataclass
class Peer:
    """Another repository, which serves a feed within this process."""

    pages: Callable[[int, str, int], Iterable[PfifRecord]]
    asked: list[str] = field(default_factory=list)
    error: str = ""

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        self.asked.append(address)
        if self.error:
            raise ReuniteError(self.error)
        query = parse_qs(urlsplit(address).query)
        records = self.pages(
            int(query["max_results"][0]), query["min_entry_date"][0], int(query["skip"][0])
        )
        head = FeedHead("https://registry.example/feed", "R", "", NOON)
        return "".join(write_person_feed(head, records, {})).encode()

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        raise ReuniteError("peer_refused")


def honest(records: list[PfifRecord]) -> Callable[[int, str, int], list[PfifRecord]]:
    def page(limit: int, since: str, skip: int) -> list[PfifRecord]:
        found = sorted(
            (one for one in records if one.text("entry_date") >= since),
            key=lambda one: (one.text("entry_date"), one.record_id),
        )
        return found[skip : skip + limit]

    return page


def connected(world: World, peer: Peer, **changes: object) -> Services:
    request = RepositoryRequest(
        DOMAIN, "https://registry.example/feed?key=x", world.officer.account_id, secret="k"
    )
    add_repository(world.services, world.admin, replace(request, **changes))  # type: ignore[arg-type]
    return replace(world.services, outside=peer)


def pull_all(services: Services, most: int = 50) -> int:
    for count in range(most):
        if pull_due(services) is None:
            return count
    return most


def many(count: int) -> list[PfifRecord]:
    return [
        a_person(number, entry_date=f"2026-05-31T{number // 150:02}:00:00Z")
        for number in range(count)
    ]


def test_a_repository_is_read_page_by_page_and_then_followed(world: World) -> None:
    records = many(450)
    peer = Peer(honest(records))
    services = connected(world, peer)
    assert pull_all(services) == 3
    assert world.count_cases() == 450
    world.pass_time(minutes=16)
    records.append(a_person(900, entry_date="2026-06-01T12:10:00Z"))
    assert pull_all(services) == 1
    assert world.count_cases() == 451
    world.pass_time(minutes=16)
    pull_all(services)
    assert world.count_cases() == 451
    (repository,) = list_repositories(services, world.admin)
    assert (repository.error, repository.skip) == ("", 1)
    assert "key=x&min_entry_date=" in peer.asked[0]


def test_a_feed_that_loops_is_noticed_and_left(world: World) -> None:
    page = many(200)
    peer = Peer(lambda *_: page)
    services = connected(world, peer)
    assert pull_all(services) < 5
    (repository,) = list_repositories(services, world.admin)
    assert repository.error == "feed_loops"
    assert world.count_cases() == 200
    assert repository.due_at is not None
    assert repository.due_at > world.clock.now()


def test_two_registries_that_echo_each_other_make_nothing_new(world: World) -> None:
    # What we publish comes back to us by way of the other, and theirs by way of us.
    own = world.open_public(5)
    records = [a_person(entry_date="2026-05-31T00:00:00Z")]
    peer = Peer(honest(records))
    services = connected(world, peer, publication_agreed=True)
    pull_all(services)
    case = case_of(world)
    world.verify(case.reference)
    publish_case(world.services, world.reviewer, case.reference, None)
    for hour in range(4):
        world.pass_time(hours=1)
        stamp = f"2026-06-01T{13 + hour}:00:00Z"
        echoes = [one.with_fields(entry_date=stamp) for one in feed(world)]
        assert {one.domain for one in echoes} == {"reunite.localhost", DOMAIN}
        records[:] = echoes
        pull_all(services)
    assert world.count_cases() == 2
    assert case_of(world).version == world.case(case.reference).version == 2
    assert world.case(own).version == 2
    times = {one.text("source_date") for one in feed(world) if one.domain == DOMAIN}
    assert times == {"2026-05-30T08:00:00Z"}


def test_a_server_that_fails_is_asked_again_later(world: World) -> None:
    peer = Peer(honest(many(3)), error="peer_unreachable")
    services = connected(world, peer)
    assert pull_all(services) == 1
    (repository,) = list_repositories(services, world.admin)
    assert (repository.error, repository.pulled_at) == ("peer_unreachable", None)
    peer.error = ""
    world.pass_time(minutes=16)
    pull_all(services)
    assert world.count_cases() == 3
    assert list_repositories(services, world.admin)[0].error == ""


def test_the_worker_pulls_on_schedule(world: World) -> None:
    peer = Peer(honest(many(3)))
    Worker(connected(world, peer)).drain()
    assert world.count_cases() == 3


def test_a_repository_is_paused_changed_and_removed(world: World) -> None:
    peer = Peer(honest(many(1)))
    services = connected(world, peer)
    pause_repository(services, world.admin, DOMAIN, paused=True)
    assert pull_due(services) is None
    pause_repository(services, world.admin, DOMAIN, paused=False)
    assert pull_due(services) is not None
    since = list_repositories(services, world.admin)[0].since
    connected(world, peer, every=timedelta(minutes=1))
    (repository,) = list_repositories(services, world.admin)
    assert (repository.since, repository.every) == (since, timedelta(minutes=1))
    connected(world, peer, address="https://registry.example/other")
    assert list_repositories(services, world.admin)[0].since is None
    remove_repository(services, world.admin, DOMAIN)
    assert list_repositories(services, world.admin) == []
    with pytest.raises(NotFoundError):
        pause_repository(services, world.admin, DOMAIN, paused=True)


def test_nothing_is_pulled_for_an_account_that_was_shut_out(world: World) -> None:
    peer = Peer(honest(many(1)))
    services = connected(world, peer)
    change_account(world.services, world.admin, world.officer.account_id, disabled=True)
    pull_all(services)
    assert peer.asked == []
    assert list_repositories(services, world.admin)[0].error == "repository_without_account"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"domain": "nowhere"}, "domain_unreadable"),
        ({"domain": "reunite.localhost"}, "own_domain"),
        ({"address": "ftp://x"}, "peer_address_unusable"),
        ({"every": timedelta(seconds=5)}, "number_out_of_range"),
    ],
)
def test_repositories_that_cannot_be_right(
    world: World, changes: dict[str, object], code: str
) -> None:
    with pytest.raises((InvalidInputError, ConflictError)) as caught:
        connected(world, Peer(honest([])), **changes)
    assert caught.value.code == code
    with pytest.raises(InvalidInputError, match="account_not_staff"):
        connected(world, Peer(honest([])), account_id=world.family.account_id)


def test_a_record_of_a_partner_matches_an_open_case(world: World) -> None:
    world.services = replace(world.services, settings=Settings())  # by facts as well
    seen = Circumstances(seen_at=NOON - timedelta(days=2), place=HANGZHOU)
    child = Person(name="欧阳慕雪", sex=Sex.FEMALE, birth_years=YearRange(2018, 2018))
    report = replace(a_report(side=Side.FOUND, person=child), circumstances=seen)
    found = world.report(world.reviewer, report)
    Worker(world.services).drain()
    take(world, a_person(full_name="李小红"))
    Worker(world.services).drain()
    assert world.leads(found.reference) == []
    # Their correction is compared as well, and not only what they said first.
    later = {"source_date": "2026-05-31T08:00:00Z", "entry_date": "2026-05-31T08:00:00Z"}
    take(world, a_person(full_name="欧阳暮雪", age="8", **later))
    take(world, a_person(2, full_name="欧阳慕雪", age="8"))
    Worker(world.services).drain()
    ids = {lead.missing_case_id for lead in world.leads(found.reference)}
    assert ids == {case_of(world).id, case_of(world, f"{DOMAIN}/2").id}
