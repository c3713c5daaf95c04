"""Where volunteers are and what they agreed to hear, as arrays.

A volunteer's place is an H3 cell, and the cell's centre stands for everybody in it: that
decides exactly, and for all of them alike, who lies within an area.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

from reunite.kernel.languages import Language
from reunite.kernel.people import Module

Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

NOBODY = 0  # opt-ins of somebody who has left
_FIRST_LANGUAGE_BIT = 4  # below it, bit m is set for Module m


@dataclass(frozen=True, slots=True)
class Positions:
    """Volunteers, one entry each.

    account_ids : int64 array of shape (n,), distinct
    cells : int64 array of shape (n,), H3 cells
    opt_ins : uint8 array of shape (n,), made by ``opt_in_bits``; ``NOBODY`` where one left
    """

    account_ids: Int64
    cells: Int64
    opt_ins: UInt8

    def __len__(self) -> int:
        return len(self.account_ids)


def no_positions() -> Positions:
    """Nobody at all."""
    return Positions(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))


def module_bits(modules: Iterable[Module]) -> int:
    """One bit for each module."""
    return sum(1 << int(module) for module in set(modules))


def language_bits(languages: Iterable[Language]) -> int:
    """One bit for each language, beside those of the modules."""
    listed = list(Language)
    return sum(1 << (_FIRST_LANGUAGE_BIT + listed.index(language)) for language in set(languages))


def opt_in_bits(modules: Iterable[Module], language: Language) -> int:
    """What somebody agreed to hear of and in which language; never ``NOBODY``."""
    return module_bits(modules) | language_bits([language])


def last_entries(account_ids: Int64) -> Int64:
    """Rows of the last entry of each person, by account id: int64 array of shape (m,)."""
    # The last is the first of the list read backwards.
    _, rows = np.unique(account_ids[::-1], return_index=True)
    last: Int64 = len(account_ids) - 1 - rows
    return last


def cell_centres(cells: Int64) -> Float64:
    """Latitude and longitude of H3 cells.

    cells : int64 array of shape (n,)
    Returns degrees, float64 array of shape (n, 2).
    """
    flat = (degrees for cell in cells.tolist() for degrees in h3.cell_to_latlng(cell))
    return np.fromiter(flat, dtype=np.float64, count=2 * len(cells)).reshape(-1, 2)
