from datetime import timedelta

import pytest

from reunite.api import throttle
from reunite.api.main import SIGN_IN_WINDOW, SIGN_INS_AN_ACCOUNT
from reunite.api.throttle import Throttle
from reunite.kernel.clock import FixedClock
from reunite.kernel.errors import TooManyRequestsError
from tests.unit.api.conftest import NOW, Client, World

MINUTE = timedelta(minutes=1)


def test_attempts_beyond_the_limit_wait_for_the_oldest_to_pass() -> None:
    clock = FixedClock(NOW)
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
    throttled = Throttle(FixedClock(NOW), 1, MINUTE)
    throttled.count("a")
    throttled.forget("a")
    throttled.count("a")
    throttled.forget("never seen")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 3)
    throttled = Throttle(FixedClock(NOW), 1, MINUTE)
    for key in "abcd":
        throttled.count(key)
    throttled.count("a")  # the oldest, forgotten
    with pytest.raises(TooManyRequestsError):
        throttled.count("d")


def test_guessing_a_password_is_slowed_down(client: Client, world: World) -> None:
    guess = {"email": "Anna@example.org ", "password": "guess"}
    for _ in range(SIGN_INS_AN_ACCOUNT):
        assert client.post("/sessions", json=guess).status_code == 401
    # Another spelling of the same address is the same account.
    answer = client.post("/sessions", json={**guess, "email": "anna@example.org"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) == SIGN_IN_WINDOW.total_seconds()
    assert client.post("/sessions", json={**guess, "email": "b@c.de"}).status_code == 401
    world.clock.advance(SIGN_IN_WINDOW)
    assert client.post("/sessions", json=guess).status_code == 401
