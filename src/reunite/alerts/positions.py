"""Where volunteers are and what they agreed to hear, as arrays.

A volunteer's place is an H3 cell, and the cell's centre stands for everybody in it: that
decides exactly, and for all of them alike, who lies within an area.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

from reunite.alerts.pushing import ANY_TIME
from reunite.kernel.languages import Language
from reunite.kernel.people import Module

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
UInt32 = npt.NDArray[np.uint32]
Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

_DEFAULT: Any = None

NOBODY = 0  # opt-ins of somebody who has left
# Beside the bits of modules and languages: these people are looked at one by one.
SEVERAL = 1 << 0  # has several places, and is told once
EXPIRES = 1 << 6  # is here for a while only
_FIRST_LANGUAGE_BIT = 4  # below it, bit m is set for Module m


@dataclass(frozen=True, slots=True)
class Positions:
    """Places of volunteers.  Somebody with several places has an entry, ``SEVERAL``, for each.

    account_ids : int64 array of shape (n,)
    cells : int64 array of shape (n,), H3 cells
    opt_ins : uint8 array of shape (n,), made by ``opt_in_bits``; ``NOBODY`` where one left
    expires_at : uint32 array of shape (n,), seconds of Unix time; counts only with ``EXPIRES``
    push_rules : int32 array of shape (n,), made by ``pushing.push_rule``
    """

    account_ids: Int64
    cells: Int64
    opt_ins: UInt8
    expires_at: UInt32 = _DEFAULT
    push_rules: Int32 = _DEFAULT

    def __post_init__(self) -> None:
        # Left out: nobody's place expires, and everybody may be told loudly at any time.
        if self.expires_at is _DEFAULT:
            object.__setattr__(self, "expires_at", np.zeros(len(self), np.uint32))
        if self.push_rules is _DEFAULT:
            object.__setattr__(self, "push_rules", np.full(len(self), ANY_TIME, np.int32))

    def take(self, rows: Int64 | Bool) -> "Positions":
        """These entries."""
        return Positions(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def together(cls, *parts: "Positions") -> "Positions":
        """All entries of several lists, one after the other."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in cls.__dataclass_fields__
            )
        )

    def __len__(self) -> int:
        return len(self.account_ids)


def no_positions() -> Positions:
    """Nobody at all."""
    return Positions(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))


def nowhere(account_ids: Int64) -> Positions:
    """People who have left."""
    n = len(account_ids)
    return Positions(account_ids, np.zeros(n, np.int64), np.full(n, NOBODY, np.uint8))


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


def mark_several(positions: Positions) -> Positions:
    """The same with ``SEVERAL`` for everybody who is there more than once."""
    order = np.argsort(positions.account_ids, kind="stable")
    same = np.diff(positions.account_ids[order]) == 0
    repeated = np.zeros(len(positions), dtype=np.bool_)
    repeated[order[1:]] |= same
    repeated[order[:-1]] |= same
    opt_ins = positions.opt_ins | np.where(repeated, SEVERAL, 0).astype(np.uint8)
    return replace(positions, opt_ins=opt_ins)


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
