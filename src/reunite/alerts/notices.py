"""Notices: what an audience is told, cut into chunks that workers deliver."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import CaseId, NoticeId

Int64 = npt.NDArray[np.int64]

CHUNK_RECIPIENTS = 1000  # one lease, one commit: the queue is then never what takes time


class NoticeKind(StrEnum):
    """Why people are told."""

    PUBLISHED = "published"
    RESOLVED = "resolved"  # thanks: the search is over
    CANCELLED = "cancelled"  # withdrawn; please stop sharing


@dataclass(slots=True)
class Notice:
    """One message to one audience.  Its words are made from the case when it is read,

    so that a name which has left the public side is not kept in a thousand inboxes.
    """

    case_id: CaseId
    kind: NoticeKind
    created_at: datetime
    radius_km: float
    recipients: int
    id: NoticeId = NoticeId(0)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Recipients that one worker delivers to under one lease.

    account_ids : int64 array of shape (n,), nearest first
    """

    notice_id: NoticeId
    sequence: int
    account_ids: Int64


def cut(notice_id: NoticeId, account_ids: Int64) -> list[Chunk]:
    """The audience in chunks, nearest people in the first."""
    return [
        Chunk(notice_id, sequence, account_ids[start : start + CHUNK_RECIPIENTS])
        for sequence, start in enumerate(range(0, len(account_ids), CHUNK_RECIPIENTS))
    ]
