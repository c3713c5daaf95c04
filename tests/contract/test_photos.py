"""PhotoRepository and SightingRepository, in memory and on PostgreSQL."""

from datetime import timedelta

import pytest

from reunite.cases.plausibility import History
from reunite.cases.sightings import SightingStatus
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import AccountId, CaseId, PhotoId, SightingId
from reunite.ports import Database
from reunite.testing.factories import (
    NOW,
    make_face,
    make_photo,
    make_probe,
    make_sighting,
    store_account,
    store_case,
    store_template,
)


def test_a_photo_comes_back_with_its_faces(database: Database) -> None:
    case, _ = store_case(database)
    photo = make_photo(case.id, faces=2, captured_year=None)
    photo.faces.append(make_face(verdict="unusable"))
    bare = make_photo(case.id, faces=0)
    with database.transaction() as transaction:
        assert transaction.photos.add(photo) == photo.id != 0
        transaction.photos.add(bare)
    with database.transaction() as transaction:
        assert transaction.photos.get(photo.id) == photo
        assert transaction.photos.list_of_case(case.id) == [photo, bare]


def test_the_same_picture_is_on_a_case_once(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    other, _ = store_case(database)
    with database.transaction() as transaction:
        with pytest.raises(ConflictError) as refused:
            transaction.photos.add(make_photo(case.id, digest=photo.digest))
        transaction.photos.add(make_photo(other.id, digest=photo.digest))
    assert refused.value.code == "photo_already_there"
    with database.transaction() as transaction:
        assert transaction.photos.has_digest([photo.digest, "0" * 64]) == {photo.digest}
        assert transaction.photos.has_digest([]) == set()


def test_unknown_photos_are_not_found(database: Database) -> None:
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.photos.get(PhotoId(99))
        with pytest.raises(NotFoundError):
            transaction.photos.save(make_photo(CaseId(99)))
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.photos.add(make_photo(CaseId(99)))


def test_photos_are_listed_case_by_case(database: Database) -> None:
    one, photos_of_one = store_case(database, photos=2)
    none, _ = store_case(database)
    with database.transaction() as transaction:
        listed = transaction.photos.list_of_cases([one.id, none.id])
        assert listed == {one.id: photos_of_one, none.id: []}
        assert transaction.photos.list_of_cases([]) == {}


def test_the_chosen_face_and_the_year_are_saved(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    photo.chosen, photo.captured_year = None, 2019
    with database.transaction() as transaction:
        transaction.photos.save(photo)
    with database.transaction() as transaction:
        assert transaction.photos.get(photo.id) == photo


def test_erased_photos_leave_no_row_and_no_template(database: Database) -> None:
    case, photos = store_case(database, photos=2)
    for photo in photos:
        store_template(database, photo)
    other, (kept,) = store_case(database, photos=1)
    with database.transaction() as transaction:
        keys = transaction.photos.delete_of_case(case.id)
        assert sorted(keys) == sorted(photo.storage_key for photo in photos)
        assert transaction.photos.delete_of_case(case.id) == []
    with database.transaction() as transaction:
        assert transaction.photos.list_of_case(case.id) == []
        assert transaction.photos.list_of_case(other.id) == [kept]
        assert transaction.templates.count()["photo"] == 0


def test_every_key_that_something_refers_to_is_listed(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    probe = make_probe(case.opened_by)
    sighting = make_sighting(case.id, case.opened_by, photo_key="5" * 40)
    with database.transaction() as transaction:
        transaction.probes.add(probe)
        transaction.sightings.add(sighting)
        transaction.sightings.add(make_sighting(case.id, case.opened_by))
        keys = list(transaction.photos.iter_storage_keys())
    assert sorted(keys) == sorted([photo.storage_key, probe.storage_key, "5" * 40])


def test_a_sighting_comes_back_as_it_was_written(database: Database) -> None:
    case, _ = store_case(database)
    volunteer, reviewer = store_account(database), store_account(database)
    sighting = make_sighting(case.id, volunteer.id, photo_key="a" * 40)
    bare = make_sighting(case.id, volunteer.id)
    bare.place = None
    with database.transaction() as transaction:
        assert transaction.sightings.add(sighting) == sighting.id != 0
        transaction.sightings.add(bare)
    with database.transaction() as transaction:
        assert transaction.sightings.get(sighting.id) == sighting
        stored = transaction.sightings.get(bare.id, lock=True)
        assert stored == bare
        stored.decide(SightingStatus.UNLIKELY, reviewer.id, NOW)
        transaction.sightings.save(stored)
    with database.transaction() as transaction:
        assert transaction.sightings.get(bare.id) == stored


def test_unknown_sightings_are_not_found(database: Database) -> None:
    case, _ = store_case(database)
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.sightings.get(SightingId(99))
        with pytest.raises(NotFoundError):
            transaction.sightings.get(SightingId(99), lock=True)
        with pytest.raises(NotFoundError):
            transaction.sightings.save(make_sighting(case.id, case.opened_by))
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.sightings.add(make_sighting(CaseId(99), AccountId(99)))


def test_sightings_are_listed_newest_first(database: Database) -> None:
    case, _ = store_case(database)
    sightings = [
        make_sighting(case.id, case.opened_by, reported_at=NOW + timedelta(minutes=minutes))
        for minutes in (5, 9, 1, 9)
    ]
    with database.transaction() as transaction:
        for sighting in sightings:
            transaction.sightings.add(sighting)
        order = [sightings[index].id for index in (3, 1, 0, 2)]
        assert [s.id for s in transaction.sightings.list_of_case(case.id)] == order
        new = SightingStatus.NEW
        page = transaction.sightings.list_with_status(new, limit=2)
        rest = transaction.sightings.list_with_status(new, limit=2, offset=2)
        assert [s.id for s in page + rest] == order
        assert transaction.sightings.list_with_status(SightingStatus.PASSED_ON) == []


def test_photos_of_sightings_are_forgotten_case_by_case(database: Database) -> None:
    case, _ = store_case(database)
    other, _ = store_case(database)
    with database.transaction() as transaction:
        for case_id, key in ((case.id, "a" * 40), (case.id, None), (other.id, "b" * 40)):
            transaction.sightings.add(make_sighting(case_id, case.opened_by, photo_key=key))
        assert transaction.sightings.erase_of_case(case.id) == ["a" * 40]
        assert transaction.sightings.erase_of_case(case.id) == []
        assert all(s.photo_key is None for s in transaction.sightings.list_of_case(case.id))
        assert transaction.sightings.list_of_case(other.id)[0].photo_key == "b" * 40


def test_sightings_are_found_and_counted_by_their_reporter(database: Database) -> None:
    case, _ = store_case(database)
    other, _ = store_case(database)
    reporter, stranger = store_account(database), store_account(database)
    first, second = (make_sighting(case.id, reporter.id, text=text) for text in ("1", "2"))
    first.client_key = "k"
    first.status, second.status = SightingStatus.PASSED_ON, SightingStatus.UNLIKELY
    first.reply, first.replied_by, first.replied_at = "thanks", stranger.id, NOW
    with database.transaction() as transaction:
        for sighting in (first, second):
            transaction.sightings.add(sighting)
    with database.transaction() as transaction:
        kept = transaction.sightings
        assert kept.find_sent(reporter.id, case.id, "k") == first
        assert kept.find_sent(reporter.id, other.id, "k") is None
        assert kept.find_sent(stranger.id, case.id, "k") is None
        assert [s.id for s in kept.list_of_reporter(reporter.id)] == [second.id, first.id]
        assert [s.id for s in kept.list_of_reporter(reporter.id, limit=1)] == [second.id]
        assert kept.count_since(reporter.id, first.reported_at - timedelta(seconds=1)) == 2
        assert kept.count_since(reporter.id, first.reported_at) == 0
        assert kept.count_since(stranger.id, first.reported_at - timedelta(days=1)) == 0
        assert kept.histories([reporter.id, stranger.id]) == {reporter.id: History(1, 1)}
        assert kept.count_of_case(case.id) == {
            SightingStatus.PASSED_ON: 1,
            SightingStatus.UNLIKELY: 1,
        }
        assert kept.count_of_case(other.id) == {}
        opener = case.opened_by
        before = case.opened_at - timedelta(seconds=1)
        assert transaction.cases.count_opened_since(opener, before) >= 1
        assert transaction.cases.count_opened_since(opener, case.opened_at) == 0
        assert transaction.cases.count_opened_since(stranger.id, before) == 0
