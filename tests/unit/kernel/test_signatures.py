from datetime import UTC, datetime, timedelta

import pytest

from reunite.kernel.signatures import is_genuine, sign

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_standard_is_reproduced() -> None:
    # From the reference implementations of Standard Webhooks.
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_only_the_message_itself_is_genuine_and_only_now() -> None:
    headers = sign(SECRET, "7", NOON, BODY)
    assert is_genuine(SECRET, headers, BODY, NOON + timedelta(minutes=5))
    assert is_genuine(SECRET, headers, BODY, NOON - timedelta(minutes=5))
    # Sent again later, from the future, changed, as another message, with another secret.
    assert not is_genuine(SECRET, headers, BODY, NOON + timedelta(minutes=6))
    assert not is_genuine(SECRET, headers, BODY, NOON - timedelta(minutes=6))
    assert not is_genuine(SECRET, headers, BODY + b" ", NOON)
    assert not is_genuine(SECRET, {**headers, "webhook-id": "8"}, BODY, NOON)
    later = str(int(NOON.timestamp()) + 1)
    assert not is_genuine(SECRET, {**headers, "webhook-timestamp": later}, BODY, NOON)
    assert not is_genuine("whsec_AAAA", headers, BODY, NOON)


def test_two_signatures_are_sent_while_a_secret_changes() -> None:
    headers = sign(SECRET, "7", NOON, BODY)
    both = f"v1,AAAA {headers['webhook-signature']} v2,x"
    assert is_genuine(SECRET, {**headers, "webhook-signature": both}, BODY, NOON)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "räuber", "²", "9" * 400, "v1", "v1,", ",", "v1,räuber"])
def test_nonsense_is_not_genuine(name: str, value: str) -> None:
    headers = {**sign(SECRET, "7", NOON, BODY), name: value}
    assert not is_genuine(SECRET, headers, BODY, NOON)


@pytest.mark.parametrize("secret", ["", "whsec_", "*", "whsec_räuber"])
def test_what_is_no_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        sign(secret, "7", NOON, BODY)
