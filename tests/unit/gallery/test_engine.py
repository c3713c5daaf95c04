"""What the gallery on disk promises beyond the port."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.gallery.depth import FULL_DEPTH, Depth
from reunite.gallery.engine import SegmentGallery
from reunite.gallery.errors import (
    GalleryDamagedError,
    GalleryDiskFullError,
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GallerySpaceError,
)
from reunite.gallery.exact import ExactGallery
from reunite.gallery.port import Enrolment, Filter, Probes, TemplateSpace
from reunite.gallery.settings import GallerySettings, Upkeep
from reunite.kernel.people import Sex, Side, YearRange
from tests.contract.gallery_contract import (
    EXAMPLES,
    OTHER_SPACE,
    SPACE,
    enrolment,
    filters,
    probes_of,
    unit_vectors,
)
from tests.unit.gallery.disk import scratch_folder

SMALL = GallerySettings(depth=FULL_DEPTH, upkeep=Upkeep(tail_rows=32), threads=2)


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as place:
        yield place / "gallery"


def opened(folder: Path, *, writable: bool = True) -> SegmentGallery:
    return SegmentGallery(folder, SPACE, writable=writable, settings=SMALL)


def ids_found(gallery: SegmentGallery, k: int = 500) -> set[int]:
    hits = gallery.search(probes_of(unit_vectors(9, 1)), k)
    return set(hits.template_ids[0].tolist()) - {-1}


class TestLife:
    def test_what_was_added_is_there_after_opening_again(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 100))
            gallery.remove([5, 50])
        with opened(folder) as gallery:
            assert len(gallery) == 98
            assert ids_found(gallery) == set(range(1, 101)) - {5, 50}

    def test_opening_needs_no_space_where_a_gallery_is(self, folder: Path) -> None:
        opened(folder).close()
        with SegmentGallery(folder) as gallery:
            assert gallery.space == SPACE

    def test_no_gallery_here(self, folder: Path) -> None:
        with pytest.raises(GalleryMissingError):
            SegmentGallery(folder)
        with pytest.raises(GalleryMissingError):
            SegmentGallery(folder, SPACE, writable=False)

    def test_another_space_is_refused(self, folder: Path) -> None:
        opened(folder).close()
        with pytest.raises(GallerySpaceError, match="gallery_space_differs"):
            SegmentGallery(folder, OTHER_SPACE)

    def test_no_code_for_so_many_dimensions(self, folder: Path) -> None:
        with pytest.raises(GallerySpaceError, match="gallery_dimension"):
            SegmentGallery(folder, TemplateSpace("00", "identity", 1024))

    def test_two_writers(self, folder: Path) -> None:
        with opened(folder), pytest.raises(GalleryLockedError) as refused:
            opened(folder)
        assert int(str(refused.value.details["process_id"])) > 0
        opened(folder).close()

    def test_ids(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(50, 40))
            gallery.add(enrolment(1, 2))
            gallery.remove([51])
            assert gallery.template_ids().tolist() == [1, 2, 50, *range(52, 90)]

    def test_status(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 40))
            gallery.add(enrolment(41, 3))
            gallery.remove([1])
            status = gallery.status()
        assert (status.live, status.dead, status.segments, status.tail) == (42, 1, 1, 3)
        assert status.hot_bytes == 43 * 64
        assert not status.incomplete


class TestReaders:
    def test_a_reader_sees_every_acknowledged_change(self, folder: Path) -> None:
        with opened(folder) as writer, opened(folder, writable=False) as reader:
            for step in range(12):
                writer.add(enrolment(1 + 10 * step, 10, seed=step))
                writer.remove([1 + 10 * step])
                if step == 8:
                    writer.compact()
                assert len(reader) == len(writer)
                assert ids_found(reader) == ids_found(writer)

    def test_a_reader_cannot_write(self, folder: Path) -> None:
        opened(folder).close()
        with opened(folder, writable=False) as reader:
            with pytest.raises(GalleryReadOnlyError):
                reader.add(enrolment(1, 1))
            with pytest.raises(GalleryReadOnlyError):
                reader.remove([1])
            with pytest.raises(GalleryReadOnlyError):
                reader.compact()

    def test_searches_while_writing_and_compacting(self, folder: Path) -> None:
        settings = replace(SMALL, upkeep=Upkeep(16, dead_share=0.01, every_seconds=0.001))
        kept = enrolment(1, 40, seed=3)
        over, wrong = threading.Event(), []

        def search(gallery: SegmentGallery) -> None:
            while not over.is_set():
                hits = gallery.search(probes_of(kept.vectors[:4]), k=1)
                if hits.template_ids[:, 0].tolist() != [1, 2, 3, 4]:
                    wrong.append(hits.template_ids)

        with SegmentGallery(folder, SPACE, settings=settings) as gallery:
            gallery.add(kept)
            gallery.start_upkeep()
            threads = [threading.Thread(target=search, args=(gallery,)) for _ in range(3)]
            for thread in threads:
                thread.start()
            for step in range(40):
                gallery.add(enrolment(1000 + step, 8, seed=step))
                gallery.remove(range(1000 + step, 1005 + step))
                gallery.add(kept)
            over.set()
            for thread in threads:
                thread.join()
        assert not wrong


class TestFilters:
    @EXAMPLES
    @given(seed=st.integers(0, 2**16), wanted=filters())
    def test_pruned_search_equals_exact(self, seed: int, wanted: Filter) -> None:
        added = enrolment(1, 300, seed)
        exact = ExactGallery(SPACE)
        exact.add(added)
        rows = dict(zip(added.template_ids.tolist(), added.vectors, strict=True))
        with (
            scratch_folder() as folder,
            SegmentGallery(
                folder,
                SPACE,
                templates=lambda ids: np.array([rows[one] for one in ids.tolist()]),
                settings=SMALL,
            ) as gallery,
        ):
            gallery.rebuild(SPACE, [added])
            asked = probes_of(unit_vectors(seed + 1, 3))
            ours, theirs = gallery.search(asked, 40, wanted), exact.search(asked, 40, wanted)
        assert ours.searched == theirs.searched
        assert (ours.template_ids == theirs.template_ids).all()
        assert (ours.similarity == theirs.similarity).all()

    def test_subjects_beyond_32_bits_are_excluded_exactly(self, folder: Path) -> None:
        added = enrolment(1, 64)
        added.facts["subject_id"] = np.where(np.arange(64) < 10, 7, 7 + (1 << 32))
        with opened(folder) as gallery:
            gallery.add(added)
            hits = gallery.search(
                probes_of(unit_vectors(1, 1)), filter=Filter(excluded_subject_ids=frozenset({7}))
            )
        assert hits.searched == 54

    def test_partitions_are_skipped_unread(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.rebuild(SPACE, [enrolment(1, 4000)])
            hits = gallery.search(
                probes_of(unit_vectors(1, 1)),
                filter=Filter(
                    sides=frozenset({Side.FOUND}),
                    sexes=frozenset({Sex.MALE}),
                    birth_years=YearRange(1980, 1989),
                ),
            )
        assert 0 < hits.searched < 2000


class TestFiltersThatComeAgain:
    def test_a_remembered_filter_knows_what_was_removed_and_added_since(self, folder: Path) -> None:
        # More filters than are remembered, each again and again between changes.
        wanted = [Filter(birth_years=YearRange(1900, year)) for year in range(1985, 1995)]
        plain = ExactGallery(SPACE)
        probe = probes_of(unit_vectors(9, 1))
        with opened(folder) as gallery:
            for step in range(4):
                added = enrolment(1 + 100 * step, 100)
                for each in (gallery, plain):
                    each.add(added)
                    each.remove([2 + 100 * step, 50])
                for one in (*wanted, Filter(), *wanted):
                    ours, theirs = gallery.search(probe, 500, one), plain.search(probe, 500, one)
                    assert ours.searched == theirs.searched
                    assert set(ours.template_ids[0]) == set(theirs.template_ids[0])


class TestUpkeep:
    def test_compaction_takes_the_dead_off_the_disk(self, folder: Path) -> None:
        with opened(folder) as gallery:
            added = enrolment(1, 400)
            gallery.add(added)
            gallery.remove(range(1, 101))
            before = gallery.status()
            report = gallery.compact()
            after = gallery.status()
            assert before.dead == report.rows_erased == 100
            assert after.dead == 0
            assert after.size_bytes < before.size_bytes
            assert ids_found(gallery) == set(range(101, 401))
            gallery.add(enrolment(500, 3))
            gallery.remove([500])
            gallery.compact()
            on_disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        gone = np.array([500], dtype="<i8").tobytes()
        assert gone not in on_disk

    def test_the_dead_are_gone_within_the_promised_time(self, folder: Path) -> None:
        now = [1_000_000.0]
        settings = replace(SMALL, upkeep=Upkeep(32, erase_within_seconds=3600, dead_share=0.9))
        with SegmentGallery(folder, SPACE, settings=settings, clock=lambda: now[0]) as gallery:
            gallery.add(enrolment(1, 100))
            gallery.add(enrolment(201, 10))
            gallery.remove([3, 205])
            gallery.compact(everything=False)
            assert gallery.status().dead == 2
            report = gallery.verify([])
            assert report.awaiting_erasure == 2
            now[0] += 1900
            gallery.compact(everything=False)
            assert gallery.status().dead == 0

    def test_small_segments_are_merged(self, folder: Path) -> None:
        settings = replace(SMALL, upkeep=Upkeep(tail_rows=8, most_segments=4))
        with SegmentGallery(folder, SPACE, settings=settings) as gallery:
            gallery.add(enrolment(1, 64))
            for step in range(12):
                gallery.add(enrolment(100 + 8 * step, 8))
            gallery.compact(everything=False)
            assert gallery.status().segments <= 4
            assert len(ids_found(gallery)) == 160

    def test_verify(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 50))
            assert gallery.verify(range(1, 51)).is_sound
            report = gallery.verify([*range(3, 51), 99])
        assert report.rows_without_record.tolist() == [1, 2]
        assert report.records_without_row.tolist() == [99]
        assert not report.is_sound


class TestRebuild:
    def test_another_space_takes_over_at_once(self, folder: Path) -> None:
        other = TemplateSpace("cd" * 32, "identity", 200)
        seen: list[int] = []
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 60))

            def batches() -> Iterator[Enrolment]:
                for first in (1, 31):
                    yield enrolment(first, 30, space=other)
                    assert gallery.space == SPACE
                    assert len(ids_found(gallery)) == 60 - len(seen) + 1
                    gallery.remove([first])

            report = gallery.rebuild(other, batches(), seen.append)
            assert seen == [30, 60]
            assert report.faces == len(gallery) == 58
            assert gallery.space == other
            hits = gallery.search(probes_of(unit_vectors(0, 3, 200), other), k=1)
            assert hits.template_ids[:, 0].tolist()[1:] == [2, 3]
        with SegmentGallery(folder, other) as gallery:
            assert len(gallery) == 58

    def test_changes_meanwhile_are_kept(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 60))

            def batches() -> Iterator[Enrolment]:
                gallery.add(enrolment(101, 40))
                yield enrolment(1, 50)
                gallery.remove([2, 101])
                gallery.add(enrolment(200, 2))

            report = gallery.rebuild(SPACE, batches())
            assert report.carried == 41
            expected = {*range(1, 51), *range(102, 141), 200, 201} - {2}
            assert ids_found(gallery) == expected
        with opened(folder) as gallery:
            assert ids_found(gallery) == expected

    def test_faces_added_meanwhile_in_the_old_space_are_reported(self, folder: Path) -> None:
        other = replace(SPACE, adapter_digest="ef" * 32)
        with opened(folder) as gallery:

            def batches() -> Iterator[Enrolment]:
                gallery.add(enrolment(70, 2))
                yield enrolment(1, 5, space=other)

            report = gallery.rebuild(other, batches())
        assert report.missed_template_ids.tolist() == [70, 71]
        assert report.faces == 5

    def test_a_failed_rebuild_leaves_the_old_gallery(self, folder: Path) -> None:
        def batches() -> Iterator[Enrolment]:
            yield enrolment(1, 5)
            raise RuntimeError("the database went away")

        with opened(folder) as gallery:
            gallery.add(enrolment(1, 60))
            with pytest.raises(RuntimeError, match="went away"):
                gallery.rebuild(SPACE, batches())
            assert len(ids_found(gallery)) == 60
            assert not list(folder.glob("build-*"))

    def test_of_an_id_that_comes_twice_the_later_stays(self, folder: Path) -> None:
        with opened(folder) as gallery:
            later = enrolment(5, 10, seed=8)
            report = gallery.rebuild(SPACE, [enrolment(1, 10), later])
            assert report.faces == 14
            hits = gallery.search(Probes(SPACE, later.vectors), k=1)
            assert hits.template_ids[:, 0].tolist() == list(range(5, 15))


class TestDamage:
    @pytest.mark.parametrize("file", ["meta.bin", "parts.bin"])
    def test_flipped_bits_in_facts_are_found_when_opening(self, folder: Path, file: str) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 64))
        flip(next(folder.glob(f"segment-*/{file}")))
        with pytest.raises(GalleryDamagedError):
            opened(folder)

    @pytest.mark.parametrize("file", ["head.bin", "tail.bin", "rows.bin"])
    def test_flipped_bits_in_codes_are_found_by_verify(self, folder: Path, file: str) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 64))
            gallery.add(enrolment(101, 64))
            flip(min(folder.glob(f"segment-*/{file}")))
            report = gallery.verify([*range(1, 65), *range(101, 165)])
            assert report.damaged_segments == ("segment-000002",)
            hits = gallery.search(probes_of(unit_vectors(1, 1)), k=200)
            assert hits.incomplete
            assert hits.searched == 64
            assert gallery.status().incomplete
            gallery.rebuild(SPACE, [enrolment(1, 64)])
            assert not gallery.search(probes_of(unit_vectors(1, 1))).incomplete

    def test_a_missing_file(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 64))
        next(folder.glob("segment-*/rows.bin")).unlink()
        with pytest.raises(GalleryDamagedError):
            opened(folder)

    def test_a_spoilt_manifest(self, folder: Path) -> None:
        opened(folder).close()
        flip(folder / "manifest.json")
        with pytest.raises(GalleryDamagedError):
            opened(folder)

    def test_a_log_torn_anywhere_keeps_what_came_before(self, folder: Path) -> None:
        settings = GallerySettings(upkeep=Upkeep(), threads=1)
        ends = [0]
        with SegmentGallery(folder, SPACE, settings=settings) as gallery:
            log = next(folder.glob("log-*"))
            for step in range(4):
                gallery.add(enrolment(1 + step, 1))
                ends.append(log.stat().st_size)
        whole = log.read_bytes()
        for size in range(len(whole), -1, -37):
            log.write_bytes(whole[:size])
            with SegmentGallery(folder, SPACE, settings=settings) as gallery:
                assert len(gallery) == sum(end <= size for end in ends) - 1
                gallery.add(enrolment(9, 1))
            with SegmentGallery(folder, SPACE, writable=False, settings=settings) as gallery:
                assert 9 in ids_found(gallery)

    def test_a_log_broken_in_the_middle_is_damage(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 4))
            gallery.add(enrolment(5, 4))
        flip(next(folder.glob("log-*")), at=100)
        with pytest.raises(GalleryDamagedError):
            opened(folder)


def flip(path: Path, at: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 0x10
    path.write_bytes(data)


class TestFullDisk:
    def test_nothing_acknowledged_is_lost(self, folder: Path) -> None:
        settings = GallerySettings(depth=FULL_DEPTH, threads=1)
        with SegmentGallery(folder, SPACE, settings=settings) as gallery:
            gallery.add(enrolment(1, 40))
            log = next(folder.glob("log-*"))
            with largest_file(log.stat().st_size + 5000):
                gallery.add(enrolment(41, 5))
                with pytest.raises(GalleryDiskFullError):
                    gallery.add(enrolment(101, 60))
                with pytest.raises(GalleryDiskFullError):
                    gallery.remove(range(1, 2000))
                assert ids_found(gallery) == set(range(1, 46))
            gallery.add(enrolment(101, 60))
            expected = {*range(1, 46), *range(101, 161)}
            assert ids_found(gallery) == expected
        with SegmentGallery(folder, SPACE, settings=settings) as gallery:
            assert ids_found(gallery) == expected

    def test_sealing_and_compaction_wait_for_room(self, folder: Path) -> None:
        with opened(folder) as gallery:
            gallery.add(enrolment(1, 400))
            gallery.remove(range(1, 50))
            with largest_file(20_000), pytest.raises(GalleryDiskFullError):
                gallery.compact()
            assert ids_found(gallery) == set(range(50, 401))
            with largest_file(20_000), pytest.raises(GalleryDiskFullError):
                gallery.rebuild(SPACE, [enrolment(1, 400)])
            assert ids_found(gallery) == set(range(50, 401))
            gallery.compact()
            assert gallery.status().dead == 0
            assert not [path for path in folder.iterdir() if path.name.endswith(".new")]


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond this; the error is the disk's own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestDepth:
    def test_grows_with_the_gallery(self) -> None:
        depth = Depth()
        assert depth.candidates(1000, 10) == 512
        assert depth.candidates(1_000_000, 50) == 1500
        assert 5900 < depth.candidates(10_000_000, 50) < 6000
        assert depth.candidates(1000, 5000) == 40_000
        assert depth.finalists(1000, 50) == 132

    def test_threads_and_sampling_do_not_change_the_answer(self, folder: Path) -> None:
        space = TemplateSpace("aa" * 32, "identity", 64)
        added = enrolment(1, 30_000, space=space)
        with SegmentGallery(folder, space) as gallery:
            gallery.rebuild(space, [added])
        asked = probes_of(unit_vectors(4, 5, 64), space)
        found = []
        for threads, groups in ((1, 1 << 13), (3, 64), (2, 200)):
            settings = GallerySettings(threads=threads, groups_at_once=groups)
            with SegmentGallery(folder, space, settings=settings) as gallery:
                hits = gallery.search(asked, 10)
                found.append(hits.template_ids.tolist())
        assert found[0] == found[1] == found[2]
