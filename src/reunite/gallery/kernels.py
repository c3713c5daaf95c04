"""The loops that touch every face, compiled by numba.

The innermost ones are written as operations on vectors of eight 64-bit lanes in LLVM's own
terms, so that a processor with a vector popcount uses it and any other gets the same
integers from what it has.  All run without the interpreter's lock.

A kernel serves both code shapes; the type of its first argument says which: ``ONE_BIT_TAG``
or ``FOUR_BIT_TAG``.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

ONE_BIT_TAG = np.int8(1)
FOUR_BIT_TAG = np.int16(4)

NO_LIMIT = np.int64(1 << 40)

_I64 = ir.IntType(64)
_LANES = 8
_VECTOR = ir.VectorType(_I64, _LANES)
_WORDS = 8
_TOP_PLANES = (3, 2)
_UPPER_PLANES = (3, 2, 1)
_ALL_PLANES = (3, 2, 1, 0)
_TILE = 32  # groups whose codes stay in the nearest cache while all probes pass over them

_Codegen = Callable[[Any, ir.IRBuilder, Any, Any], ir.Value]


def _address(builder: ir.IRBuilder, base: ir.Value, offset_bytes: int, to: ir.Type) -> ir.Value:
    moved = builder.add(base, ir.Constant(_I64, offset_bytes))
    return builder.inttoptr(moved, to.as_pointer())


def _splat(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    lane = builder.insert_element(
        ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
    return builder.shuffle_vector(lane, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _distances(
    builder: ir.IRBuilder,
    words: list[tuple[ir.Value, int, int]],
    query: ir.Value,
    planes: tuple[int, ...],
) -> ir.Value:
    """Weighted counts of differing bits of eight rows.

    ``words`` holds, per word, the eight rows' values, the query word they face, and the
    power of two they weigh.  Counts of one weight are added before they are shifted.
    """
    count = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{_LANES}i64"
    )
    sums: dict[int, ir.Value] = {}
    for value, faced, power in words:
        for plane in planes:
            offset = 8 * (plane * _WORDS + faced)
            word = builder.load(_address(builder, query, offset, _I64), align=8)
            differing = builder.call(count, [builder.xor(value, _splat(builder, word))])
            weight = power + plane
            sums[weight] = (
                builder.add(sums[weight], differing) if weight in sums else differing
            )
    lightest = min(sums)
    total: ir.Value | None = None
    for weight, each in sums.items():
        shift = ir.Constant(_VECTOR, [weight - lightest] * _LANES)
        moved = builder.shl(each, shift) if weight > lightest else each
        total = moved if total is None else builder.add(total, moved)
    return total


def _load_words(
    builder: ir.IRBuilder, base: ir.Value, n: int, faced: list[int], powers: list[int]
) -> list[tuple[ir.Value, int, int]]:
    return [
        (
            builder.load(_address(builder, base, 64 * word, _VECTOR), align=8),
            faced[word],
            powers[word],
        )
        for word in range(n)
    ]


def _below(builder: ir.IRBuilder, distances: ir.Value, limit: ir.Value) -> ir.Value:
    """One bit a row: whether its distance is under ``limit``."""
    lanes = builder.icmp_signed("<", distances, _splat(builder, limit))
    return builder.zext(builder.bitcast(lanes, ir.IntType(_LANES)), _I64)


def _is_one_bit(tag: types.Type) -> bool:
    return bool(tag == types.int8)


@intrinsic  # type: ignore[untyped-decorator]
def _first_look(
    _context: Any, tag: Any, head: Any, query: Any, limit: Any
) -> tuple[Any, _Codegen]:
    """Rows of a group whose distance by the weightiest bits is under ``limit``."""
    one_bit = _is_one_bit(tag)

    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        _, base, asked, below = args
        if one_bit:
            words = _load_words(builder, base, 8, list(range(8)), [0] * 8)
        else:
            words = _load_words(builder, base, 2, [0, 1], [0, 0])
        return _below(builder, _distances(builder, words, asked, _TOP_PLANES), below)

    return types.int64(tag, head, query, limit), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _second_look(
    _context: Any, tag: Any, head: Any, tail: Any, query: Any, limit: Any
) -> tuple[Any, _Codegen]:
    """The same by two bits against three, of four-bit codes; others all pass."""
    one_bit = _is_one_bit(tag)

    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        _, base, rest, asked, below = args
        if one_bit:
            return ir.Constant(_I64, -1)
        words = _load_words(builder, base, 2, [0, 1], [1, 1])
        words += _load_words(builder, rest, 2, [0, 1], [0, 0])
        return _below(builder, _distances(builder, words, asked, _UPPER_PLANES), below)

    return types.int64(tag, head, tail, query, limit), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _full_look(
    _context: Any, tag: Any, head: Any, tail: Any, query: Any, limit: Any, out: Any
) -> tuple[Any, _Codegen]:
    """Rows of a group whose distance by all bits is under ``limit``; distances to ``out``."""
    one_bit = _is_one_bit(tag)

    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        _, base, rest, asked, below, target = args
        if one_bit:
            words = _load_words(builder, base, 8, list(range(8)), [0] * 8)
        else:
            words = _load_words(builder, base, 2, [0, 1], [3, 3])
            words += _load_words(builder, rest, 6, [0, 1] * 3, [2, 2, 1, 1, 0, 0])
        distances = _distances(builder, words, asked, _ALL_PLANES)
        builder.store(distances, _address(builder, target, 0, _VECTOR), align=8)
        return _below(builder, distances, below)

    return types.int64(tag, head, tail, query, limit, out), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _fetch_ahead(_context: Any, tag: Any, tail: Any) -> tuple[Any, _Codegen]:
    """Ask for the tail words of a group; only four-bit codes keep them apart."""
    one_bit = _is_one_bit(tag)

    def codegen(context: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag]),
            "llvm.prefetch.p0",
        )
        for line in range(0 if one_bit else 2):
            where = _address(builder, args[1], 64 * line, ir.IntType(8))
            builder.call(fetch, [where, *(ir.Constant(flag, one) for one in (0, 3, 1))])
        return context.get_dummy_value()

    return types.none(tag, tail), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _lowest_bit(_context: Any, mask: Any) -> tuple[Any, _Codegen]:
    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _bit_count(_context: Any, word: Any) -> tuple[Any, _Codegen]:
    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def keep_best(distances: Any, rows: Any, count: int, k: int, histogram: Any) -> tuple[int, int]:
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


@numba.njit(nogil=True, cache=True, boundscheck=False)  # type: ignore[untyped-decorator]
def scan(  # noqa: C901, PLR0912, PLR0913, PLR0917
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
    groups = np.empty(_TILE, dtype=np.int64)
    masks = np.empty(_TILE, dtype=np.int64)
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
                    passed = np.int64(admitted[group]) & _first_look(
                        tag, head_at + group * head_step, query_at, head_limit
                    )
                    if passed != 0:
                        groups[waiting] = group
                        masks[waiting] = passed
                        waiting += 1
                        _fetch_ahead(tag, tail_at + group * tail_step)
                for each in range(waiting):
                    group = groups[each]
                    head_group = head_at + group * head_step
                    tail_group = tail_at + group * tail_step
                    passed = masks[each] & _second_look(
                        tag, head_group, tail_group, query_at, second_limit
                    )
                    if passed == 0:
                        continue
                    passed &= _full_look(
                        tag, head_group, tail_group, query_at, limit, scratch_at
                    )
                    while passed != 0:
                        lane = _lowest_bit(passed)
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


@numba.njit(nogil=True, cache=True, fastmath=False)  # type: ignore[untyped-decorator]
def products(rows: Any, chosen: Any, fine: Any, out: Any) -> None:
    """Integer products of chosen int8 rows with an int16 probe, into ``out``."""
    dims = rows.shape[1]
    for i in range(chosen.shape[0]):
        row = rows[chosen[i]]
        total = np.int32(0)
        for j in range(dims):
            total += np.int32(row[j]) * np.int32(fine[j])
        out[i] = total


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_bits(bytes_: Any) -> int:
    """How many bits are set in a uint8 array whose length is a multiple of eight."""
    words = bytes_.view(np.uint64)
    total = np.uint64(0)
    for i in range(words.shape[0]):
        total += _bit_count(words[i])
    return np.int64(total)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
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


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mask_rows(  # noqa: C901, PLR0913, PLR0917
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


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rows_holding(low: Any, wanted: Any, present: Any, out: Any) -> int:
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
