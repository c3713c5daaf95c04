"""Where notices, their chunks, the ledger of their delivery and inboxes are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reunite.alerts.fanout import ChunkTask
from reunite.alerts.notices import Chunk, Notice
from reunite.kernel.ids import AccountId, CaseId, NoticeId

Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One notice in one person's inbox."""

    notice_id: NoticeId
    case_id: CaseId
    kind: str
    delivered_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelProgress:
    """How far one channel has come with a notice; recipients are people, not addresses.

    ``waiting`` are those whose turn has not come, ``handled`` the others: some of them have
    no address on the channel.
    """

    channel: str
    waiting: int
    handled: int
    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class NoticeProgress:
    """How far the delivery of a notice has come.  ``delivered`` counts inboxes."""

    recipients: int
    delivered: int
    read: int
    channels: tuple[ChannelProgress, ...] = ()


class NoticeRepository(Protocol):
    """Notices, the chunks that wait for delivery, and inboxes."""

    def add(self, notice: Notice) -> NoticeId:
        """Sets ``notice.id``."""
        ...

    def get(self, notice_id: NoticeId) -> Notice:
        """Raises NotFoundError."""
        ...

    def add_chunks(self, chunks: Iterable[Chunk]) -> int:
        """Keep chunks, durably once the transaction commits; how many recipients they hold."""
        ...

    def set_recipients(self, notice_id: NoticeId, recipients: int) -> None:
        """How many there are, once everybody has been listed."""
        ...

    def count_pushes(self, since: datetime) -> UInt8:
        """Pushes that each account was allowed since then: uint8 array by account id.

        Ids beyond its end had none.
        """
        ...

    def hold_pushes(self) -> None:
        """Let nobody else who asks for this allow pushes until the transaction ends.

        Two alerts at once would otherwise spend the same push of somebody.
        """
        ...

    def get_chunk(self, notice_id: NoticeId, sequence: int) -> Chunk:
        """Raises NotFoundError."""
        ...

    def open_inboxes(self, notice_id: NoticeId, now: datetime) -> bool:
        """Index the recipients and queue the chunks for delivery into inboxes.

        False, and nothing is done, when that has happened already or the notice was stopped.
        """
        ...

    def deliver_to_inboxes(
        self,
        now: datetime,
        limit: int,
        channels: Sequence[str] = (),
        tasks: Sequence[ChunkTask] | None = None,
    ) -> list[Chunk]:
        """Put the next chunks, nearest people first, into inboxes; they are there on commit.

        Chunks that another transaction holds are passed over.  The same transaction queues
        them for ``channels``.  ``tasks`` limits the choice, where a broker has made it.
        """
        ...

    def stop(self, notice_ids: Sequence[NoticeId], now: datetime, by: AccountId | None) -> None:
        """Deliver nothing more of these notices, on any channel.

        Waits for chunks that are being put into inboxes at this moment, so that whoever reads
        the recipients afterwards knows exactly who was told.
        """
        ...

    def list_inbox(self, account_id: AccountId, *, limit: int = 50) -> list[InboxEntry]:
        """The newest first."""
        ...

    def count_unread(self, account_id: AccountId) -> int: ...

    def mark_read(self, account_id: AccountId, now: datetime) -> None: ...

    def recipients_of_case(self, case_id: CaseId) -> Int64:
        """Everyone who has been told or is going to be told about a case: ascending, distinct.

        Of a notice that was stopped, only those who were told.
        """
        ...

    def list_of_case(self, case_id: CaseId) -> list[tuple[Notice, NoticeProgress]]:
        """The oldest first."""
        ...

    def get_progress(self, notice_id: NoticeId) -> NoticeProgress:
        """Raises NotFoundError."""
        ...
