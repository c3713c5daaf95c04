"""Volunteers sorted by cell: one array of people, one table of the cells they are in.

Cells that follow one another as integers are neighbours, so a coarser cell is one stretch of
the table.  Such a stretch is a block, with the smallest cap that holds its cells.  Caps are
measured from the cells themselves and not from what a hexagon is on average, hence nobody is
left out, neither at a pole nor where H3's cells are five-sided.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import CHORD_SLACK, Area, Blocks, Places
from reunite.alerts.positions import NOBODY, Positions, cell_centres

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
UInt32 = npt.NDArray[np.uint32]
Float64 = npt.NDArray[np.float64]
# int32 as long as every id fits: it is half of the memory.
Ids = npt.NDArray[np.int32] | npt.NDArray[np.int64]

# Nine digits of three bits follow that of resolution 6, whose cells are some 36 km².
_BITS_BELOW_BLOCK = 27


@dataclass(frozen=True, slots=True)
class SortedCells:
    """People by cell, and within a cell by account id.  Nothing in it ever changes.

    account_ids : int32 or int64 array of shape (n,)
    opt_ins, expires_at, push_rules : arrays of shape (n,), as in ``Positions``
    by_account : int32 or int64 array of shape (n,), rows in the order of account ids
    cells : int64 array of shape (m,), distinct and ascending
    starts : int64 array of shape (m + 1,), where the people of each cell begin
    all_bits, any_bits : uint8 arrays of shape (m,), bits that all of a cell's people have in
        their opt-ins, and that any of them has
    block_starts : int64 array of shape (b + 1,), where the cells of each block begin
    """

    account_ids: Ids
    opt_ins: UInt8
    expires_at: UInt32
    push_rules: Int32
    by_account: Ids
    cells: Int64
    starts: Int64
    all_bits: UInt8
    any_bits: UInt8
    places: Places
    blocks: Blocks
    block_starts: Int64

    @classmethod
    def build(cls, positions: Positions, known: "SortedCells | None" = None) -> "SortedCells":
        """Sort volunteers; those who have left are dropped.

        ``known`` saves the work of computing again where cells are.
        """
        staying = np.flatnonzero(positions.opt_ins != NOBODY)
        staying = staying[np.argsort(positions.account_ids[staying], kind="stable")]
        order = staying[np.argsort(positions.cells[staying], kind="stable")]
        sorted_cells = positions.cells[order]
        firsts = np.flatnonzero(np.diff(sorted_cells, prepend=-1))
        cells = sorted_cells[firsts]
        del sorted_cells
        account_ids = _compact(positions.account_ids[order])
        places = _places(cells, known)
        keys = cells >> _BITS_BELOW_BLOCK
        block_starts = np.append(np.flatnonzero(np.diff(keys, prepend=-1)), len(cells))
        opt_ins = positions.opt_ins[order]
        return cls(
            account_ids=account_ids,
            opt_ins=opt_ins,
            expires_at=positions.expires_at[order],
            push_rules=positions.push_rules[order],
            by_account=_compact(np.argsort(account_ids, kind="stable")),
            cells=cells,
            starts=np.append(firsts, len(order)),
            all_bits=_each(np.bitwise_and, opt_ins, firsts),
            any_bits=_each(np.bitwise_or, opt_ins, firsts),
            places=places,
            blocks=_blocks(places, block_starts),
            block_starts=block_starts,
        )

    def __len__(self) -> int:
        return len(self.account_ids)

    @property
    def nbytes(self) -> int:
        """Bytes of memory of all arrays."""
        return sum(
            getattr(table, name).nbytes
            for table in (self, self.places, self.blocks)
            for name in table.__dataclass_fields__
            if name not in {"places", "blocks"}
        )

    def find(self, area: Area) -> tuple[Int64, Float64]:
        """Rows of the cells in an area, ascending, and their distances in km."""
        touched = np.flatnonzero(area.may_touch(self.blocks))
        rows = stretches(self.block_starts[touched], self.block_starts[touched + 1])
        inside, distances_km = area.measure(self.places.take(rows))
        return rows[inside], distances_km[inside]

    def rows_of(self, account_ids: Int64) -> Int64:
        """Rows of all places of those of these people who are here."""
        if not len(self):
            return np.empty(0, np.int64)
        largest = np.iinfo(self.account_ids.dtype).max
        # Of the same type, or NumPy would convert ten million ids instead of these few.
        asked = account_ids[account_ids <= largest].astype(self.account_ids.dtype)
        firsts = np.searchsorted(self.account_ids, asked, side="left", sorter=self.by_account)
        ends = np.searchsorted(self.account_ids, asked, side="right", sorter=self.by_account)
        rows: Int64 = self.by_account[stretches(firsts, ends)].astype(np.int64)
        return rows

    def cells_of(self, rows: Int64) -> Int64:
        """The cells, as rows of ``cells``, that these people are in."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def positions(self, opt_ins: UInt8) -> Positions:
        """Everyone again as a list, with these opt-ins instead of the own."""
        cells = np.repeat(self.cells, np.diff(self.starts))
        account_ids = self.account_ids.astype(np.int64)
        return Positions(account_ids, cells, opt_ins, self.expires_at, self.push_rules)


def _compact(numbers: Int64) -> Ids:
    fits = not len(numbers) or int(numbers.max()) <= np.iinfo(np.int32).max
    return numbers.astype(np.int32) if fits else numbers.astype(np.int64)


def _each(operation: np.ufunc, opt_ins: UInt8, firsts: Int64) -> UInt8:
    """Bits of all people of each cell, joined."""
    if not len(firsts):
        return np.empty(0, np.uint8)
    joined: UInt8 = operation.reduceat(opt_ins, firsts)
    return joined


def stretches(firsts: Int64, ends: Int64) -> Int64:
    """All numbers from each first up to its end."""
    lengths = ends - firsts
    before = np.cumsum(lengths) - lengths
    numbers: Int64 = np.arange(lengths.sum(), dtype=np.int64)
    numbers += np.repeat(firsts - before, lengths)
    return numbers


def _places(cells: Int64, known: SortedCells | None) -> Places:
    if known is None or not len(known.cells):
        return Places.of(cell_centres(cells))
    at = np.minimum(np.searchsorted(known.cells, cells), len(known.cells) - 1)
    places = known.places.take(at)
    unknown = np.flatnonzero(known.cells[at] != cells)
    computed = Places.of(cell_centres(cells[unknown]))
    places.latitudes[unknown] = computed.latitudes
    places.longitudes[unknown] = computed.longitudes
    places.cos_latitudes[unknown] = computed.cos_latitudes
    return places


def _blocks(places: Places, starts: Int64) -> Blocks:
    lengths = np.diff(starts)
    if not len(lengths):
        none = np.empty(0)
        return Blocks(np.empty((0, 3)), none, none, none, none, none)
    vectors = places.vectors()
    sums = np.add.reduceat(vectors, starts[:-1])
    centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    away = vectors - np.repeat(centres, lengths, axis=0)
    chords = np.sqrt(np.einsum("ij,ij->i", away, away))
    return Blocks(
        centres=centres,
        reaches=np.maximum.reduceat(chords, starts[:-1]) + CHORD_SLACK,
        south=np.minimum.reduceat(places.latitudes, starts[:-1]),
        north=np.maximum.reduceat(places.latitudes, starts[:-1]),
        west=np.minimum.reduceat(places.longitudes, starts[:-1]),
        east=np.maximum.reduceat(places.longitudes, starts[:-1]),
    )
