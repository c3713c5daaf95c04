"""Where volunteers are kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.alerts.plan import AlertPlan
from reunite.alerts.positions import Positions
from reunite.alerts.volunteers import Volunteer, VolunteerPlace
from reunite.kernel.ids import AccountId, CaseId

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


class AlertPlanRepository(Protocol):
    """How alerts were decided."""

    def save(self, plan: AlertPlan) -> None:
        """Write a plan; a case has one."""
        ...

    def find(self, case_id: CaseId, *, lock: bool = False) -> AlertPlan | None:
        """``lock`` holds it until the transaction ends."""
        ...

    def list_imminent(self, case_ids: Collection[CaseId]) -> frozenset[CaseId]:
        """Those of the cases whose alert overrides quiet hours and weekly limits."""
        ...


@dataclass(frozen=True, slots=True)
class VolunteerChange:
    """What has changed about volunteers since some position in the stream.

    ``positions`` holds all places of everybody concerned, or one entry with opt-ins ``NOBODY``
    of somebody who has left.
    """

    positions: Positions
    position: int


class VolunteerRepository(Protocol):
    """Volunteers and where they are."""

    def save(self, volunteer: Volunteer) -> None:
        """Join, or change what was said when joining."""
        ...

    def move(self, account_ids: Int64, cells: Int64, now: datetime) -> int:
        """Put the devices of volunteers into other cells, thousands at a time.

        How many places were written: those in another cell, and those that would soon have
        expired.  Of several entries of one person the last counts; whoever does not share the
        position of a device (``PlaceKind.HERE``) is left out.
        """
        ...

    def find_here(self, account_ids: Int64) -> dict[AccountId, VolunteerPlace]:
        """Where the devices of those of them are who share it."""
        ...

    def find(self, account_id: AccountId, *, lock: bool = False) -> Volunteer | None:
        """``lock`` holds what they said until the transaction ends."""
        ...

    def delete(self, account_id: AccountId) -> None: ...

    def positions(self) -> Positions:
        """Where everyone is."""
        ...

    def time_zones(self) -> dict[int, str]:
        """Names of time zones (IANA) by the numbers that rules of pushes hold."""
        ...

    def position(self) -> int:
        """Where the stream of changes stands now; take it before reading everyone."""
        ...

    def changes_since(self, position: int) -> VolunteerChange:
        """Who has come, moved or gone, and where they are now.

        May repeat changes around ``position``, never misses one.
        """
        ...

    def forget_changes_before(self, at: datetime) -> int:
        """Shorten the stream of changes; how many entries went.

        A reader that stands further back misses what has gone, and must read everyone anew.
        """
        ...

    def count(self) -> int: ...
