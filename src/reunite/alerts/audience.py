"""Choose the audience of an alert: who is told, nearest first.

This is the one place where that is decided.  ``app.notify_audience`` hands in the index of
everyone who shares a place, and sends to whom it returns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import Area
from reunite.alerts.audience_index import AudienceIndex, Found
from reunite.alerts.positions import language_bits, module_bits
from reunite.kernel.languages import Language
from reunite.kernel.people import Module

Int64 = npt.NDArray[np.int64]

LARGEST_TABLE = 1 << 27  # bytes, one for each id


def _nobody() -> Int64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to tell of those in an area.

    ``told`` already know and are left out: int64 array of account ids in any order.
    """

    module: Module
    languages: frozenset[Language] = frozenset(Language)
    told: Int64 = field(default_factory=_nobody)


@dataclass(frozen=True, slots=True)
class Audience:
    """The people to tell, as they were when they were chosen."""

    found: Found
    wanted: Wanted

    def account_ids(self) -> Int64:
        """Everyone, nearest first: int64 array of shape (m,)."""
        return self._untold(self.found.account_ids(*self._bits()))

    def iter_chunks(self, people: int) -> Iterator[Int64]:
        """The same in chunks of so many; only the last may be smaller.

        The first is there long before everybody has been listed.
        """
        left = _nobody()
        for some in self.found.iter_account_ids(*self._bits(), at_first=people):
            left = np.concatenate([left, self._untold(some)])
            full = len(left) - len(left) % people
            for start in range(0, full, people):
                yield left[start : start + people]
            left = left[full:]
        if len(left):
            yield left

    def _bits(self) -> tuple[int, int]:
        return module_bits([self.wanted.module]), language_bits(self.wanted.languages)

    def _untold(self, account_ids: Int64) -> Int64:
        if not len(self.wanted.told):
            return account_ids
        told = self.wanted.told
        # NumPy would sort a million ids to save the memory of the table.
        kind = "table" if int(np.ptp(told)) < LARGEST_TABLE else None
        return account_ids[~np.isin(account_ids, told, kind=kind)]


def choose_audience(index: AudienceIndex, area: Area, wanted: Wanted) -> Audience:
    """Everyone in an area who agreed to hear of this and has not heard yet, nearest first.

    Exact: the centre of each cell decides for everybody in it, by the haversine formula or by
    the polygon's outline.  Equally distant people are ordered by account id, so that the order
    is the same every time.
    """
    return Audience(index.find(area), wanted)
