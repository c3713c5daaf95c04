"""Everyone who may be told, in memory, and found by place within milliseconds.

A large table of people sorted by cell (the base) is left as it is while people move; a small
one holds whoever has come or moved since (the recent ones), and their old rows are struck
out.  When the small one has grown, both are merged in the background.

PostgreSQL holds the truth; this can be made anew from it at any time.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import Area
from reunite.alerts.gathering import gather
from reunite.alerts.positions import NOBODY, SEVERAL, Positions, no_positions
from reunite.alerts.sorted_cells import Ids, SortedCells

Bool = npt.NDArray[np.bool_]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

MERGE_AT_LEAST = 100_000  # recent ones; below this a merge is not worth its second or two
MERGE_SHARE = 0.05  # of the base
_OPT_INS = np.arange(256)  # every value


@dataclass(frozen=True, slots=True)
class Wishes:
    """Whom to list of those found.

    modules, languages : bits, one of each of which somebody must have; no bits of languages
        ask for none
    now : seconds of Unix time; places that have expired by then are empty
    """

    modules: int
    languages: int
    now: float = 0.0

    def counted(self) -> Int64:
        """1 for every value of the opt-ins that is wanted: int64 array of shape (256,)."""
        wanted = (_OPT_INS & self.modules) != 0
        if self.languages:
            wanted &= (_OPT_INS & self.languages) != 0
        counted: Int64 = wanted.astype(np.int64)
        return counted


@dataclass(frozen=True, slots=True)
class Listed:
    """People, nearest first and each once.

    account_ids : int32 or int64 array of shape (m,)
    push_rules : int32 array of shape (m,); of shape (0,) where it was not asked for
    """

    account_ids: Ids
    push_rules: Int32


@dataclass(frozen=True, slots=True)
class Found:
    """The cells of an area, nearest first, and who is in them at that moment.

    Cells of equal distance are told apart by account id: the order is the same every time, and
    does not tell who has moved lately.

    distances_km : float64 array of shape (k,), ascending
    cells, firsts, ends : int64 arrays of shape (k,), cells and the people of each in its table
    is_recent : bool array of shape (k,), which table
    """

    base: SortedCells
    base_opt_ins: UInt8
    base_all_bits: UInt8
    recent: SortedCells
    distances_km: Float64
    cells: Int64
    firsts: Int64
    ends: Int64
    is_recent: Bool

    def list_people(self, wishes: Wishes, *, with_rules: bool = False) -> Listed:
        """Everyone who is wanted, where they are nearest."""
        listed, _ = self._gather(slice(None), wishes, _nobody(), with_rules=with_rules)
        return listed

    def iter_people(
        self, wishes: Wishes, at_first: int, *, with_rules: bool = False
    ) -> Iterator[Listed]:
        """The same in portions, ``at_first`` people or so and then ever more."""
        people = np.cumsum(self.ends - self.firsts)
        # Cells of equal distance stay together.
        cuts = np.flatnonzero(np.diff(self.distances_km, append=np.inf)) + 1
        done, wanted, seen = 0, at_first, _nobody()
        while done < len(people):
            reached = (people[done - 1] if done else 0) + wanted
            enough = int(np.searchsorted(people, reached)) + 1
            until = int(cuts[min(int(np.searchsorted(cuts, enough)), len(cuts) - 1)])
            listed, again = self._gather(slice(done, until), wishes, seen, with_rules=with_rules)
            yield listed
            seen = np.concatenate([seen, again])
            done, wanted = until, wanted * 4

    def _gather(
        self, which: slice, wishes: Wishes, seen: Int64, *, with_rules: bool
    ) -> tuple[Listed, Int64]:
        """People of some cells without those ``seen``; and who of them has several places."""
        firsts, ends = self.firsts[which], self.ends[which]
        distances_km = self.distances_km[which]
        ties = np.zeros(len(firsts), dtype=np.bool_)
        ties[1:] = distances_km[1:] == distances_km[:-1]
        base_ids, recent_ids = self.base.account_ids, self.recent.account_ids
        kind = np.result_type(base_ids, recent_ids) if len(recent_ids) else base_ids.dtype
        # One more than needed: the loop writes before it knows whether to keep.
        size = int((ends - firsts).sum()) + 1
        out = np.empty(size, dtype=kind)
        rows = np.empty(size if with_rules else 0, dtype=np.int64)
        several = np.empty(size if self._may_repeat(which) else 0, dtype=np.int64)
        n, m = gather(
            _columns(self.base, self.base_opt_ins, self.base_all_bits, kind),
            _columns(self.recent, self.recent.opt_ins, self.recent.all_bits, kind),
            self.is_recent[which],
            self.cells[which],
            firsts,
            ends,
            ties,
            wishes.counted(),
            wishes.now,
            out,
            rows,
            several,
        )
        kept = _first_places(out[:n], several[:m], seen)
        rules = self._rules(rows[:n]) if with_rules else np.empty(0, np.int32)
        listed = Listed(out[:n], rules)
        if kept is not None:
            listed = Listed(out[:n][kept], rules[kept] if with_rules else rules)
        return listed, several[:m]

    def _may_repeat(self, which: slice) -> bool:
        """Whether anybody in these cells has several places."""
        cells, is_recent = self.cells[which], self.is_recent[which]
        return bool(
            (self.base.any_bits[cells[~is_recent]] & SEVERAL).any()
            or (self.recent.any_bits[cells[is_recent]] & SEVERAL).any()
        )

    def _rules(self, rows: Int64) -> Int32:
        is_base = rows >= 0
        if is_base.all():
            return self.base.push_rules[rows]
        rules = np.empty(len(rows), dtype=np.int32)
        rules[is_base] = self.base.push_rules[rows[is_base]]
        rules[~is_base] = self.recent.push_rules[-1 - rows[~is_base]]
        return rules


def _nobody() -> Int64:
    return np.empty(0, dtype=np.int64)


def _columns(table: SortedCells, opt_ins: UInt8, all_bits: UInt8, kind: Any) -> tuple[Any, ...]:
    ids = table.account_ids.astype(kind, copy=False)
    return ids, opt_ins, table.expires_at, all_bits, table.any_bits


def _first_places(account_ids: Ids, several: Int64, seen: Int64) -> Bool | None:
    """Which entries to keep so that each person is there once, and not if ``seen``.

    several : int64 array, the ids among these that may come again.  None where none does.
    """
    told, times = np.unique(several, return_counts=True)
    again = told[(times > 1) | np.isin(told, seen)]
    if not len(again):
        return None
    kept = np.ones(len(account_ids), dtype=np.bool_)
    rows = np.flatnonzero(np.isin(account_ids, again))
    _, firsts = np.unique(account_ids[rows], return_index=True)
    kept[rows] = False
    kept[rows[firsts]] = ~np.isin(account_ids[rows[firsts]], seen)
    return kept


@dataclass(frozen=True, slots=True)
class _State:
    """One consistent view.  A query keeps its view while the next one is made."""

    base: SortedCells
    base_opt_ins: UInt8  # of the base, with NOBODY where somebody has moved or left
    base_all_bits: UInt8  # of its cells, with NOBODY for the cells of those
    recent: SortedCells
    changes: Positions  # everyone changed since the base was built


class AudienceIndex:
    """Positions that are searched by area and follow changes.  Safe to use from threads."""

    def __init__(self, positions: Positions | None = None) -> None:
        self._state = _state_of(positions or no_positions())
        self._writing = threading.Lock()
        self._merger: threading.Thread | None = None
        self._late: list[Positions] = []  # what came while a merge was under way
        self._is_merging = False

    def __len__(self) -> int:
        state = self._state
        return int(np.count_nonzero(state.base_opt_ins)) + len(state.recent)

    @property
    def nbytes(self) -> int:
        """Bytes of memory of both tables."""
        state = self._state
        return state.base.nbytes + state.recent.nbytes

    def find(self, area: Area) -> Found:
        """Whoever is in an area now, nearest first."""
        state = self._state
        base_cells, base_km = state.base.find(area)
        recent_cells, recent_km = state.recent.find(area)
        distances_km = np.concatenate([base_km, recent_km])
        # Which of several equally distant cells comes first does not matter: see ``gather``.
        order = np.argsort(distances_km)
        base_starts, recent_starts = state.base.starts, state.recent.starts
        firsts = np.concatenate([base_starts[base_cells], recent_starts[recent_cells]])
        ends = np.concatenate([base_starts[base_cells + 1], recent_starts[recent_cells + 1]])
        return Found(
            base=state.base,
            base_opt_ins=state.base_opt_ins,
            base_all_bits=state.base_all_bits,
            recent=state.recent,
            distances_km=distances_km[order],
            cells=np.concatenate([base_cells, recent_cells])[order],
            firsts=firsts[order],
            ends=ends[order],
            is_recent=(np.arange(len(order)) >= len(base_cells))[order],
        )

    def apply(self, changes: Positions) -> None:
        """Take over where people are now; ``NOBODY`` removes them.

        All places of a person who is in it are in it.  Searches see all of it or nothing of it.
        """
        if not len(changes):
            return
        with self._writing:
            if self._is_merging:
                self._late.append(changes)
            self._state = _changed(self._state, changes)

    def is_due_for_merge(self) -> bool:
        """Whether so many have changed that searches would gain from a merge."""
        state = self._state
        return len(state.changes) > max(MERGE_AT_LEAST, MERGE_SHARE * len(state.base))

    def merge(self) -> None:
        """Make one table of both.  Searches and changes go on meanwhile."""
        with self._writing:
            if self._is_merging:
                return
            self._is_merging, self._late, before = True, [], self._state
        try:
            merged = _merged(before)
        except BaseException:
            with self._writing:
                self._is_merging = False
            raise
        with self._writing:
            for changes in self._late:
                merged = _changed(merged, changes)
            self._state, self._late, self._is_merging = merged, [], False

    def merge_in_background(self) -> threading.Thread | None:
        """Start a merge if one is due and none is under way; its thread."""
        if not self.is_due_for_merge() or (self._merger and self._merger.is_alive()):
            return None
        self._merger = threading.Thread(target=self.merge, name="audience-merge", daemon=True)
        self._merger.start()
        return self._merger


def _state_of(positions: Positions, known: SortedCells | None = None) -> _State:
    base = SortedCells.build(positions, known)
    nobody = no_positions()
    return _State(base, base.opt_ins, base.all_bits, SortedCells.build(nobody), nobody)


def _changed(state: _State, changes: Positions) -> _State:
    told_anew = np.isin(state.changes.account_ids, changes.account_ids)
    changed = Positions.together(state.changes.take(~told_anew), changes)
    opt_ins, all_bits = state.base_opt_ins.copy(), state.base_all_bits.copy()
    struck_out = state.base.rows_of(np.unique(changes.account_ids))
    opt_ins[struck_out] = NOBODY
    all_bits[state.base.cells_of(struck_out)] = NOBODY
    return _State(state.base, opt_ins, all_bits, SortedCells.build(changed, state.base), changed)


def _merged(state: _State) -> _State:
    staying = state.base.positions(state.base_opt_ins)
    return _state_of(Positions.together(staying, state.changes), state.base)
