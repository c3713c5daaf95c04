"""The loops over a million donors, compiled by numba; they run without the interpreter's lock."""

from typing import Any

import numba
import numpy as np

CHORD_BITS = 20  # a chord of the unit sphere, 0 to 2: steps of 12 m on the earth
_CHORD_STEPS = np.float64((1 << (CHORD_BITS - 1)) - 1)
_PASS_BITS = 12  # two passes sort all 23 bits of a key
_BINS = 1 << _PASS_BITS
_WORST = 4  # Grade.EXCLUDED
_WORST_USABLE = 2  # Grade.LAST_RESORT
_DIAMETER = 2.0  # no chord of the unit sphere is longer


@numba.njit(nogil=True, cache=True)
def grade_donors(
    basic: Any,
    positive: Any,
    known: Any,
    antibodies: Any,
    eligible_day: Any,
    by_basic: Any,
    masks: Any,
    floor: int,
    day: int,
    grades: Any,
) -> int:
    """The grade of every donor, into ``grades``; how many usable ones are deferred on ``day``.

    by_basic : uint8 array of shape (90,), grade of group, H and RhD
    masks : uint64 array of shape (5, 4): for each grade the antigens that cause it when
        positive, unknown or negative, and the donor's antibodies that do
    """
    deferred = 0
    for i in range(len(basic)):
        grade = max(by_basic[basic[i]], floor)
        carried, tested, plasma = positive[i], known[i], antibodies[i]
        level = _WORST
        while level > grade:
            hit = (
                (carried & masks[level, 0])
                | (~tested & masks[level, 1])
                | (tested & ~carried & masks[level, 2])
                | (plasma & masks[level, 3])
            )
            if hit != 0:
                grade = level
            level -= 1
        grades[i] = grade
        if eligible_day[i] > day and grade <= _WORST_USABLE:
            deferred += 1
    return deferred


@numba.njit(nogil=True, cache=True)
def rank_donors(
    grades: Any,
    declared: Any,
    eligible_day: Any,
    vectors: Any,
    here: Any,
    worst: int,
    day: int,
    rows: Any,
    keys: Any,
    spare_rows: Any,
    spare_keys: Any,
) -> int:
    """Rows of the eligible donors of grade ``worst`` or better, best first, into ``rows``.

    Sorted by grade, then confirmed before self-declared, then distance, then row.  Returns how
    many; the spare arrays are for the sorting.
    """
    count = 0
    x, y, z = here[0], here[1], here[2]
    first = np.zeros(_BINS, np.int64)
    second = np.zeros(_BINS, np.int64)
    for i in range(len(grades)):
        if grades[i] > worst or eligible_day[i] > day:
            continue
        dx, dy, dz = vectors[i, 0] - x, vectors[i, 1] - y, vectors[i, 2] - z
        chord = np.sqrt(dx * dx + dy * dy + dz * dz)
        step = np.uint32((1 << CHORD_BITS) - 1)
        if chord <= _DIAMETER:  # not where the place is unknown (NaN): those come last
            step = np.uint32(chord * _CHORD_STEPS)
        key = (
            (np.uint32(grades[i]) << np.uint32(CHORD_BITS + 1))
            | (np.uint32(declared[i]) << np.uint32(CHORD_BITS))
            | step
        )
        rows[count] = i
        keys[count] = key
        first[key & (_BINS - 1)] += 1
        second[key >> _PASS_BITS] += 1
        count += 1
    _scatter(rows, keys, spare_rows, spare_keys, first, count, 0)
    _scatter(spare_rows, spare_keys, rows, keys, second, count, _PASS_BITS)
    return count


@numba.njit(nogil=True, cache=True)
def _scatter(
    rows: Any, keys: Any, to_rows: Any, to_keys: Any, counts: Any, count: int, shift: int
) -> None:
    """One pass of a radix sort, stable."""
    total = 0
    for one in range(_BINS):
        here = counts[one]
        counts[one] = total
        total += here
    for i in range(count):
        place = (keys[i] >> shift) & (_BINS - 1)
        at = counts[place]
        counts[place] = at + 1
        to_rows[at] = rows[i]
        to_keys[at] = keys[i]
