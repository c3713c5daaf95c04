"""Operations on eight rows at a time, in LLVM's own terms, for the loops of ``kernels``.

Eight 64-bit lanes hold a word of eight rows.  A processor with a vector popcount uses it; any
other gets the same integers from what it has.  The type of ``tag`` chooses the code shape
when a loop is compiled: int8 for one-bit codes, int16 for four-bit codes.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_LANES = 8
_VECTOR = ir.VectorType(_I64, _LANES)
_WORDS = 8
_TOP_PLANES = (3, 2)
_UPPER_PLANES = (3, 2, 1)
_ALL_PLANES = (3, 2, 1, 0)

_Codegen = Callable[[Any, ir.IRBuilder, Any, Any], ir.Value]


# Untyped in numba.
_declare: Any = cgutils.get_or_insert_function


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
    count = _declare(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{_LANES}i64"
    )
    sums: dict[int, ir.Value] = {}
    for value, faced, power in words:
        for plane in planes:
            offset = 8 * (plane * _WORDS + faced)
            word = builder.load(_address(builder, query, offset, _I64), align=8)
            # Otherwise each store in the loop around might have changed the query, and its
            # words would be read and spread anew for every group.
            word.set_metadata("invariant.load", builder.module.add_metadata([]))
            differing = builder.call(count, [builder.xor(value, _splat(builder, word))])
            weight = power + plane
            sums[weight] = builder.add(sums[weight], differing) if weight in sums else differing
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


def _emit_first_look(
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


def _emit_second_look(
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


def _emit_full_look(
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


def _emit_fetch_ahead(_context: Any, tag: Any, tail: Any) -> tuple[Any, _Codegen]:
    """Ask for the tail words of a group; only four-bit codes keep them apart."""
    one_bit = _is_one_bit(tag)

    def codegen(context: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = _declare(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag]),
            "llvm.prefetch.p0",
        )
        for line in range(0 if one_bit else 2):
            where = _address(builder, args[1], 64 * line, ir.IntType(8))
            builder.call(fetch, [where, *(ir.Constant(flag, one) for one in (0, 3, 1))])
        return context.get_dummy_value()

    return types.none(tag, tail), codegen


def _emit_lowest_bit(_context: Any, mask: Any) -> tuple[Any, _Codegen]:  # noqa: ARG001 - typed by name
    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen


def _emit_bit_count(_context: Any, word: Any) -> tuple[Any, _Codegen]:  # noqa: ARG001 - typed by name
    def codegen(_: Any, builder: ir.IRBuilder, __: Any, args: Any) -> ir.Value:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


# Typed loosely: each is called from compiled code only, without the context that numba adds.
first_look: Any = intrinsic(_emit_first_look)
second_look: Any = intrinsic(_emit_second_look)
full_look: Any = intrinsic(_emit_full_look)
fetch_ahead: Any = intrinsic(_emit_fetch_ahead)
lowest_bit: Any = intrinsic(_emit_lowest_bit)
bit_count: Any = intrinsic(_emit_bit_count)
