"""PreviewRepository, in memory and on PostgreSQL."""

from datetime import date, timedelta

import pytest

from reunite.cases.photos import CasePhoto, EstimatedAge
from reunite.cases.previews import AgePreview
from reunite.kernel.errors import ConflictError, NotFoundError
from reunite.kernel.ids import CaseId, PhotoId, PreviewId
from reunite.ports import Database
from reunite.testing.factories import NOW, store_account, store_case

TODAY = date(2026, 6, 1)


def a_preview(photo: CasePhoto, age: int = 18, **changes: object) -> AgePreview:
    preview = AgePreview(
        case_id=photo.case_id,
        photo_id=photo.id,
        age=age,
        storage_key=f"{int(photo.id):020x}{age:020x}",
        made_at=NOW,
        maker="f" * 64,
        doubts=("preview_far_age",),
    )
    for name, value in changes.items():
        setattr(preview, name, value)
    return preview


def store_preview(database: Database, preview: AgePreview) -> AgePreview:
    with database.transaction() as transaction:
        assert transaction.previews.add(preview) == preview.id != 0
    return preview


def test_previews_come_back_by_age(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    older, younger = (store_preview(database, a_preview(photo, age)) for age in (23, 10))
    with database.transaction() as transaction:
        assert transaction.previews.get(older.id) == older
        assert transaction.previews.list_of_case(case.id) == [younger, older]
        assert transaction.previews.list_of_case(CaseId(99)) == []


def test_one_preview_of_an_age(database: Database) -> None:
    _, (photo, other) = store_case(database, photos=2)
    store_preview(database, a_preview(photo))
    store_preview(database, a_preview(other))
    with database.transaction() as transaction, pytest.raises(ConflictError) as refused:
        transaction.previews.add(a_preview(photo, storage_key="e" * 40))
    assert refused.value.code == "preview_already_there"


def test_unknown_previews_are_not_found(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    with database.transaction() as transaction:
        with pytest.raises(NotFoundError):
            transaction.previews.get(PreviewId(99))
        with pytest.raises(NotFoundError):
            transaction.previews.save(a_preview(photo))
        assert transaction.previews.delete([]) == []
    with pytest.raises(NotFoundError), database.transaction() as transaction:
        transaction.previews.add(a_preview(photo, photo_id=PhotoId(99)))


def test_approval_is_saved(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    account = store_account(database)
    preview = store_preview(database, a_preview(photo))
    preview.approve(account.id, NOW + timedelta(hours=1))
    with database.transaction() as transaction:
        transaction.previews.save(preview)
    with database.transaction() as transaction:
        assert transaction.previews.get(preview.id) == preview


def test_the_photo_store_knows_their_keys(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    preview = store_preview(database, a_preview(photo))
    with database.transaction() as transaction:
        assert set(transaction.photos.iter_storage_keys()) == {
            photo.storage_key,
            preview.storage_key,
        }
        assert transaction.previews.delete([preview.id]) == [preview.storage_key]
        assert set(transaction.photos.iter_storage_keys()) == {photo.storage_key}
        assert transaction.previews.list_of_case(case.id) == []


def test_previews_go_with_their_photo(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    store_preview(database, a_preview(photo))
    with database.transaction() as transaction:
        transaction.photos.delete_of_case(case.id)
        assert transaction.previews.list_of_case(case.id) == []


def test_all_of_a_case_go_and_none_are_due(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    keys = {store_preview(database, a_preview(photo, age)).storage_key for age in (10, 23)}
    with database.transaction() as transaction:
        transaction.previews.set_due(case.id, TODAY)
        assert set(transaction.previews.delete_of_case(case.id)) == keys
        assert transaction.previews.claim_due(TODAY, 9) == []


def test_due_cases_are_claimed_once_the_longest_due_first(database: Database) -> None:
    cases = [store_case(database)[0].id for _ in range(4)]
    with database.transaction() as transaction:
        for case_id, days in zip(cases, (3, 0, 5, -1), strict=True):
            transaction.previews.set_due(case_id, TODAY + timedelta(days=9))
            transaction.previews.set_due(case_id, TODAY - timedelta(days=days))
    with database.transaction() as transaction:
        assert transaction.previews.claim_due(TODAY, 2) == [cases[2], cases[0]]
    with database.transaction() as transaction:
        assert transaction.previews.claim_due(TODAY, 2) == [cases[1]]
        assert transaction.previews.claim_due(TODAY, 2) == []
        transaction.previews.set_due(cases[3], None)
        assert transaction.previews.claim_due(TODAY + timedelta(days=99), 2) == []


def test_two_callers_claim_different_cases(database: Database) -> None:
    cases = [store_case(database)[0].id for _ in range(2)]
    with database.transaction() as transaction:
        for case_id in cases:
            transaction.previews.set_due(case_id, TODAY)
    with database.transaction() as one, database.transaction() as other:
        assert one.previews.claim_due(TODAY, 1) == [cases[0]]
        assert other.previews.claim_due(TODAY, 1) == [cases[1]]


def test_the_age_that_a_face_looks_is_saved(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    photo.estimated_age = EstimatedAge(7.5, 5.0, 10.25)
    with database.transaction() as transaction:
        transaction.photos.save(photo)
    with database.transaction() as transaction:
        assert transaction.photos.get(photo.id) == photo
