"""What a gallery holds at one moment, and which of it a filter admits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reunite.gallery.codes import GROUP, Encoder, Int8, UInt64
from reunite.gallery.filters import admit, admits_all, day_number
from reunite.gallery.kernels import admit_runs, count_bits, mask_rows
from reunite.gallery.port import (
    UNKNOWN_REGION,
    Filter,
    Int64,
    TemplateSpace,
)
from reunite.gallery.segments import UNKNOWN_DECADE, Segment, UInt8, bits_at, clear_bits
from reunite.gallery.tail import TailView
from reunite.kernel.people import Sex

_EVER = 1 << 31
_NEVER_BORN = 1 << 15
_FEW_VALUES = 8
_SAMPLE_SHARE = 84  # one part in so many is looked at beforehand
_FILTERS_REMEMBERED = 6  # a bit a row each


@dataclass(frozen=True, slots=True)
class Held:
    """A segment with the rows of it that still live."""

    segment: Segment
    live: UInt8
    live_count: int
    dead_since: float | None = None  # seconds since 1970, of the oldest row to be erased
    # What the last filters admitted; a change of rows makes another Held, which knows none.
    _admitted: dict[Filter, "Admission"] = field(default_factory=dict, compare=False, repr=False)

    def admit(self, wanted: Filter) -> "Admission":
        """What ``wanted`` admits of the live rows; remembered for filters that come again."""
        known = self._admitted.get(wanted)
        if known is not None:
            return known
        found = _admit_segment(self, wanted)
        # Excluded people belong to one search, which does not come again.
        if not wanted.excluded_subject_ids and not wanted.excluded_template_ids:
            while len(self._admitted) >= _FILTERS_REMEMBERED:
                # Another thread may be at the same: each drops at most what is there.
                self._admitted.pop(next(iter(list(self._admitted))), None)
            self._admitted[wanted] = found
        return found

    def without(self, rows: Int64, at: float) -> "Held":
        """The same with fewer live rows."""
        live = self.live.copy()
        clear_bits(live, rows)
        since = at if self.dead_since is None else self.dead_since
        return Held(self.segment, live, self.live_count - len(rows), since)

    def find_live(self, template_ids: Int64) -> Int64:
        """Live rows that hold any of these ids."""
        rows = self.segment.find(template_ids)
        return rows[bits_at(self.live, rows)] if len(rows) else rows

    def live_rows(self) -> Int64:
        """Positions of the live rows."""
        return np.flatnonzero(np.unpackbits(self.live, bitorder="little")[: self.segment.n])


@dataclass(frozen=True, slots=True)
class State:
    """Everything one search needs; replaced as a whole at every change."""

    generation: int
    space: TemplateSpace
    encoder: Encoder
    held: tuple[Held, ...]
    tail: TailView
    damaged: frozenset[str] = field(default=frozenset())

    @property
    def live_count(self) -> int:
        """Live templates."""
        return self.tail.live_count + sum(one.live_count for one in self.held)


@dataclass(frozen=True, slots=True)
class Piece:
    """Runs of groups that one thread scans at once; int64 arrays of equal length."""

    starts: Int64
    ends: Int64
    groups: int

    def beginning(self, groups: int) -> "Piece":
        """The first so many groups of it."""
        upto = np.cumsum(self.ends - self.starts)
        last = min(int(np.searchsorted(upto, groups)), len(upto) - 1)
        ends = self.ends[: last + 1].copy()
        ends[-1] -= max(0, int(upto[last]) - groups)
        return Piece(self.starts[: last + 1], ends, min(groups, self.groups))


@dataclass(frozen=True, slots=True)
class Cuts:
    """The work of a scan in pieces, and the beginnings of all as a sample of the whole.

    The sample is two pieces, for two threads: handing out each beginning by itself takes
    longer than to scan it.
    """

    pieces: tuple[Piece, ...]
    samples: tuple[Piece, ...]


def _joined(pieces: list[Piece]) -> Piece:
    return Piece(
        np.concatenate([one.starts for one in pieces]),
        np.concatenate([one.ends for one in pieces]),
        sum(one.groups for one in pieces),
    )


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that cannot be written: mapped files are such, and one compilation serves all."""
    view = array.view()
    view.flags.writeable = False
    return view


