"""The loops that touch every face, compiled by numba; all run without the interpreter's lock.

A kernel serves both code shapes; the type of its first argument says which: ``ONE_BIT_TAG``
or ``FOUR_BIT_TAG``.

numba keeps what it compiled until this very file changes: after a change to ``lanes`` alone,
touch this one.
"""

from typing import Any

import numba
import numpy as np

from reunite.gallery.lanes import (
    bit_count,
    fetch_ahead,
    first_look,
    full_look,
    lowest_bit,
    second_look,
)

ONE_BIT_TAG = np.int8(1)
FOUR_BIT_TAG = np.int16(4)

NO_LIMIT = np.int64(1 << 40)
_TILE = 32  # groups whose codes stay in the nearest cache while all probes pass over them


@numba.njit(nogil=True, cache=True)
def keep_best(distances: Any, rows: Any, count: int, k: int, histogram: Any) -> Any:
    """Keep the ``k`` nearest of a buffer, the earliest of those that tie at the end.

    Returns how many are left and the distance under which a later row must lie.
    """
    histogram[:] = 0
    for i in range(count):
        histogram[distances[i]] += 1
    below = 0
    limit = 0
    while below + histogram[limit] < k:
        below += histogram[limit]
        limit += 1
    ties = k - below
    kept = 0
    for i in range(count):
        distance = distances[i]
        if distance > limit:
            continue
        if distance == limit:
            if ties == 0:
                continue
            ties -= 1
        distances[kept] = distance
        rows[kept] = rows[i]
        kept += 1
    return kept, limit


@numba.njit(nogil=True, cache=True, boundscheck=False)
def scan(
    tag: Any,
    head: Any,
    tail: Any,
    head_words: int,
    tail_words: int,
    admitted: Any,
    starts: Any,
    ends: Any,
    first_row: int,
    planes: Any,
    rules: Any,
    k: int,
    counts: Any,
    limits: Any,
    distances: Any,
    rows: Any,
    histogram: Any,
) -> None:
    """Compare runs of groups with every probe and keep the nearest rows in the buffers.

    head, tail : flat uint64 arrays of grouped words
    admitted : uint8 array, one byte a group, one bit a row
    starts, ends : int64 arrays of shape (n_runs,), in groups
    planes : uint64 array of shape (n_probes, QUERY_BITS, CODE_WORDS)
    rules : int64 array of shape (2, 2), (unit, gap less slack) of the first two looks
    counts, limits : int64 arrays of shape (n_probes,), carried from call to call
    distances, rows : int32 and int64 arrays of shape (n_probes, capacity)
    histogram : int32 array, longer than the worst distance
    """
    n_probes = planes.shape[0]
    capacity = distances.shape[1]
    scratch = np.empty(8, dtype=np.int64)
    scratch_at = np.int64(scratch.ctypes.data)
    head_at = np.int64(head.ctypes.data)
    tail_at = np.int64(tail.ctypes.data)
    planes_at = np.int64(planes.ctypes.data)
    head_step = np.int64(head_words * 64)
    tail_step = np.int64(tail_words * 64)
    groups = np.empty(_TILE + 1, dtype=np.int64)
    masks = np.empty(_TILE + 1, dtype=np.int64)
    for run in range(starts.shape[0]):
        for tile_start in range(starts[run], ends[run], _TILE):
            tile_end = min(tile_start + _TILE, ends[run])
            for probe in range(n_probes):
                query_at = planes_at + np.int64(probe * 256)
                limit = limits[probe]
                head_limit = (limit - rules[0, 1]) // rules[0, 0] + 1
                second_limit = (limit - rules[1, 1]) // rules[1, 0] + 1
                waiting = 0
                for group in range(tile_start, tile_end):
                    passed = np.int64(admitted[group]) & first_look(
                        tag, head_at + group * head_step, query_at, head_limit
                    )
                    # Without a branch: which groups pass is what no processor can foresee.
                    groups[waiting] = group
                    masks[waiting] = passed
                    waiting += passed != 0
                for each in range(waiting):
                    fetch_ahead(tag, tail_at + groups[each] * tail_step)
                for each in range(waiting):
                    group = groups[each]
                    head_group = head_at + group * head_step
                    tail_group = tail_at + group * tail_step
                    passed = masks[each] & second_look(
                        tag, head_group, tail_group, query_at, second_limit
                    )
                    if passed == 0:
                        continue
                    passed &= full_look(tag, head_group, tail_group, query_at, limit, scratch_at)
                    while passed != 0:
                        lane = lowest_bit(passed)
                        passed &= passed - 1
                        at = counts[probe]
                        distances[probe, at] = scratch[lane]
                        rows[probe, at] = first_row + group * 8 + lane
                        counts[probe] = at + 1
                    if counts[probe] > capacity - 8:
                        left, limit = keep_best(
                            distances[probe], rows[probe], counts[probe], k, histogram
                        )
                        counts[probe] = left
                        limits[probe] = limit
                        second_limit = (limit - rules[1, 1]) // rules[1, 0] + 1


