"""When a delivery is tried again, and what a lease remembers."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.alerts.fanout import (
    FIRST_RETRY,
    LAST_RETRY,
    MAX_ATTEMPTS,
    Backoff,
    ChunkTask,
    Lease,
    empty_bits,
)
from reunite.kernel.ids import NoticeId
from reunite.testing.factories import NOW

backoff = Backoff(random.Random(1))  # noqa: S311  (repeatable)


def wait(attempts: int, retry_after_seconds: float | None = None) -> timedelta:
    at = backoff.next_attempt(NOW, attempts, retry_after_seconds)
    assert at is not None
    return at - NOW


@given(st.integers(1, MAX_ATTEMPTS - 1))
def test_waits_double_and_are_spread_out(attempts: int) -> None:
    longest = min(LAST_RETRY, FIRST_RETRY * 2 ** (attempts - 1))
    waits = {wait(attempts) for _ in range(20)}
    assert longest / 2 <= min(waits) <= max(waits) <= longest
    assert len(waits) > 1


def test_an_outage_of_an_hour_loses_nobody() -> None:
    longest = [min(LAST_RETRY, FIRST_RETRY * 2 ** (n - 1)) for n in range(1, MAX_ATTEMPTS)]
    shortest = sum(longest, timedelta()) / 2
    assert timedelta(hours=1) < shortest < sum(map(wait, range(1, MAX_ATTEMPTS)), timedelta())
    assert backoff.next_attempt(NOW, MAX_ATTEMPTS) is None


@pytest.mark.parametrize(
    ("asked", "at_least", "at_most"),
    [
        (0.0, 0, 5),
        (-7.0, 0, 5),
        (120.0, 120, 132),
        (10**9, 3600, 3960),
        (float("inf"), 0, 5),
        (float("nan"), 0, 5),
    ],
)
def test_what_the_other_side_asks_for_is_honoured_within_reason(
    asked: float, at_least: float, at_most: float
) -> None:
    assert timedelta(seconds=at_least) <= wait(1, asked) <= timedelta(seconds=at_most)


@given(st.lists(st.integers(0, 16), max_size=40))
def test_a_recipient_counts_once(recipients: list[int]) -> None:
    lease = Lease(ChunkTask(NoticeId(1), 0, "email"), "w", NOW, 17, 0, 0, empty_bits(17))
    for recipient in recipients:
        lease.mark_sent(recipient)
    assert lease.sent == len(set(recipients))
    bits = int.from_bytes(lease.sent_bits, "little")
    assert {n for n in range(24) if bits >> n & 1} == set(recipients)
