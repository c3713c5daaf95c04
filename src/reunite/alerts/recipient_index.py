"""Who is a recipient of a notice, and in which chunk: found without reading the chunks.

Chunks are in the order of distance, so somebody's own chunk cannot be guessed from their id.
The index sorts the recipients of up to a thousand chunks by id and cuts them into buckets of
1,024 neighbouring ids; a look into somebody's inbox reads one bucket a notice.  One row of a
bucket stands for about a hundred recipients of a city-wide alert, which is why a million
inboxes are filled in a fraction of the time that a million rows take.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import AccountId

Int64 = npt.NDArray[np.int64]

BUCKET_BITS = 10
PART_CHUNKS = 1000  # of chunks that are sorted together; bounds the memory
_PLACE_BITS = 10
_SLOT_BITS = 2 * _PLACE_BITS
_WIDEST_ID_BITS = 63 - _SLOT_BITS
_OFFSETS, _SLOTS = np.dtype("<u2"), np.dtype("<u4")
_ENTRY_BYTES = _OFFSETS.itemsize + _SLOTS.itemsize


@dataclass(frozen=True, slots=True)
class Bucket:
    """The recipients among 1,024 neighbouring ids.

    ``entries`` holds their ids within the bucket, ascending, as little-endian uint16, then
    for each its place as little-endian uint32: the chunk within the part, times 1,024, plus
    the position in that chunk.
    """

    number: int
    entries: bytes


def bucket_of(account_id: AccountId) -> int:
    """In which bucket somebody is."""
    return account_id >> BUCKET_BITS


def iter_buckets(chunks: Sequence[Int64]) -> Iterator[Bucket]:
    """Index one part of an audience.

    chunks : the account ids of each chunk, int64 of shape (n,) with n at most 1,024; every id is
    positive and stands in one place only

    Takes O(n log n).
    """
    if not chunks:
        return
    places = [(number << _PLACE_BITS) + np.arange(len(ids)) for number, ids in enumerate(chunks)]
    ids, slots = _sorted(np.concatenate(chunks), np.concatenate(places))
    buckets = ids >> BUCKET_BITS
    offsets = (ids & ((1 << BUCKET_BITS) - 1)).astype(_OFFSETS).tobytes()
    packed = slots.astype(_SLOTS).tobytes()
    starts = np.flatnonzero(np.diff(buckets, prepend=-1))
    ends = np.append(starts[1:], len(ids))
    for number, start, end in zip(
        buckets[starts].tolist(), starts.tolist(), ends.tolist(), strict=True
    ):
        yield Bucket(number, offsets[2 * start : 2 * end] + packed[4 * start : 4 * end])


def find_place(entries: bytes, account_id: AccountId) -> tuple[int, int] | None:
    """Somebody's chunk within the part and position in it; None for whoever is no recipient."""
    people = len(entries) // _ENTRY_BYTES
    offsets = np.frombuffer(entries, dtype=_OFFSETS, count=people)
    wanted = account_id & ((1 << BUCKET_BITS) - 1)
    at = int(np.searchsorted(offsets, wanted))
    if at == people or int(offsets[at]) != wanted:
        return None
    slot = int(np.frombuffer(entries, dtype=_SLOTS, offset=people * _OFFSETS.itemsize)[at])
    return divmod(slot, 1 << _PLACE_BITS)


def _sorted(account_ids: Int64, slots: Int64) -> tuple[Int64, Int64]:
    """The ids ascending, and the place of each."""
    if int(account_ids.max()) >> _WIDEST_ID_BITS:
        order = np.argsort(account_ids)
        return account_ids[order], slots[order]
    # Id and place in one number: sorting numbers is several times as fast as argsort.
    keys = (account_ids << _SLOT_BITS) | slots
    keys.sort()
    return keys >> _SLOT_BITS, keys & ((1 << _SLOT_BITS) - 1)
