"""The contract, death and recovery of shards that are Ray actors.  No mocks here."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("ray")

from reunite.gallery.depth import FULL_DEPTH
from reunite.gallery.port import ADMIT_ALL, Gallery, TemplateSpace
from reunite.gallery.ray_shards import RayShard, cluster
from reunite.gallery.settings import GallerySettings
from reunite.gallery.sharded import ShardedGallery, shard_of
from tests.contract.gallery_contract import (
    SPACE,
    BruteForce,
    GalleryContract,
    GalleryFactory,
    assert_found,
    enrolment,
    probes_of,
    unit_vectors,
)
from tests.contract.stored import StoredTemplates
from tests.unit.gallery.disk import scratch_folder

# Ray leaves sockets and log files to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SETTINGS = GallerySettings(depth=FULL_DEPTH, threads=1)


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    with cluster(processors=2):
        yield


@contextmanager
def sharded(folder: Path, n: int) -> Iterator[tuple[ShardedGallery, list[RayShard]]]:
    shards = [RayShard(folder / str(number), SPACE, SETTINGS) for number in range(n)]
    for shard in shards:
        shard.wait_until_ready()
    stored = StoredTemplates(SPACE.dim)
    gallery = ShardedGallery(SPACE, shards, templates=stored, depth=FULL_DEPTH, search_seconds=60)
    stored.follow(gallery)
    try:
        yield gallery, shards
    finally:
        gallery.close()


@pytest.fixture(scope="module")
def shared(ray_cluster: None) -> Iterator[ShardedGallery]:
    with scratch_folder() as folder, sharded(folder, 2) as (gallery, _):
        yield gallery


class TestRay(GalleryContract):
    """The contract; the actors are shared and emptied between tests, for time's sake."""

    @pytest.fixture
    def factory(self, shared: ShardedGallery) -> GalleryFactory:
        @contextmanager
        def emptied(space: TemplateSpace) -> Iterator[Gallery]:
            assert space == shared.space
            stored = shared._templates
            assert isinstance(stored, StoredTemplates)
            shared.remove(stored.ids)
            yield shared

        return emptied


def test_equals_brute_force_and_survives_the_death_of_a_shard(ray_cluster: None) -> None:
    brute = BruteForce()
    with scratch_folder() as folder:
        with sharded(folder, 2) as (gallery, shards):
            added = enrolment(1, 120)
            gallery.add(added)
            brute.add(added)
            assert gallery.remove([3, 4, 500]) == brute.remove([3, 4, 500])
            asked = unit_vectors(5, 1)[0]
            assert_found(
                gallery.search(probes_of(asked), 200), 0, brute.search(asked, 200, ADMIT_ALL)
            )
            shards[0].kill()
            hits = gallery.search(probes_of(asked), 200)
            alive = shard_of(added.template_ids, 2) == 1
            gone = sum(one in added.template_ids[alive] for one in (3, 4))
            assert hits.incomplete
            assert hits.searched == alive.sum() - gone
            wait_until_whole(gallery)
            again = enrolment(500, 10)
            gallery.add(again)
            brute.add(again)
            assert_found(
                gallery.search(probes_of(asked), 200), 0, brute.search(asked, 200, ADMIT_ALL)
            )
        # Opened anew by other actors, from the segments alone.
        with sharded(folder, 2) as (gallery, _):
            assert len(gallery) == len(brute.rows)


def wait_until_whole(gallery: Gallery) -> None:
    until = time.monotonic() + 20
    while gallery.search(probes_of(unit_vectors(5, 1))).incomplete:
        assert time.monotonic() < until, "the shard did not come back"
        time.sleep(0.05)
