"""Everyone who may be told, in memory, and found by place within milliseconds.

A large table of people sorted by cell (the base) is left as it is while people move; a small
one holds whoever has come or moved since (the recent ones), and their old rows are struck
out.  When the small one has grown, both are merged in the background.

PostgreSQL holds the truth; this can be made anew from it at any time.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import Area
from reunite.alerts.gathering import gather
from reunite.alerts.positions import NOBODY, Positions, last_entries, no_positions
from reunite.alerts.sorted_cells import SortedCells

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

MERGE_AT_LEAST = 100_000  # recent ones; below this a merge is not worth its second or two
MERGE_SHARE = 0.05  # of the base
_OPT_INS = np.arange(256)  # every value


@dataclass(frozen=True, slots=True)
class Found:
    """The cells of an area, nearest first, and who is in them at that moment.

    Cells of equal distance are told apart by account id: the order is the same every time, and
    does not tell who has moved lately.

    distances_km : float64 array of shape (k,), ascending
    firsts, ends : int64 arrays of shape (k,), people of each cell in its table
    is_recent : bool array of shape (k,), which table
    """

    base: SortedCells
    base_opt_ins: UInt8
    recent: SortedCells
    distances_km: Float64
    firsts: Int64
    ends: Int64
    is_recent: Bool

    def account_ids(self, modules: int, languages: int) -> Int64:
        """Everyone with one of these bits of modules and of languages, nearest first."""
        return self._gather(slice(None), modules, languages)

    def iter_account_ids(self, modules: int, languages: int, at_first: int) -> Iterator[Int64]:
        """The same in portions, ``at_first`` people or so and then ever more."""
        people = np.cumsum(self.ends - self.firsts)
        # Cells of equal distance stay together.
        cuts = np.flatnonzero(np.diff(self.distances_km, append=np.inf)) + 1
        done, wanted = 0, at_first
        while done < len(people):
            reached = (people[done - 1] if done else 0) + wanted
            enough = int(np.searchsorted(people, reached)) + 1
            until = int(cuts[min(int(np.searchsorted(cuts, enough)), len(cuts) - 1)])
            yield self._gather(slice(done, until), modules, languages)
            done, wanted = until, wanted * 4

    def _gather(self, which: slice, modules: int, languages: int) -> Int64:
        firsts, ends = self.firsts[which], self.ends[which]
        distances_km = self.distances_km[which]
        ties = np.zeros(len(firsts), dtype=np.bool_)
        ties[1:] = distances_km[1:] == distances_km[:-1]
        # One more than needed: the loop writes before it knows whether to keep.
        out = np.empty(int((ends - firsts).sum()) + 1, dtype=np.int64)
        n = gather(
            self.base.account_ids,
            self.base_opt_ins,
            self.recent.account_ids,
            self.recent.opt_ins,
            self.is_recent[which],
            firsts,
            ends,
            ties,
            ((_OPT_INS & modules) != 0) * ((_OPT_INS & languages) != 0).astype(np.int64),
            out,
        )
        return out[:n]


@dataclass(frozen=True, slots=True)
class _State:
    """One consistent view.  A query keeps its view while the next one is made."""

    base: SortedCells
    base_opt_ins: UInt8  # of the base, with NOBODY where somebody has moved or left
    recent: SortedCells
    changes: Positions  # everyone changed since the base was built, by account id


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
        base_rows, base_km = state.base.find(area)
        recent_rows, recent_km = state.recent.find(area)
        distances_km = np.concatenate([base_km, recent_km])
        # Which of several equally distant cells comes first does not matter: see ``gather``.
        order = np.argsort(distances_km)
        return Found(
            base=state.base,
            base_opt_ins=state.base_opt_ins,
            recent=state.recent,
            distances_km=distances_km[order],
            firsts=np.concatenate([state.base.starts[base_rows], state.recent.starts[recent_rows]])[
                order
            ],
            ends=np.concatenate(
                [state.base.starts[base_rows + 1], state.recent.starts[recent_rows + 1]]
            )[order],
            is_recent=(np.arange(len(order)) >= len(base_rows))[order],
        )

    def apply(self, changes: Positions) -> None:
        """Take over where people are now; ``NOBODY`` removes them.

        A person may be in it several times: the last entry counts.  Searches see all of it or
        nothing of it.
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
    return _State(base, base.opt_ins, SortedCells.build(nobody), nobody)


def _changed(state: _State, changes: Positions) -> _State:
    together = [state.changes, changes]
    account_ids = np.concatenate([part.account_ids for part in together])
    last = last_entries(account_ids)
    changed = Positions(
        account_ids[last],
        np.concatenate([part.cells for part in together])[last],
        np.concatenate([part.opt_ins for part in together])[last],
    )
    opt_ins = state.base_opt_ins.copy()
    opt_ins[state.base.rows_of(np.unique(changes.account_ids))] = NOBODY
    return _State(state.base, opt_ins, SortedCells.build(changed, state.base), changed)


def _merged(state: _State) -> _State:
    staying, recent = state.base.positions(state.base_opt_ins), state.changes
    everyone = Positions(
        np.concatenate([staying.account_ids, recent.account_ids]),
        np.concatenate([staying.cells, recent.cells]),
        np.concatenate([staying.opt_ins, recent.opt_ins]),
    )
    return _state_of(everyone, state.base)
