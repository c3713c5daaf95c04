"""Choose the audience of an alert: who is told, nearest first.

This is the one place where that is decided.  ``app.notify_audience`` hands in the index of
everyone who shares a place, and sends to whom it returns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from reunite.alerts.areas import Area
from reunite.alerts.audience_index import AudienceIndex, Found, Listed, Wishes
from reunite.alerts.positions import language_bits, module_bits
from reunite.alerts.pushing import Pushing
from reunite.alerts.sorted_cells import Ids
from reunite.kernel.languages import Language
from reunite.kernel.people import Module

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

LARGEST_TABLE = 1 << 27  # bytes, one for each id
_EVERY_LANGUAGE = frozenset(Language)


def _nobody() -> Int64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to tell of those in an area.

    ``told`` already know and are left out: int64 array of account ids in any order.  Places
    that have expired ``at`` that moment are empty; without a moment none has.
    """

    module: Module
    languages: frozenset[Language] = _EVERY_LANGUAGE
    told: Int64 = field(default_factory=_nobody)
    at: datetime | None = None

    def wishes(self) -> Wishes:
        """The same as bits."""
        return Wishes(
            modules=module_bits([self.module]) if self.languages else 0,
            # Everybody speaks one of them: nothing to look at.
            languages=0 if self.languages == _EVERY_LANGUAGE else language_bits(self.languages),
            now=0.0 if self.at is None else self.at.timestamp(),
        )


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is told, and who of them may be pushed: everybody else finds it in the inbox.

    account_ids : int64 array of shape (m,), nearest first
    may_push : bool array of shape (m,)
    """

    account_ids: Int64
    may_push: Bool

    @classmethod
    def of(cls, account_ids: Int64) -> "Recipients":
        """People of whom nobody asks whether they may be pushed."""
        return cls(account_ids, np.ones(len(account_ids), dtype=np.bool_))

    def followed_by(self, others: "Recipients") -> "Recipients":
        """These and others."""
        return Recipients(
            np.concatenate([self.account_ids, others.account_ids]),
            np.concatenate([self.may_push, others.may_push]),
        )

    def part(self, start: int, end: int) -> "Recipients":
        """Those from ``start`` up to ``end``."""
        return Recipients(self.account_ids[start:end], self.may_push[start:end])

    def __len__(self) -> int:
        return len(self.account_ids)


@dataclass(frozen=True, slots=True)
class Audience:
    """The people to tell, as they were when they were chosen."""

    found: Found
    wanted: Wanted

    def account_ids(self) -> Ids:
        """Everyone, nearest first: int32 or int64 array of shape (m,)."""
        account_ids = self.found.list_people(self.wanted.wishes()).account_ids
        untold = self._untold(account_ids)
        return account_ids if untold is None else account_ids[untold]

    def recipients(self, pushing: Pushing) -> Recipients:
        """Everyone, nearest first, and whether they may be pushed."""
        listed = self.found.list_people(self.wanted.wishes(), with_rules=True)
        return self._recipients(listed, pushing)

    def iter_chunks(self, people: int) -> Iterator[Int64]:
        """Everyone in chunks of so many; only the last may be smaller.

        The first is there long before everybody has been listed.
        """
        left = _nobody()
        for listed in self.found.iter_people(self.wanted.wishes(), at_first=people):
            untold = self._untold(listed.account_ids)
            some = listed.account_ids if untold is None else listed.account_ids[untold]
            left = np.concatenate([left, some])
            full = len(left) - len(left) % people
            for start in range(0, full, people):
                yield left[start : start + people]
            left = left[full:]
        if len(left):
            yield left

    def iter_recipients(self, people: int, pushing: Pushing) -> Iterator[Recipients]:
        """As ``iter_chunks``, with whether each may be pushed."""
        left = Recipients(_nobody(), np.empty(0, dtype=np.bool_))
        wishes = self.wanted.wishes()
        for listed in self.found.iter_people(wishes, at_first=people, with_rules=True):
            left = left.followed_by(self._recipients(listed, pushing))
            full = len(left) - len(left) % people
            for start in range(0, full, people):
                yield left.part(start, start + people)
            left = left.part(full, len(left))
        if len(left):
            yield left

    def _recipients(self, listed: Listed, pushing: Pushing) -> Recipients:
        account_ids, rules = listed.account_ids.astype(np.int64), listed.push_rules
        untold = self._untold(account_ids)
        if untold is not None:
            account_ids, rules = account_ids[untold], rules[untold]
        return Recipients(account_ids, pushing.may_push(account_ids, rules))

    def _untold(self, account_ids: Ids) -> Bool | None:
        """Who has not heard yet; None for everybody."""
        told = self.wanted.told
        if not len(told):
            return None
        # NumPy would sort a million ids to save the memory of the table.
        kind = "table" if int(np.ptp(told)) < LARGEST_TABLE else None
        return ~np.isin(account_ids, told, kind=kind)


def choose_audience(index: AudienceIndex, area: Area, wanted: Wanted) -> Audience:
    """Everyone in an area who agreed to hear of this and has not heard yet, nearest first.

    Exact: the centre of each cell decides for everybody in it, by the haversine formula or by
    the polygon's outline.  Somebody with several places is told once, where they are nearest.
    Equally distant people are ordered by account id, so that the order is the same every time.
    """
    return Audience(index.find(area), wanted)
