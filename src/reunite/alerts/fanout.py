"""Fan-out: which chunk goes out on which channel, how far it has come, when it is tried again.

A chunk is worked on under a lease: a worker's name and a time.  Whoever dies lets the lease
run out, and the next worker goes on from the position that was saved after the last batch.
So at most one batch a worker is sent twice, and those deliveries carry the same ids.
"""

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reunite.kernel.ids import AccountId, NoticeId

INBOX = "inbox"  # every notice goes there; other channels have the names of ``ChannelName``

LEASE = timedelta(seconds=20)
BATCH_DELIVERIES = 50  # what is sent again after a kill -9, at most
BURST = timedelta(seconds=1)  # of a channel's rate that may be used at once
INBOX_CHUNKS = 10  # put into inboxes by one transaction

# A service that asks for a year is broken, and the person is lost today.
LONGEST_ASKED_SECONDS = 3600.0
LONGEST_WAIT = 1.1 * timedelta(seconds=LONGEST_ASKED_SECONDS)
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
# With those waits never less than an hour: an outage of an hour loses nobody.
MAX_ATTEMPTS = 20


@dataclass(frozen=True, slots=True, order=True)
class ChunkTask:
    """One chunk of one notice on one channel."""

    notice_id: NoticeId
    sequence: int
    channel: str


@dataclass(slots=True)
class Lease:
    """The right to work on a chunk until a time.

    ``position`` counts the recipients that are done with, in the chunk's order.  Bit i of
    ``sent_bits`` (the lowest bit of each byte first) says that recipient i was reached.
    """

    task: ChunkTask
    owner: str
    until: datetime
    recipients: int
    position: int
    attempts: int
    sent_bits: bytearray
    sent: int = 0
    failed: int = 0

    def mark_sent(self, recipient: int) -> None:
        """Somebody of the chunk was reached."""
        byte, bit = divmod(recipient, 8)
        if not self.sent_bits[byte] >> bit & 1:
            self.sent_bits[byte] |= 1 << bit
            self.sent += 1


def empty_bits(recipients: int) -> bytearray:
    """Nobody has been reached."""
    return bytearray(math.ceil(recipients / 8))


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """One delivery that did not go out, to be tried again, or dead (``due_at`` None)."""

    task: ChunkTask
    recipient: int  # position in the chunk
    account_id: AccountId
    address_id: int
    attempts: int
    due_at: datetime | None
    reason: str
    failed_at: datetime
    id: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What was given up: one delivery, or a whole chunk (``failure_id`` None)."""

    task: ChunkTask
    failure_id: int | None
    recipients: int
    attempts: int
    reason: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """When to try again: exponential, with full jitter.

    Waits are drawn from 50 to 100 % of the doubled wait, so that what failed together does
    not come back together (Brooker, "Exponential Backoff and Jitter", AWS, 2015).
    """

    # Not for secrets; handed in by tests.
    draw: random.Random = field(default_factory=random.Random)

    def next_attempt(
        self, now: datetime, attempts: int, retry_after_seconds: float | None = None
    ) -> datetime | None:
        """When to try after so many failures; None when it is time to give up.

        ``retry_after_seconds`` is what the other side asked for: never earlier than that, and
        a little later, for everybody was told the same.
        """
        if attempts >= MAX_ATTEMPTS:
            return None
        doubled: timedelta = FIRST_RETRY * 2 ** min(attempts - 1, 20)
        wait = min(LAST_RETRY, doubled) * self.draw.uniform(0.5, 1.0)
        if retry_after_seconds is not None and math.isfinite(retry_after_seconds):
            asked = timedelta(seconds=min(max(retry_after_seconds, 0.0), LONGEST_ASKED_SECONDS))
            wait = max(wait, asked * self.draw.uniform(1.0, 1.1))
        return now + wait
