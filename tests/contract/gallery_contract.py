"""What every gallery must do, whatever engine is behind the port.

``GalleryContract`` asks for a ``factory`` fixture: a callable that takes a template space
and returns a context manager giving an empty gallery of that space.  The gallery is
expected to return what an exact search would: engines that approximate run with full
re-ranking here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reunite.gallery.port import (
    ADMIT_ALL,
    MAX_HITS,
    NO_TEMPLATE,
    Enrolment,
    Facts,
    Filter,
    Float32,
    Gallery,
    Hits,
    Probes,
    TemplateSpace,
    make_facts,
)
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.people import Module, Sex, Side, YearRange

GalleryFactory = Callable[[TemplateSpace], AbstractContextManager[Gallery]]

Found = tuple[list[int], list[float], list[int], int]  # ids, similarity, subjects, searched

EPOCH = date(1970, 1, 1)
DIM = 24
SPACE = TemplateSpace("0f" * 32, "identity", DIM)
OTHER_SPACE = TemplateSpace("f0" * 32, "identity", DIM)

# A factory keeps no state between examples, so sharing the fixture is safe.
EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def unit_vectors(seed: int, n: int, dim: int = DIM) -> Float32:
    """Random directions, float32 array of shape (n, dim)."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def random_facts(seed: int, n: int) -> Facts:
    """Facts with few enough values that filters hit and miss, some of them unknown."""
    rng = np.random.default_rng(seed)
    facts = make_facts(n)
    facts["subject_id"] = rng.integers(1, 1 + max(1, n // 2), n)
    facts["side"] = rng.integers(1, 3, n)
    facts["module"] = rng.integers(1, 4, n)
    facts["sex"] = rng.integers(0, 3, n)
    facts["birth_year"] = rng.choice([0, 1948, 1949, 1950, 1987, 1990, 2003, 2019], n)
    facts["region"] = rng.choice([0, 1, 2, 11, 33], n)
    facts["seen_day"] = rng.choice([0, -400, 7000, 14000, 20000, 20001], n)
    return facts


def enrolment(first_id: int, n: int, seed: int = 0, space: TemplateSpace = SPACE) -> Enrolment:
    """``n`` random templates with ids from ``first_id`` on."""
    ids = np.arange(first_id, first_id + n, dtype=np.int64)
    return Enrolment(space, ids, unit_vectors(seed, n, space.dim), random_facts(seed + 1, n))


def probes_of(vectors: Float32, space: TemplateSpace = SPACE) -> Probes:
    """Probes of ``space``; a single vector may be given without its first axis."""
    return Probes(space, np.atleast_2d(vectors))


@dataclass
class BruteForce:
    """The same gallery as a dictionary and a loop, to compare with."""

    rows: dict[int, tuple[Float32, np.void]] = field(default_factory=dict)

    def add(self, new: Enrolment) -> None:
        for one, vector, facts in zip(new.template_ids, new.vectors, new.facts, strict=True):
            self.rows[int(one)] = (vector, facts)

    def remove(self, ids: list[int]) -> int:
        return sum(self.rows.pop(one, None) is not None for one in set(ids))

    def search(self, vector: Float32, k: int, wanted: Filter) -> Found:
        admitted = [
            (float(np.float32((row.astype(np.float64) * vector).sum())), one, facts)
            for one, (row, facts) in self.rows.items()
            if admitted_by(wanted, one, facts)
        ]
        best = sorted(admitted, key=lambda hit: (-hit[0], hit[1]))[:k]
        return (
            [one for _, one, _ in best],
            [similarity for similarity, _, _ in best],
            [int(facts["subject_id"]) for _, _, facts in best],
            len(admitted),
        )


def admitted_by(wanted: Filter, template_id: int, facts: np.void) -> bool:
    """One row at a time, written apart from the engines' own filter."""
    year, day = int(facts["birth_year"]), int(facts["seen_day"])
    years = wanted.birth_years
    return (
        (not wanted.sides or int(facts["side"]) in wanted.sides)
        and (not wanted.modules or int(facts["module"]) in wanted.modules)
        and (not wanted.sexes or int(facts["sex"]) in {0, *wanted.sexes})
        and (years is None or year == 0 or years.first <= year <= years.last)
        and (not wanted.regions or int(facts["region"]) in {0, *wanted.regions})
        and (wanted.seen_from is None or day == 0 or EPOCH + timedelta(day) >= wanted.seen_from)
        and (wanted.seen_to is None or day == 0 or EPOCH + timedelta(day) <= wanted.seen_to)
        and int(facts["subject_id"]) not in wanted.excluded_subject_ids
        and template_id not in wanted.excluded_template_ids
    )


def filters() -> st.SearchStrategy[Filter]:
    """Any combination of conditions over the values of ``random_facts``."""
    years = st.tuples(st.integers(1945, 2020), st.integers(0, 60)).map(
        lambda pair: YearRange(pair[0], pair[0] + pair[1])
    )
    days = st.none() | st.sampled_from([-401, -1, 1, 7000, 14001, 20000, 30000]).map(
        lambda day: EPOCH + timedelta(day)
    )
    return st.builds(
        Filter,
        sides=st.frozensets(st.sampled_from(Side)),
        modules=st.frozensets(st.sampled_from(Module)),
        sexes=st.frozensets(st.sampled_from(Sex)),
        birth_years=st.none() | years,
        regions=st.frozensets(st.sampled_from([0, 1, 2, 11, 33, 40_000])),
        seen_from=days,
        seen_to=days,
        excluded_subject_ids=st.frozensets(st.integers(1, 30), max_size=4),
        excluded_template_ids=st.frozensets(st.integers(1, 60), max_size=4),
    )


def assert_found(
    hits: Hits, probe: int, expected: tuple[list[int], list[float], list[int], int]
) -> None:
    """The hits of one probe are these, with the rest of the row left empty."""
    ids, similarity, subjects, searched = expected
    n = len(ids)
    assert hits.template_ids[probe, :n].tolist() == ids
    assert hits.similarity[probe, :n].tolist() == pytest.approx(similarity, abs=1e-6)
    assert hits.subject_ids[probe, :n].tolist() == subjects
    assert (hits.template_ids[probe, n:] == NO_TEMPLATE).all()
    assert (hits.subject_ids[probe, n:] == NO_TEMPLATE).all()
    assert np.isneginf(hits.similarity[probe, n:]).all()
    assert hits.searched == searched
    assert not hits.incomplete


class GalleryContract:
    """The contract of the ``Gallery`` port."""

    @pytest.fixture
    def gallery(self, factory: GalleryFactory) -> Iterator[Gallery]:
        with factory(SPACE) as opened:
            yield opened

    def test_empty_gallery_answers_with_empty_places(self, gallery: Gallery) -> None:
        hits = gallery.search(probes_of(unit_vectors(1, 2)), k=3)
        assert hits.template_ids.shape == (2, 3)
        assert (hits.template_ids == NO_TEMPLATE).all()
        assert hits.searched == 0
        assert len(gallery) == 0
        assert gallery.space == SPACE

    def test_finds_the_face_itself_first(self, gallery: Gallery) -> None:
        added = enrolment(1, 200)
        gallery.add(added)
        hits = gallery.search(probes_of(added.vectors), k=1)
        assert hits.template_ids[:, 0].tolist() == added.template_ids.tolist()
        assert hits.similarity[:, 0] == pytest.approx(1, abs=1e-5)
        assert hits.subject_ids[:, 0].tolist() == added.facts["subject_id"].tolist()
        assert hits.searched == len(gallery) == 200
        assert hits.elapsed_seconds > 0

    def test_equal_faces_are_ordered_by_id(self, gallery: Gallery) -> None:
        rows = np.repeat(unit_vectors(3, 1), 40, axis=0)
        ids = np.random.default_rng(4).permutation(np.arange(1, 41)).astype(np.int64)
        gallery.add(Enrolment(SPACE, ids, rows, random_facts(5, 40)))
        hits = gallery.search(probes_of(unit_vectors(6, 1)), k=10)
        assert hits.template_ids[0].tolist() == list(range(1, 11))

    def test_adding_again_replaces_row_and_facts(self, gallery: Gallery) -> None:
        first, second = enrolment(1, 30, seed=1), enrolment(11, 30, seed=9)
        gallery.add(first)
        gallery.add(second)
        gallery.add(second)
        assert len(gallery) == 40
        hits = gallery.search(probes_of(second.vectors), k=2)
        assert hits.template_ids[:, 0].tolist() == second.template_ids.tolist()
        assert hits.subject_ids[:, 0].tolist() == second.facts["subject_id"].tolist()
        gone = gallery.search(probes_of(first.vectors[15]), k=1)
        assert gone.similarity[0, 0] < 0.99

    def test_removed_faces_do_not_come_back(self, gallery: Gallery) -> None:
        added = enrolment(1, 60)
        gallery.add(added)
        assert gallery.remove([3, 3, 7, 999]) == 2
        assert gallery.remove(np.array([3, 7], dtype=np.int64)) == 0
        assert gallery.remove([]) == 0
        assert len(gallery) == 58
        hits = gallery.search(probes_of(added.vectors[[2, 6]]), k=60)
        assert not np.isin(hits.template_ids, [3, 7]).any()
        assert hits.searched == 58
        gallery.add(added)
        assert gallery.search(probes_of(added.vectors[2]), k=1).template_ids[0, 0] == 3

    def test_a_filter_that_admits_nobody(self, gallery: Gallery) -> None:
        gallery.add(enrolment(1, 50))
        hits = gallery.search(
            probes_of(unit_vectors(1, 1)),
            filter=Filter(excluded_template_ids=frozenset(range(1, 51))),
        )
        assert hits.searched == 0
        assert (hits.template_ids == NO_TEMPLATE).all()

    def test_unknown_facts_are_admitted(self, gallery: Gallery) -> None:
        facts = make_facts(2)
        facts["side"], facts["module"] = Side.MISSING, Module.CHILD
        facts["birth_year"][1] = 1980
        gallery.add(Enrolment(SPACE, np.array([5, 6]), unit_vectors(1, 2), facts))
        hits = gallery.search(
            probes_of(unit_vectors(2, 1)),
            k=5,
            filter=Filter(
                sexes=frozenset({Sex.MALE}),
                birth_years=YearRange(1990, 1999),
                regions=frozenset({3}),
                seen_from=date(2020, 1, 1),
            ),
        )
        assert hits.template_ids[0].tolist() == [5] + 4 * [NO_TEMPLATE]

    def test_ids_as_large_as_the_database_can_give(self, gallery: Gallery) -> None:
        ids = np.array([1, 2**32, 2**32 + 1, 2**63 - 1], dtype=np.int64)
        facts = make_facts(4)
        facts["subject_id"] = ids[::-1]
        gallery.add(Enrolment(SPACE, ids, unit_vectors(3, 4), facts))
        hits = gallery.search(probes_of(unit_vectors(3, 4)), k=1)
        assert hits.template_ids[:, 0].tolist() == ids.tolist()
        assert hits.subject_ids[:, 0].tolist() == ids[::-1].tolist()
        assert gallery.remove(ids[1:]) == 3
        assert len(gallery) == 1

    def test_nothing_to_add_and_nothing_to_ask(self, gallery: Gallery) -> None:
        gallery.add(enrolment(1, 0))
        assert len(gallery) == 0
        hits = gallery.search(Probes(SPACE, np.empty((0, DIM), dtype=np.float32)), k=4)
        assert hits.template_ids.shape == (0, 4)

    @pytest.mark.parametrize(
        ("vectors", "code"),
        [
            (unit_vectors(1, 2, DIM + 1), "vector_dimension"),
            (unit_vectors(1, 1)[0], "vector_dimension"),
            (np.full((2, DIM), np.nan, dtype=np.float32), "vector_not_finite"),
            (np.full((2, DIM), np.inf, dtype=np.float32), "vector_not_finite"),
            (np.zeros((2, DIM), dtype=np.float32), "vector_zero"),
            (unit_vectors(1, 2) * np.float32(1.5), "vector_not_normalised"),
        ],
        ids=["dimension", "one-axis", "nan", "infinite", "zero", "length"],
    )
    def test_malformed_vectors_are_refused(
        self, gallery: Gallery, vectors: Float32, code: str
    ) -> None:
        gallery.add(enrolment(1, 3))
        with pytest.raises(InvalidInputError) as searching:
            gallery.search(Probes(SPACE, vectors))
        assert searching.value.code == code
        n = len(vectors)
        with pytest.raises(InvalidInputError) as adding:
            gallery.add(Enrolment(SPACE, np.arange(50, 50 + n), vectors, make_facts(n)))
        assert adding.value.code == code
        assert len(gallery) == 3

    def test_one_bad_vector_keeps_the_whole_batch_out(self, gallery: Gallery) -> None:
        batch = enrolment(1, 5)
        batch.vectors[4] = 0
        with pytest.raises(InvalidInputError, match="vector_zero"):
            gallery.add(batch)
        assert len(gallery) == 0

    @pytest.mark.parametrize("ids", [[0, 1], [-4, 1], [2, 2]])
    def test_bad_ids_are_refused(self, gallery: Gallery, ids: list[int]) -> None:
        with pytest.raises(InvalidInputError, match="template_ids"):
            gallery.add(Enrolment(SPACE, np.array(ids), unit_vectors(1, 2), make_facts(2)))
        assert len(gallery) == 0

    def test_lengths_that_differ_are_refused(self, gallery: Gallery) -> None:
        with pytest.raises(InvalidInputError, match="enrolment_lengths"):
            gallery.add(Enrolment(SPACE, np.array([1]), unit_vectors(1, 2), make_facts(2)))

    def test_another_models_vectors_are_refused(self, gallery: Gallery) -> None:
        with pytest.raises(InvalidInputError, match="space_mismatch"):
            gallery.search(probes_of(unit_vectors(1, 1), OTHER_SPACE))
        with pytest.raises(InvalidInputError, match="space_mismatch"):
            gallery.add(enrolment(1, 2, space=OTHER_SPACE))

    @pytest.mark.parametrize("k", [-1, 0, MAX_HITS + 1, 1_000_000])
    def test_hits_out_of_range_are_refused(self, gallery: Gallery, k: int) -> None:
        with pytest.raises(InvalidInputError, match="hits_out_of_range"):
            gallery.search(probes_of(unit_vectors(1, 1)), k=k)

    @EXAMPLES
    @given(
        seed=st.integers(0, 2**20),
        n=st.integers(0, 60),
        k=st.integers(1, 70),
        wanted=filters(),
    )
    def test_filtered_search_equals_filtering_an_exact_search(
        self, factory: GalleryFactory, seed: int, n: int, k: int, wanted: Filter
    ) -> None:
        brute, added = BruteForce(), enrolment(1, n, seed)
        brute.add(added)
        asked = unit_vectors(seed + 7, 2)
        with factory(SPACE) as gallery:
            gallery.add(added)
            hits = gallery.search(probes_of(asked), k, wanted)
        for probe, vector in enumerate(asked):
            assert_found(hits, probe, brute.search(vector, k, wanted))

    @EXAMPLES
    @given(data=st.data())
    def test_any_course_of_adds_and_removes_equals_brute_force(
        self, factory: GalleryFactory, data: st.DataObject
    ) -> None:
        brute = BruteForce()
        with factory(SPACE) as gallery:
            for step in range(data.draw(st.integers(1, 6), label="steps")):
                if data.draw(st.booleans(), label="add"):
                    first = data.draw(st.integers(1, 50), label="first id")
                    new = enrolment(first, data.draw(st.integers(0, 30), label="n"), seed=step)
                    gallery.add(new)
                    brute.add(new)
                else:
                    gone = data.draw(st.lists(st.integers(1, 80), max_size=20), label="remove")
                    assert gallery.remove(gone) == brute.remove(gone)
                assert len(gallery) == len(brute.rows)
                asked = unit_vectors(100 + step, 1)[0]
                hits = gallery.search(probes_of(asked), k=100)
                assert_found(hits, 0, brute.search(asked, 100, ADMIT_ALL))
