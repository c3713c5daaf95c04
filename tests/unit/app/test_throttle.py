from datetime import timedelta

import pytest

from reunite.app import throttle
from reunite.app.throttle import SIGN_INS_AN_ACCOUNT, SIGN_INS_AN_ADDRESS, Doorkeeper, Throttle
from reunite.kernel.clock import FixedClock
from reunite.kernel.errors import TooManyRequestsError
from tests.unit.app.world import NOON

MINUTE = timedelta(minutes=1)


def test_attempts_beyond_the_limit_wait_for_the_oldest_to_pass() -> None:
    clock = FixedClock(NOON)
    throttled = Throttle(clock, 2, MINUTE)
    throttled.count("a")
    clock.advance(timedelta(seconds=20))
    throttled.count("a")
    throttled.count("b")
    with pytest.raises(TooManyRequestsError) as refused:
        throttled.count("a")
    assert refused.value.details == {"limit": 2, "retry_after_seconds": 40}
    clock.advance(timedelta(seconds=40))
    throttled.count("a")


def test_a_good_attempt_starts_anew() -> None:
    throttled = Throttle(FixedClock(NOON), 1, MINUTE)
    throttled.count("a")
    throttled.forget("a")
    throttled.count("a")
    throttled.forget("never seen")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 3)
    throttled = Throttle(FixedClock(NOON), 1, MINUTE)
    for key in "abcd":
        throttled.count(key)
    throttled.count("a")  # the oldest, forgotten
    with pytest.raises(TooManyRequestsError):
        throttled.count("d")


def test_one_account_from_one_place_has_few_attempts() -> None:
    doorkeeper = Doorkeeper(FixedClock(NOON))
    for _ in range(SIGN_INS_AN_ACCOUNT):
        doorkeeper.count_sign_in("a@example.org", "10.0.0.1")
    with pytest.raises(TooManyRequestsError):
        doorkeeper.count_sign_in(" A@Example.org", "10.0.0.1")
    # Whoever knows the password is not locked out by somebody who guesses elsewhere.
    doorkeeper.count_sign_in("a@example.org", "10.0.0.2")


def test_one_place_has_more_whatever_the_account() -> None:
    doorkeeper = Doorkeeper(FixedClock(NOON))
    for number in range(SIGN_INS_AN_ADDRESS):
        doorkeeper.count_sign_in(f"a{number}@example.org", "10.0.0.1")
        doorkeeper.welcome(f"a{number}@example.org", "10.0.0.1")
    with pytest.raises(TooManyRequestsError):
        doorkeeper.count_sign_in("b@example.org", "10.0.0.1")