def _pieces(run_starts: Int64, run_ends: Int64, groups_at_once: int) -> Iterator[Piece]:
    """Runs cut and gathered into pieces of about equal work, in order."""
    upto = np.cumsum(run_ends - run_starts)
    total = int(upto[-1]) if len(upto) else 0
    before = upto - (run_ends - run_starts)
    for low in range(0, total, groups_at_once):
        high = min(low + groups_at_once, total)
        first = int(np.searchsorted(upto, low, side="right"))
        last = int(np.searchsorted(before, high, side="left"))
        starts, ends = run_starts[first:last].copy(), run_ends[first:last].copy()
        starts[0] += low - before[first]
        ends[-1] -= upto[last - 1] - high
        yield Piece(starts, ends, high - low)


@dataclass(frozen=True, slots=True)
class Admission:
    """The part of a segment or tail that a search reads; arrays that cannot be written.

    admitted : uint8 array, one bit a row
    starts, ends : int64 arrays, runs of groups that hold an admitted row
    """

    head: UInt64
    tail: UInt64
    rows: Int8
    admitted: UInt8
    starts: Int64
    ends: Int64
    count: int
    holder: Segment | TailView
    _cuts: dict[int, "Cuts"] = field(default_factory=dict, compare=False, repr=False)

    @property
    def groups(self) -> int:
        """Groups of rows that a search reads."""
        return int((self.ends - self.starts).sum())

    def cut(self, groups_at_once: int) -> "Cuts":
        """The runs in pieces of about equal work, remembered.

        Cutting takes as long as scanning a tenth of a million faces.
        """
        known = self._cuts.get(groups_at_once)
        if known is None:
            pieces = tuple(_pieces(self.starts, self.ends, groups_at_once))
            beginning = max(1, groups_at_once // _SAMPLE_SHARE)
            begun = [one.beginning(beginning) for one in pieces]
            halves = [half for half in (begun[::2], begun[1::2]) if half]
            samples = tuple(_joined(half) for half in halves)
            known = self._cuts[groups_at_once] = Cuts(pieces, samples)
        return known

    def ids(self, rows: Int64) -> Int64:
        """Template ids of these rows."""
        if isinstance(self.holder, Segment):
            return self.holder.ids(rows)
        return self.holder.template_ids[rows]

    def subjects(self, rows: Int64) -> Int64:
        """Subject ids of these rows."""
        if isinstance(self.holder, Segment):
            return self.holder.subjects(rows)
        subjects: Int64 = self.holder.facts["subject_id"][rows]
        return subjects


def admissions(state: State, wanted: Filter) -> list[Admission]:
    """Everything that ``wanted`` admits, segment by segment."""
    parts = [
        one.admit(wanted)
        for one in state.held
        if one.live_count and one.segment.name not in state.damaged
    ]
    if state.tail.live_count:
        parts.append(_admit_tail(state.tail, wanted))
    return [one for one in parts if one.count]


def _admit_tail(view: TailView, wanted: Filter) -> Admission:
    admitted = view.live
    count = view.live_count
    if not admits_all(wanted):
        mask = admit(view.facts[: view.n], view.template_ids[: view.n], wanted)
        packed = np.packbits(mask, bitorder="little")
        admitted = view.live.copy()
        admitted[: len(packed)] &= packed
        admitted[len(packed) :] = 0
        count = int(count_bits(admitted))
    groups = -(-view.n // GROUP)
    return Admission(
        _read_only(view.head),
        _read_only(view.tail),
        _read_only(view.rows),
        _read_only(admitted),
        np.zeros(1, dtype=np.int64),
        np.array([groups], dtype=np.int64),
        count,
        view,
    )


def _admit_segment(held: Held, wanted: Filter) -> Admission:
    segment = held.segment
    if admits_all(wanted):
        whole = np.zeros(1, dtype=np.int64), np.array([-(-segment.n // GROUP)])
        return _admission(segment, held.live, *whole, held.live_count)
    chosen, doubtful = _partitions(segment, wanted)
    runs = _runs(segment, chosen)
    admitted = np.zeros_like(held.live)
    admit_runs(held.live, *runs, admitted)
    _mask(segment, wanted, runs, doubtful & chosen, admitted)
    if wanted.excluded_template_ids:
        rows = segment.find(np.array(sorted(wanted.excluded_template_ids), dtype=np.int64))
        clear_bits(admitted, rows)
    return _admission(segment, admitted, *_groups(*runs), int(count_bits(admitted)))


def _admission(
    segment: Segment, admitted: UInt8, starts: Int64, ends: Int64, count: int
) -> Admission:
    return Admission(
        _read_only(segment.head),
        _read_only(segment.tail),
        _read_only(segment.rows),
        _read_only(admitted),
        starts,
        ends,
        count,
        segment,
    )


def _partitions(
    segment: Segment, wanted: Filter
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Partitions that may hold an admitted row, and those whose years need a look."""
    parts = segment.parts
    chosen = np.ones(len(parts), dtype=np.bool_)
    doubtful = np.zeros(len(parts), dtype=np.bool_)
    for column, values in (
        ("side", wanted.sides),
        ("module", wanted.modules),
        ("sex", {*wanted.sexes, Sex.UNKNOWN} if wanted.sexes else ()),
        ("region", {*wanted.regions, UNKNOWN_REGION} if wanted.regions else ()),
    ):
        if values:
            chosen &= _is_any(parts[column], [int(one) for one in values])
    if (years := wanted.birth_years) is not None:
        first = parts["decade"].astype(np.int64) * 10
        unknown = parts["decade"] == UNKNOWN_DECADE
        chosen &= unknown | ((first + 9 >= years.first) & (first <= years.last))
        doubtful = ~unknown & ((first < years.first) | (first + 9 > years.last))
    return chosen, doubtful


def _is_any(column: npt.NDArray[Any], values: list[int]) -> npt.NDArray[np.bool_]:
    """Where the column holds one of the values."""
    if len(values) > _FEW_VALUES:
        return np.isin(column, np.array(values))
    # A search of a tenth takes milliseconds, in which the set-up of isin shows.
    found = np.zeros(len(column), dtype=np.bool_)
    for value in values:
        found |= column == value
    return found


def _runs(segment: Segment, chosen: npt.NDArray[np.bool_]) -> tuple[Int64, Int64]:
    """Chosen partitions as runs of rows, neighbours joined."""
    parts = segment.parts
    edges = np.diff(np.r_[False, chosen, False].astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return parts["start"][first], parts["start"][last] + parts["rows"][last]


def _groups(starts: Int64, ends: Int64) -> tuple[Int64, Int64]:
    """Runs of rows as runs of groups, none of them in two runs."""
    first, last = starts // GROUP, -(-ends // GROUP)
    if len(first) > 1:
        first[1:] = np.maximum(first[1:], last[:-1])
    kept = first < last
    return first[kept], last[kept]


def _mask(
    segment: Segment,
    wanted: Filter,
    runs: tuple[Int64, Int64],
    doubtful: npt.NDArray[np.bool_],
    admitted: UInt8,
) -> None:
    """Clear the rows of admitted partitions that a condition rules out."""
    days = (
        -_EVER if wanted.seen_from is None else day_number(wanted.seen_from),
        _EVER if wanted.seen_to is None else day_number(wanted.seen_to),
    )
    subjects = np.array(sorted(wanted.excluded_subject_ids), dtype=np.int64)
    if len(subjects) and segment.wide:
        # Only numbers beyond 32 bits come here: the plain way is good enough.
        clear_bits(admitted, np.flatnonzero(np.isin(segment.subjects(slice(None)), subjects)))
        subjects = subjects[:0]
    every_row = len(subjects) or days != (-_EVER, _EVER)
    if not every_row:
        if not doubtful.any():
            return
        runs = _runs(segment, doubtful)
    years = wanted.birth_years
    mask_rows(
        *runs,
        segment.birth_year,
        (-_NEVER_BORN, _NEVER_BORN) if years is None else (years.first, years.last),
        segment.seen_day,
        days,
        segment.subject_low,
        subjects,
        admitted,
    )
