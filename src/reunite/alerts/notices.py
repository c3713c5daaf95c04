"""Notices: what an audience is told, cut into chunks that workers deliver."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import AccountId, CaseId, NoticeId

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

CHUNK_RECIPIENTS = 1000  # one lease, one commit: the queue is then never what takes time


class NoticeKind(StrEnum):
    """Why people are told."""

    PUBLISHED = "published"
    UPDATED = "updated"  # something has changed: look again
    LEAD = "lead"  # to the reporter alone: two reviewers think that a record fits
    CARD = "card"  # to the family alone: somebody has scanned the card of the person
    BLOOD_ASK = "blood_ask"  # to a donor: can you come?
    BLOOD_THANKS = "blood_thanks"  # to donors who were asked: enough are coming, or it is over
    RESOLVED = "resolved"  # thanks: the search is over
    CANCELLED = "cancelled"  # withdrawn; please stop sharing

    @property
    def is_last(self) -> bool:
        """Whether it ends the alert: what has not gone out by then must not go out any more."""
        return self in (NoticeKind.RESOLVED, NoticeKind.CANCELLED)


@dataclass(slots=True)
class Notice:
    """One message to one audience.  Its words are made from the case when it is read,

    so that a name which has left the public side is not kept in a thousand inboxes.
    ``stopped_at`` is when somebody stopped it; whoever had not been told by then is not told.
    """

    case_id: CaseId
    kind: NoticeKind
    created_at: datetime
    radius_km: float
    recipients: int
    stopped_at: datetime | None = None
    stopped_by: AccountId | None = None
    id: NoticeId = NoticeId(0)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Recipients that one worker delivers to under one lease.

    account_ids : int64 array of shape (n,), nearest first
    may_push : bool array of shape (n,), whom channels may disturb; None for everybody.  The
        inbox is for all of them
    """

    notice_id: NoticeId
    sequence: int
    account_ids: Int64
    may_push: Bool | None = None


def cut(notice_id: NoticeId, account_ids: Int64) -> list[Chunk]:
    """The audience in chunks, nearest people in the first."""
    parts = range(0, len(account_ids), CHUNK_RECIPIENTS)
    return list(
        number(notice_id, (account_ids[start : start + CHUNK_RECIPIENTS] for start in parts))
    )


def number(notice_id: NoticeId, parts: Iterable[Int64]) -> Iterator[Chunk]:
    """The same of an audience that comes in parts of ``CHUNK_RECIPIENTS``."""
    for sequence, account_ids in enumerate(parts):
        yield Chunk(notice_id, sequence, account_ids)