@numba.njit(nogil=True, cache=True, fastmath=False)
def products(rows: Any, chosen: Any, fine: Any, out: Any) -> None:
    """Integer products of chosen int8 rows with an int16 probe, into ``out``."""
    dims = rows.shape[1]
    for i in range(chosen.shape[0]):
        row = rows[chosen[i]]
        total = np.int32(0)
        for j in range(dims):
            total += np.int32(row[j]) * np.int32(fine[j])
        out[i] = total


@numba.njit(nogil=True, cache=True)
def count_bits(bytes_: Any) -> Any:
    """How many bits are set in a uint8 array whose length is a multiple of eight."""
    words = bytes_.view(np.uint64)
    total = np.uint64(0)
    for i in range(words.shape[0]):
        total += bit_count(words[i])
    return np.int64(total)


@numba.njit(nogil=True, cache=True)
def admit_runs(live: Any, starts: Any, ends: Any, out: Any) -> None:
    """Copy the live bits of runs of rows into ``out``, which is zero elsewhere."""
    for run in range(starts.shape[0]):
        start, end = starts[run], ends[run]
        if start >= end:
            continue
        first, last = start // 8, (end - 1) // 8
        for group in range(first, last + 1):
            mask = 255
            if group == first:
                mask &= (255 << (start % 8)) & 255
            if group == last:
                mask &= 255 >> (7 - (end - 1) % 8)
            out[group] |= live[group] & np.uint8(mask)


@numba.njit(nogil=True, cache=True)
def mask_rows(
    starts: Any,
    ends: Any,
    birth_year: Any,
    years: Any,
    seen_day: Any,
    days: Any,
    subjects: Any,
    excluded: Any,
    out: Any,
) -> None:
    """Clear the bits of rows in runs that the years, days or excluded subjects rule out.

    years, days : (first, last), inclusive; a zero in the column is unknown and stays
    subjects : uint32 array of low halves; ``excluded`` int64 array of candidates, so a
        caller with wide numbers must check the high halves itself
    """
    for run in range(starts.shape[0]):
        for row in range(starts[run], ends[run]):
            year = birth_year[row]
            day = seen_day[row]
            out_of_years = year != 0 and (year < years[0] or year > years[1])
            out_of_days = day != 0 and (day < days[0] or day > days[1])
            gone = out_of_years or out_of_days
            if not gone:
                for each in range(excluded.shape[0]):
                    if np.int64(subjects[row]) == excluded[each]:
                        gone = True
            if gone:
                out[row // 8] &= np.uint8(255 ^ (1 << (row % 8)))


@numba.njit(nogil=True, cache=True)
def rows_holding(low: Any, wanted: Any, present: Any, out: Any) -> Any:
    """Rows whose low id half is among ``wanted``, by way of a bitmap; how many.

    low : uint32 array of shape (n,)
    wanted : sorted int64 array of low halves
    present : uint8 array, a power of two long, set at wanted modulo its length
    """
    mask = np.uint32(present.shape[0] - 1)
    found = 0
    for row in range(low.shape[0]):
        if present[low[row] & mask] == 0:
            continue
        at = np.searchsorted(wanted, np.int64(low[row]))
        if at < wanted.shape[0] and wanted[at] == np.int64(low[row]):
            if found < out.shape[0]:
                out[found] = row
            found += 1
    return found
