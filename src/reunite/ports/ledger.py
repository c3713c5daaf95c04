"""The ledger of chunks on channels that lead out of Reunite, and what did not go out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.alerts.fanout import ChunkTask, DeadLetter, FailedDelivery, Lease
from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WaitingChunks:
    """What waits on one channel: how many chunks, and since when the first of them does."""

    channel: str
    chunks: int
    oldest_at: datetime | None


class ChunkLedger(Protocol):
    """Who works on which chunk, how far it has come, and what has failed."""

    def lease(
        self,
        channel: str,
        owner: str,
        now: datetime,
        until: datetime,
        tasks: Sequence[ChunkTask] | None = None,
    ) -> Lease | None:
        """The next due chunk that nobody works on; ``tasks`` limits the choice to a broker's.

        None while the channel's gate is shut.
        """
        ...

    def is_waiting(self, task: ChunkTask) -> bool:
        """Whether something is left to do about a chunk."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether the chunk is still this owner's: not stopped, not taken over."""
        ...

    def checkpoint(self, lease: Lease, now: datetime) -> bool:
        """Save how far a chunk has come; at its end it is done.  False: it is no longer ours."""
        ...

    def postpone(self, lease: Lease, until: datetime | None, reason: str, now: datetime) -> bool:
        """Give a chunk back until a time; None gives it up.  False: it is no longer ours.

        Keeps the position.  An empty reason is no failure, and does not count as an attempt.
        """
        ...

    def renew(self, owner: str, until: datetime) -> int:
        """Prolong what this owner works on; how many chunks that is."""
        ...

    def reserve(self, channel: str, deliveries: int, per_second: float, now: datetime) -> None:
        """Use up so much of a channel's rate: its gate opens when that time has passed."""
        ...

    def find_opening(self, channel: str, now: datetime) -> datetime | None:
        """When the channel's gate opens; None where it is open.

        It is open as long as no more than ``BURST`` has been reserved ahead.
        """
        ...

    def shut(self, channel: str, until: datetime) -> None:
        """Send nothing on a channel before a time."""
        ...

    def languages_of(self, account_ids: Int64) -> Mapping[AccountId, Language]:
        """In which language to speak to whom; without those who have gone."""
        ...

    def add_failures(self, failures: Sequence[FailedDelivery]) -> None:
        """Keep deliveries to be tried again, or dead ones.  Known ones are left as they are."""
        ...

    def claim_failures(
        self, channel: str, now: datetime, until: datetime, limit: int
    ) -> list[FailedDelivery]:
        """Due deliveries, the oldest first, which nobody else takes before ``until``."""
        ...

    def settle_failure(self, failure: FailedDelivery, *, sent: bool) -> None:
        """It has arrived, or there is nobody left to tell: forget it."""
        ...

    def save_failure(self, failure: FailedDelivery) -> None:
        """It has failed again: with a time to try again, or dead."""
        ...

    def list_dead(self, *, limit: int = 50) -> list[DeadLetter]:
        """What was given up, the newest first."""
        ...

    def count_dead(self) -> int: ...

    def revive(self, task: ChunkTask, failure_id: int | None) -> bool:
        """Try it again, as if for the first time; False when it is not dead any more."""
        ...

    def drop(self, task: ChunkTask, failure_id: int | None) -> bool:
        """Forget it; False when it is not dead any more."""
        ...

    def list_unqueued(self, now: datetime, limit: int) -> list[tuple[ChunkTask, str]]:
        """Due chunks that no broker has been told of; held until the transaction ends.

        With each a mark: the same when this is asked again after a crash, another one once the
        chunk has been postponed, revived or lost.
        """
        ...

    def mark_queued(self, tasks: Sequence[ChunkTask], now: datetime) -> None:
        """A broker has them."""
        ...

    def requeue(self, queued_before: datetime, now: datetime) -> int:
        """Have a broker told again of what it was told long ago and nobody works on."""
        ...

    def list_waiting(self) -> list[WaitingChunks]: ...
