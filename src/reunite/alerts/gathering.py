"""The one loop that touches every person of an audience, compiled by numba."""

from typing import Any

import numba


@numba.njit(nogil=True, cache=True, boundscheck=False)
def gather(
    base_ids: Any,
    base_opt_ins: Any,
    recent_ids: Any,
    recent_opt_ins: Any,
    is_recent: Any,
    firsts: Any,
    ends: Any,
    ties: Any,
    counted: Any,
    out: Any,
) -> Any:
    """Copy the people of some cells who opted in to ``out``, cell by cell; how many.

    is_recent, ties : bool arrays of shape (k,); of which table a cell is, and whether it is as
        far away as the cell before it: the people of such cells are put in order of their ids
    firsts, ends : int64 arrays of shape (k,), the people of each cell
    counted : int64 array of shape (256,), 1 for every value of the opt-ins that is wanted
    """
    n = 0
    run = 0  # where the people who are equally far away begin
    for cell in range(firsts.shape[0]):
        if not ties[cell]:
            run = n
        before = n
        first, end = firsts[cell], ends[cell]
        # Written always and counted only if wanted: no branch that is guessed wrong.
        if is_recent[cell]:
            for row in range(first, end):
                out[n] = recent_ids[row]
                n += counted[recent_opt_ins[row]]
        else:
            for row in range(first, end):
                out[n] = base_ids[row]
                n += counted[base_opt_ins[row]]
        if ties[cell]:
            _merge(out, run, before, n)
    return n


@numba.njit(nogil=True, boundscheck=False)
def _merge(numbers: Any, first: Any, middle: Any, end: Any) -> None:
    """Make one ascending stretch of two that follow one another, from the back."""
    second = numbers[middle:end].copy()
    i, j, k = middle - 1, second.shape[0] - 1, end - 1
    while j >= 0:
        if i >= first and numbers[i] > second[j]:
            numbers[k] = numbers[i]
            i -= 1
        else:
            numbers[k] = second[j]
            j -= 1
        k -= 1
