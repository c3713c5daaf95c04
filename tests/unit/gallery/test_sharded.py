"""Sharding, with the shards as threads."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reunite.gallery.errors import ShardUnavailableError
from reunite.gallery.settings import GallerySettings
from reunite.gallery.sharded import ShardedGallery, ThreadShard, shard_of
from tests.contract.gallery_contract import SPACE, enrolment, probes_of, unit_vectors
from tests.unit.gallery.disk import scratch_folder

SETTINGS = GallerySettings(threads=1)


@pytest.fixture
def shards() -> Iterator[list[ThreadShard]]:
    with scratch_folder() as folder:
        made = [ThreadShard(Path(folder) / str(n), SPACE, SETTINGS) for n in range(3)]
        yield made
        for shard in made:
            shard.close()


def test_ids_spread_evenly() -> None:
    counts = np.bincount(shard_of(np.arange(1, 30_001), 4))
    assert counts.min() > 7000


def test_a_dead_shard_is_answered_around_and_restored(shards: list[ThreadShard]) -> None:
    gallery = ShardedGallery(SPACE, shards)
    added = enrolment(1, 90)
    gallery.add(added)
    there = shard_of(added.template_ids, 3)
    shards[1].fail()
    hits = gallery.search(probes_of(added.vectors), k=1)
    assert hits.incomplete
    assert hits.searched == (there != 1).sum()
    found = hits.template_ids[:, 0] == added.template_ids
    assert found[there != 1].all()
    whole = gallery.search(probes_of(added.vectors), k=1)
    assert not whole.incomplete
    assert whole.searched == 90
    assert (whole.template_ids[:, 0] == added.template_ids).all()


def test_a_change_that_was_not_acknowledged_can_be_sent_again(
    shards: list[ThreadShard],
) -> None:
    gallery = ShardedGallery(SPACE, shards)
    shards[2].fail()
    with pytest.raises(ShardUnavailableError):
        gallery.add(enrolment(1, 30))
    gallery.add(enrolment(1, 30))
    assert len(gallery) == 30
    shards[0].fail()
    with pytest.raises(ShardUnavailableError):
        gallery.remove(range(1, 31))
    gallery.remove(range(1, 31))
    assert len(gallery) == 0
    assert gallery.search(probes_of(unit_vectors(1, 1))).searched == 0


def test_compaction_reaches_every_shard(shards: list[ThreadShard]) -> None:
    gallery = ShardedGallery(SPACE, shards)
    gallery.add(enrolment(1, 30))
    gallery.compact()
    gallery.remove(range(1, 11))
    assert gallery.compact() == 10
