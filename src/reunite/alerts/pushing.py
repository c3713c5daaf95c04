"""Whom an alert may disturb: quiet hours, and how many pushes a week somebody bears.

The inbox holds every notice.  These rules decide only about what rings or lights up a screen:
Web Push, messages of chat services, e-mail at once.  Outside an emergency nobody is pushed in
their quiet hours, nor more often in any seven days than they said; see ``docs/alerts.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from reunite.kernel.errors import InvalidInputError

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

WEEK = timedelta(days=7)
HOURS = 24
UNLIMITED = 15  # pushes a week
MOST_WEEKLY_PUSHES = 14
# Two a week, silent from 22 to 7: proposals, after complaints about wireless emergency alerts
# at night; nobody has published better ones.
DEFAULT_WEEKLY_PUSHES = 2
# So long after somebody vanished an alert may wake people.
IMMINENT_FOR = timedelta(hours=3)

_FROM, _UNTIL, _ZONE = 4, 9, 14  # first bits, above those of the weekly pushes
_BUDGET_MASK, _HOUR_MASK = 0b1111, 0b11111


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one full hour to another on the volunteer's clock; equal ones mean none.

    Raises InvalidInputError ``quiet_hours_unknown``.
    """

    from_hour: int = 22
    until_hour: int = 7

    def __post_init__(self) -> None:
        for name in ("from_hour", "until_hour"):
            if not 0 <= getattr(self, name) < HOURS:
                raise InvalidInputError("quiet_hours_unknown", field=f"quiet_{name[:-5]}")


def require_weekly_pushes(pushes: int) -> int:
    """``pushes`` itself.  Raises InvalidInputError ``weekly_pushes_out_of_range``."""
    if not 0 <= pushes <= MOST_WEEKLY_PUSHES:
        raise InvalidInputError(
            "weekly_pushes_out_of_range", field="weekly_pushes", maximum=MOST_WEEKLY_PUSHES
        )
    return pushes


def push_rule(weekly_pushes: int, quiet: QuietHours, zone_id: int) -> int:
    """Somebody's rules as one number; ``zone_id`` is that of their clock in the database."""
    return weekly_pushes | quiet.from_hour << _FROM | quiet.until_hour << _UNTIL | zone_id << _ZONE


ANY_TIME = push_rule(UNLIMITED, QuietHours(0, 0), 0)


@dataclass(frozen=True, slots=True)
class Pushing:
    """What decides about pushes at one moment.

    zones : names of time zones (IANA) by their number in the database
    spent : uint8 array by account id, pushes within the last seven days; ids beyond it had none
    is_imminent : somebody is in danger now, and nobody is left to sleep
    """

    at: datetime
    zones: Mapping[int, str] = field(default_factory=dict)
    spent: UInt8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    is_imminent: bool = False

    def may_push(self, account_ids: Int64, push_rules: Int32) -> Bool:
        """Whether each of these people may be pushed now: bool array of shape (n,)."""
        if self.is_imminent:
            return np.ones(len(account_ids), dtype=np.bool_)
        return ~self._are_quiet(push_rules) & (self._spent(account_ids) < _budget(push_rules))

    def _are_quiet(self, push_rules: Int32) -> Bool:
        hours = np.zeros(max(self.zones, default=0) + 1, dtype=np.int32)
        for zone_id, name in self.zones.items():
            hours[zone_id] = self.at.astimezone(ZoneInfo(name)).hour
        # A zone that is not known yet counts as UTC: its volunteer came this very moment.
        zone_ids = np.minimum(push_rules >> _ZONE, len(hours) - 1)
        first = (push_rules >> _FROM) & _HOUR_MASK
        until = (push_rules >> _UNTIL) & _HOUR_MASK
        # Hours since it became quiet, against how many are quiet: also past midnight.
        return np.asarray((hours[zone_ids] - first) % HOURS < (until - first) % HOURS)

    def _spent(self, account_ids: Int64) -> Int32:
        if not len(self.spent):
            return np.zeros(len(account_ids), dtype=np.int32)
        known = account_ids < len(self.spent)
        return np.where(known, self.spent[np.where(known, account_ids, 0)], 0).astype(np.int32)


def _budget(push_rules: Int32) -> Int32:
    budget = push_rules & _BUDGET_MASK
    return np.where(budget == UNLIMITED, np.iinfo(np.int32).max, budget).astype(np.int32)
