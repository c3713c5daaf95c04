"""TemplateRepository, in memory and on PostgreSQL."""

from dataclasses import replace

import numpy as np
import pytest

from reunite.gallery.port import FACT_DTYPE, TemplateSpace, make_facts
from reunite.kernel.errors import InvalidInputError, NotFoundError
from reunite.kernel.people import Side
from reunite.ports import Database, TemplateRepository
from reunite.testing.factories import (
    SPACE,
    make_photo,
    make_template_facts,
    make_vectors,
    store_case,
    store_template,
)
from tests.contract.undoing import undone

OTHER_SPACE = replace(SPACE, adapter_digest="ad" * 32)
HALF_PRECISION = 2**-10  # of values up to one


def add_synthetic(database: Database, n: int, space: TemplateSpace = SPACE, seed: int = 5) -> None:
    with database.transaction() as transaction:
        vectors = make_vectors(n, dim=space.dim, seed=seed)
        assert transaction.templates.add_synthetic(vectors, space, make_template_facts(n)) == n


def all_ids(templates: TemplateRepository, space: TemplateSpace = SPACE) -> list[int]:
    return [int(i) for batch in templates.iter_enrolments(space) for i in batch.template_ids]


def test_a_template_comes_back_with_its_vector_and_facts(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    vector = make_vectors(1)[0]
    facts = make_facts(1)
    facts[0] = (case.id, Side.FOUND, 3, 2, 1999, -7, 20_501)
    with database.transaction() as transaction:
        template_id = transaction.templates.add(photo, vector, SPACE, facts)
    with database.transaction() as transaction:
        enrolment = transaction.templates.get_enrolment([template_id], SPACE)
        found = transaction.templates.find_of_photo(photo.id, SPACE)
        listed = transaction.templates.list_of_case(case.id, SPACE)
    assert enrolment.space == SPACE
    assert enrolment.template_ids.tolist() == [template_id]
    assert enrolment.facts.dtype == FACT_DTYPE
    assert enrolment.facts.tolist() == facts.tolist()
    assert enrolment.vectors.dtype == np.float32
    assert found is not None
    assert found[0] == template_id
    assert [(i, p) for i, p, _ in listed] == [(template_id, photo.id)]
    for stored in (enrolment.vectors[0], found[1], listed[0][2]):
        assert stored.dtype == np.float32
        np.testing.assert_allclose(stored, vector, atol=HALF_PRECISION)


def test_a_new_template_of_a_photo_replaces_the_old_one_of_its_space(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    first = store_template(database, photo, seed=1)
    other = store_template(database, photo, seed=2, space=OTHER_SPACE)
    second = store_template(database, photo, seed=3)
    assert second not in (first, other)
    with database.transaction() as transaction:
        assert [row[0] for row in transaction.templates.list_of_case(case.id, SPACE)] == [second]
        assert all_ids(transaction.templates) == [second]
        assert all_ids(transaction.templates, OTHER_SPACE) == [other]
        assert transaction.templates.count() == {"photo": 2, "synthetic": 0}


def test_templates_of_two_spaces_are_kept_apart(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    template_id = store_template(database, photo)
    longer = replace(SPACE, dim=16)
    with database.transaction() as transaction:
        assert transaction.templates.find_of_photo(photo.id, OTHER_SPACE) is None
        assert transaction.templates.list_of_case(photo.case_id, longer) == []
        for space in (OTHER_SPACE, longer):
            enrolment = transaction.templates.get_enrolment([template_id], space)
            assert enrolment.vectors.shape == (0, space.dim)
            assert list(transaction.templates.iter_enrolments(space)) == []


def test_everything_is_read_in_batches_by_id(database: Database) -> None:
    add_synthetic(database, 7)
    add_synthetic(database, 3, OTHER_SPACE)
    add_synthetic(database, 4, seed=6)
    with database.transaction() as transaction:
        batches = list(transaction.templates.iter_enrolments(SPACE, batch=3))
        ids = [int(i) for batch in batches for i in batch.template_ids]
        assert transaction.templates.list_ids(SPACE).tolist() == ids
        assert len(transaction.templates.list_ids(OTHER_SPACE)) == 3
        nothing = transaction.templates.list_ids(replace(SPACE, dim=16))
        assert nothing.shape == (0,)
        assert nothing.dtype == np.int64
    assert len(ids) == 11
    assert ids == sorted(set(ids))
    assert all(0 < len(batch.template_ids) <= 3 for batch in batches)
    assert all(len(b.vectors) == len(b.facts) == len(b.template_ids) for b in batches)
    vectors = np.concatenate([batch.vectors for batch in batches])
    expected = np.concatenate([make_vectors(7, seed=5), make_vectors(4, seed=6)])
    np.testing.assert_allclose(vectors, expected, atol=HALF_PRECISION)


def test_synthetic_templates_belong_to_nobody(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    template_id = store_template(database, photo)
    facts = make_template_facts(3)
    facts["subject_id"] = [-1, -2, -3]
    with database.transaction() as transaction:
        assert transaction.templates.add_synthetic(make_vectors(3), SPACE, facts) == 3
        assert transaction.templates.count() == {"photo": 1, "synthetic": 3}
        ids = all_ids(transaction.templates)
        stored = transaction.templates.get_enrolment(ids[::-1], SPACE)
        subjects = dict(
            zip(stored.template_ids.tolist(), stored.facts["subject_id"].tolist(), strict=True)
        )
        assert subjects == dict(zip(ids, [photo.case_id, -1, -2, -3], strict=True))
        owners = transaction.templates.photos_of([*ids, 999])
        assert owners == {template_id: (photo.case_id, photo.id)}
        assert transaction.templates.photos_of([]) == {}
        assert transaction.templates.delete_synthetic() == 3
        assert transaction.templates.delete_synthetic() == 0
        assert all_ids(transaction.templates) == [template_id]


def test_nothing_is_added_of_nothing(database: Database) -> None:
    with database.transaction() as transaction:
        assert transaction.templates.add_synthetic(make_vectors(0), SPACE, make_facts(0)) == 0
        assert transaction.templates.get_enrolment([], SPACE).vectors.shape == (0, SPACE.dim)
        assert all_ids(transaction.templates) == []


def test_templates_of_a_case_are_erased(database: Database) -> None:
    case, photos = store_case(database, photos=2)
    ids = [store_template(database, photo) for photo in photos]
    _, (other,) = store_case(database, photos=1)
    kept = store_template(database, other)
    with database.transaction() as transaction:
        assert sorted(transaction.templates.delete_of_case(case.id)) == ids
        assert transaction.templates.delete_of_case(case.id) == []
    with database.transaction() as transaction:
        assert all_ids(transaction.templates) == [kept]
        assert transaction.templates.photos_of([*ids, kept]).keys() == {kept}


def test_what_cannot_be_stored_is_refused(database: Database) -> None:
    _, (photo,) = store_case(database, photos=1)
    with database.transaction() as transaction:
        with pytest.raises(InvalidInputError) as refused:
            transaction.templates.add(photo, make_vectors(1, dim=9)[0], SPACE, make_facts(1))
        assert refused.value.code == "vector_dimension"
        with pytest.raises(InvalidInputError) as refused:
            transaction.templates.add_synthetic(make_vectors(2), SPACE, make_facts(1))
        assert refused.value.code == "enrolment_lengths"
        erased = make_photo(photo.case_id)
        with pytest.raises(NotFoundError):
            transaction.templates.add(erased, make_vectors(1)[0], SPACE, make_facts(1))


def test_changes_tell_what_came_and_what_went(database: Database) -> None:
    # A change may be told twice where something else on the server is still under way.
    case, (photo,) = store_case(database, photos=1)
    before = store_template(database, photo)
    with database.transaction() as transaction:
        start = transaction.templates.position()
        assert set(transaction.templates.changes_since(start).added) <= {before}
    replaced = store_template(database, photo, seed=2)
    add_synthetic(database, 3)
    with database.transaction() as transaction:
        change = transaction.templates.changes_since(start)
        synthetic = [i for i in all_ids(transaction.templates) if i != replaced]
    assert [i for i in change.added if i != before] == [replaced, *synthetic]
    assert list(change.removed) == [before]
    with database.transaction() as transaction:
        transaction.templates.delete_of_case(case.id)
        transaction.templates.delete_synthetic()
    with database.transaction() as transaction:
        later = transaction.templates.changes_since(change.position)
    assert set(later.removed) - {before} == {replaced, *synthetic}
    assert later.position >= change.position >= start


def test_erasing_photos_is_a_change_too(database: Database) -> None:
    case, (photo,) = store_case(database, photos=1)
    template_id = store_template(database, photo)
    with database.transaction() as transaction:
        start = transaction.templates.position()
    with database.transaction() as transaction:
        transaction.photos.delete_of_case(case.id)
    with database.transaction() as transaction:
        assert list(transaction.templates.changes_since(start).removed) == [template_id]


def test_what_was_undone_is_no_change(database: Database) -> None:
    with database.transaction() as transaction:
        start = transaction.templates.position()
    with undone(database) as transaction:
        transaction.templates.add_synthetic(make_vectors(2), SPACE, make_template_facts(2))
    with database.transaction() as transaction:
        change = transaction.templates.changes_since(start)
    assert not change.added
    assert not change.removed
