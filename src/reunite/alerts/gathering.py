"""The one loop that touches every person of an audience, compiled by numba."""

from typing import Any

import numba

from reunite.alerts.positions import EXPIRES, SEVERAL

_CAREFUL = SEVERAL | EXPIRES


@numba.njit(nogil=True, cache=True, boundscheck=False)
def gather(
    base: Any,
    recent: Any,
    is_recent: Any,
    cells: Any,
    firsts: Any,
    ends: Any,
    ties: Any,
    counted: Any,
    now: Any,
    out: Any,
    rows: Any,
    several: Any,
) -> Any:
    """Copy the people of some cells who are wanted to ``out``, cell by cell.

    base, recent : tuples of a table's ids, opt-ins and expiries by row, and of what all and
        what any of a cell's people have in their opt-ins
    is_recent, ties : bool arrays of shape (k,); of which table a cell is, and whether it is as
        far away as the cell before it: the people of such cells are put in order of their ids
    cells, firsts, ends : int64 arrays of shape (k,), the cells and the people of each
    counted : int64 array of shape (256,), 1 for every value of the opt-ins that is wanted.
        Whoever has more bits than somebody wanted must be wanted too
    now : seconds of Unix time at which places must not have expired
    rows : int64 array; of length 0, or as long as ``out``: the row of each person in the base,
        or -1 less their row in the recent table
    several : int64 array for the ids of those who have several places

    Returns how many people, and how many of them are in ``several``.
    """
    n = 0
    m = 0
    run = 0  # where the people who are equally far away begin
    with_rows = rows.shape[0] > 0
    for k in range(firsts.shape[0]):
        if not ties[k]:
            run = n
        before = n
        first, end, cell = firsts[k], ends[k], cells[k]
        ids, opt_ins, expires_at, all_bits, any_bits = recent if is_recent[k] else base
        if counted[all_bits[cell]] and not any_bits[cell] & _CAREFUL:
            # Everybody is wanted: nothing to decide, so the processor copies as fast as it can.
            out[n : n + end - first] = ids[first:end]
            if with_rows:
                _number(rows, n, first, end, is_recent[k])
            n += end - first
        else:
            for row in range(first, end):
                bits = opt_ins[row]
                # Written always and counted only if wanted: no branch that is guessed wrong.
                out[n] = ids[row]
                if with_rows:
                    rows[n] = -1 - row if is_recent[k] else row
                wanted = counted[bits]
                if bits & _CAREFUL:
                    wanted *= not bits & EXPIRES or expires_at[row] > now
                if wanted and bits & SEVERAL:
                    several[m] = ids[row]
                    m += 1
                n += wanted
        if ties[k]:
            _merge(out, rows, run, before, n)
    return n, m


@numba.njit(nogil=True, boundscheck=False)
def _number(rows: Any, n: Any, first: Any, end: Any, is_recent: Any) -> None:
    for row in range(first, end):
        rows[n + row - first] = -1 - row if is_recent else row


@numba.njit(nogil=True, boundscheck=False)
def _merge(numbers: Any, rows: Any, first: Any, middle: Any, end: Any) -> None:
    """Make one ascending stretch of two that follow one another, from the back."""
    with_rows = rows.shape[0] > 0
    second = numbers[middle:end].copy()
    second_rows = rows[middle:end].copy() if with_rows else rows
    i, j, k = middle - 1, second.shape[0] - 1, end - 1
    while j >= 0:
        if i >= first and numbers[i] > second[j]:
            numbers[k] = numbers[i]
            if with_rows:
                rows[k] = rows[i]
            i -= 1
        else:
            numbers[k] = second[j]
            if with_rows:
                rows[k] = second_rows[j]
            j -= 1
        k -= 1
