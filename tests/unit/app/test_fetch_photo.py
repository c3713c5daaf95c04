"""Photos that partners' records point at: fetched where they allow it, and matched."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from reunite.app.close_case import withdraw_case
from reunite.app.fetch_photo import ATTEMPTS, MAX_PHOTO_BYTES
from reunite.app.list_origins import list_origins
from reunite.app.take_records import Terms, take_document
from reunite.cases.case import Case
from reunite.kernel.errors import ReuniteError
from reunite.partners.pfif.fields import Kind
from reunite.partners.pfif.records import PfifRecord
from reunite.partners.pfif.writing import write_document
from reunite.testing.faces import PaintedPerson, paint_people, paint_person
from reunite.worker.loop import Worker
from tests.unit.app.world import World

ID = "registry.example/1"


@dataclass
class Album:
    """A partner's server with photos."""

    photos: dict[str, bytes] = field(default_factory=dict)
    error: str = "peer_refused"
    asked: list[str] = field(default_factory=list)

    def get(self, address: str, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
        assert max_bytes == MAX_PHOTO_BYTES
        assert not headers
        self.asked.append(address)
        if address not in self.photos:
            raise ReuniteError(self.error)
        return self.photos[address]

    def post(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        raise ReuniteError("peer_refused")


@pytest.fixture
def album() -> Album:
    return Album({"https://registry.example/7.jpg": paint_person(7)})


@pytest.fixture
def world(album: Album) -> World:
    made = World()
    made.services = replace(made.services, outside=album)
    made.worker = Worker(made.services)
    return made


def take(
    world: World,
    photo_url: str = "https://registry.example/7.jpg",
    day: int = 30,
    *,
    agreed: bool = True,
) -> Case:
    """The case of a partner's child, once the worker has done everything."""
    fields = {
        "person_record_id": ID,
        "source_date": f"2026-05-{day}T08:00:00Z",
        "full_name": "李小红",
        "author_name": "赵敏",
        "photo_url": photo_url,
    }
    pieces = write_document([PfifRecord(Kind.PERSON, fields)], {})
    terms = Terms(world.officer, "push", frozenset({"registry.example"}), photos_agreed=agreed)
    take_document(world.services, terms, [piece.encode() for piece in pieces])
    world.drain()
    with world.database.transaction() as transaction:
        found = transaction.partners.find_record(ID)
        assert found is not None
        assert found.case_id is not None
        return transaction.cases.get(found.case_id)


def photos(world: World, case: Case) -> int:
    with world.database.transaction() as transaction:
        return len(transaction.photos.list_of_case(case.id))


def test_a_photo_is_fetched_and_matched(world: World) -> None:
    found = world.open_found(7, 1)
    case = take(world)
    assert photos(world, case) == 1
    assert [lead.missing_case_id for lead in world.leads(found)] == [case.id]
    origins = list_origins(world.services, world.reviewer, case.reference).fields
    assert "photo" in {one.field for one in origins}
    assert world.files() == world.keys()


def test_nothing_is_fetched_unless_the_partner_allows_it(world: World, album: Album) -> None:
    take(world, agreed=False)
    take(world, "javascript:alert(1)", 31)
    assert album.asked == []


def test_a_photo_is_fetched_once_and_another_one_as_well(world: World, album: Album) -> None:
    take(world, day=28)
    album.photos["https://registry.example/8.jpg"] = paint_person(7, 1)
    case = take(world, day=29)
    assert len(album.asked) == 1
    case = take(world, "https://registry.example/8.jpg", 30)
    assert photos(world, case) == 2
    album.photos["https://registry.example/9.jpg"] = paint_person(7)  # the same picture
    assert photos(world, take(world, "https://registry.example/9.jpg", 31)) == 2


@pytest.mark.parametrize(
    "data", [b"<html>", paint_people(PaintedPerson(1), PaintedPerson(2))], ids=["page", "several"]
)
def test_what_comes_back_is_judged_as_any_upload(world: World, album: Album, data: bytes) -> None:
    album.photos["https://registry.example/7.jpg"] = data
    case = take(world)
    assert photos(world, case) == (0 if data.startswith(b"<") else 1)
    assert world.count_templates() == 0


def test_a_server_that_is_away_is_asked_again_and_not_for_ever(world: World, album: Album) -> None:
    there = album.photos.pop("https://registry.example/7.jpg")
    album.error = "peer_unreachable"
    case = take(world)
    assert (len(album.asked), photos(world, case)) == (1, 0)
    world.pass_time(hours=2)
    album.photos["https://registry.example/7.jpg"] = there
    world.drain()
    assert (len(album.asked), photos(world, case)) == (2, 1)
    del album.photos["https://registry.example/7.jpg"]
    take(world, "https://registry.example/gone.jpg", 31)
    for _ in range(20):
        world.pass_time(hours=2)
        world.drain()
    assert len(album.asked) == 2 + ATTEMPTS


def test_a_refusal_is_final(world: World, album: Album) -> None:
    album.photos.clear()
    take(world)
    world.pass_time(hours=2)
    world.drain()
    assert len(album.asked) == 1


def test_nothing_is_fetched_for_a_case_that_is_over(world: World, album: Album) -> None:
    there = album.photos.pop("https://registry.example/7.jpg")
    album.error = "peer_unreachable"
    case = take(world)
    withdraw_case(world.services, world.officer, case.reference)
    album.photos["https://registry.example/7.jpg"] = there
    world.pass_time(hours=2)
    world.drain()
    assert (len(album.asked), photos(world, case)) == (1, 0)
