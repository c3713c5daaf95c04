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
    by_basic: Any,
    masks: Any,
    floor: int,
    grades: Any,
) -> None:
    """The grade of every donor, into ``grades``.

    by_basic : uint8 array of shape (90,), grade of group, H and RhD
    masks : uint64 array of shape (5, 4): for each grade the antigens that cause it when
        positive, unknown or negative, and the donor's antibodies that do
    """
    for i in range(len(basic)):
        grade = max(by_basic[basic[i]], floor)
        if grade < _WORST:
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


@numba.njit(nogil=True, cache=True)
def rank_donors(
    ids: Any,
    grades: Any,
    declared: Any,
    eligible_day: Any,
    vectors: Any,
    here: Any,
    worst: int,
    day: int,
    counts: Any,
) -> Any:
    """Eligible donors of grade ``worst`` or better, best first: rows, ids, grades and chords.

    Sorted by grade, then confirmed before self-declared, then distance, then row.  ``counts``
    receives how many donors have each grade and, last, how many usable ones are deferred.
    """
    for i in range(len(grades)):
        counts[grades[i]] += 1
    size = 0
    for grade in range(worst + 1):
        size += counts[grade]
    rows = np.empty(size, np.int32)
    chords = np.empty(size, np.float32)
    # The key above, the place in ``rows`` below: one word to move in sorting.
    words = np.empty(size, np.uint64)
    first = np.zeros(_BINS, np.int64)
    second = np.zeros(_BINS, np.int64)
    x, y, z = here[0], here[1], here[2]
    count = 0
    for i in range(len(grades)):
        if eligible_day[i] > day:
            if grades[i] <= _WORST_USABLE:
                counts[_WORST + 1] += 1
            continue
        if grades[i] > worst:
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
        chords[count] = chord
        words[count] = (np.uint64(key) << np.uint64(32)) | np.uint64(count)
        first[key & (_BINS - 1)] += 1
        second[key >> _PASS_BITS] += 1
        count += 1
    spare = np.empty(count, np.uint64)
    _scatter(words[:count], spare, first, 32)
    _scatter(spare, words, second, 32 + _PASS_BITS)
    ranked = np.empty(count, np.int32)
    ranked_ids = np.empty(count, np.int64)
    ranked_grades = np.empty(count, np.uint8)
    ranked_chords = np.empty(count, np.float32)
    for i in range(count):
        word = words[i]
        place = np.int64(word & np.uint64(0xFFFFFFFF))
        row = rows[place]
        ranked[i] = row
        ranked_ids[i] = ids[row]
        ranked_grades[i] = word >> np.uint64(32 + CHORD_BITS + 1)
        ranked_chords[i] = chords[place]
    return ranked, ranked_ids, ranked_grades, ranked_chords


@numba.njit(nogil=True, cache=True)
def _scatter(words: Any, to: Any, counts: Any, shift: int) -> None:
    """One pass of a radix sort, stable."""
    total = 0
    for one in range(_BINS):
        here = counts[one]
        counts[one] = total
        total += here
    for i in range(len(words)):
        word = words[i]
        place = np.int64((word >> np.uint64(shift)) & np.uint64(_BINS - 1))
        to[counts[place]] = word
        counts[place] += 1
