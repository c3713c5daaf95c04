"""Keys and webhooks by themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from reunite.kernel.errors import ForbiddenError, InvalidInputError
from reunite.kernel.ids import AccountId
from reunite.kernel.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from reunite.partners.keys import (
    ApiKey,
    Scope,
    check_key,
    digest_of,
    hint_of,
    new_secret,
    require_domain,
)
from reunite.partners.webhooks import Webhook, headers, new_webhook_secret, verify

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BODY = b'{"type":"case.closed"}'


def a_key(**changes: object) -> ApiKey:
    settings: dict[str, object] = {
        "name": "p", "digest": b"", "hint": "", "scopes": frozenset({Scope.SEARCH}),
        "account_id": AccountId(1), "created_at": NOW,
    }  # fmt: skip
    return ApiKey(**{**settings, **changes})  # type: ignore[arg-type]


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("rk_")
        assert len(secret) > 40
        assert len(hint_of(secret)) == 11
        assert secret.startswith(hint_of(secret))
        assert len(digest_of(secret)) == 32


def test_a_key_is_valid_until_it_ends() -> None:
    assert a_key().is_valid(NOW)
    assert a_key(expires_at=NOW + timedelta(seconds=1)).is_valid(NOW)
    assert not a_key(expires_at=NOW).is_valid(NOW)
    assert not a_key(revoked_at=NOW).is_valid(NOW)


def test_one_of_the_scopes_is_enough() -> None:
    key = a_key(scopes=frozenset({Scope.READ_FULL}))
    key.require(Scope.READ_PUBLIC, Scope.READ_FULL)
    with pytest.raises(ForbiddenError, match="key_scope_missing"):
        key.require(Scope.SEARCH)


@pytest.mark.parametrize(
    ("name", "scopes", "domain", "per_minute", "field"),
    [
        (" ", {Scope.SEARCH}, "", 60, "name"),
        ("x" * 81, {Scope.SEARCH}, "", 60, "name"),
        ("x", set(), "", 60, "scopes"),
        ("x", {Scope.WRITE_OWN}, "", 60, "domain"),
        ("x", {Scope.WRITE_OWN}, "no domain", 60, "domain"),
        ("x", {Scope.SEARCH}, "-a.example", 60, "domain"),
        ("x", {Scope.SEARCH}, "", 0, "requests_per_minute"),
        ("x", {Scope.SEARCH}, "", 6001, "requests_per_minute"),
    ],
)
def test_what_a_key_needs(
    name: str, scopes: set[Scope], domain: str, per_minute: int, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_key(name, scopes, domain, per_minute)
    assert caught.value.details["field"] == field


def test_what_a_key_may_have() -> None:
    check_key("x", {Scope.WRITE_OWN}, "registry.example.org", 6000)
    assert require_domain("a.example") == "a.example"


def test_a_genuine_message_is_believed() -> None:
    secret = new_webhook_secret()
    sent = headers(secret, "msg_1", NOW, BODY)
    assert verify(secret, sent, BODY, NOW + timedelta(minutes=4)) == "msg_1"
    several = {**sent, SIGNATURE_HEADER: f"v1,b2xk {sent[SIGNATURE_HEADER]}"}
    assert verify(secret, several, BODY, NOW) == "msg_1"


def test_the_signature_is_that_of_the_standard() -> None:
    # The example of the Standard Webhooks specification.
    sent = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert sent[SIGNATURE_HEADER] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_forged_stale_or_unsigned_is_not() -> None:
    secret = new_webhook_secret()
    sent = headers(secret, "msg_1", NOW, BODY)
    late = NOW + timedelta(minutes=6)
    for given, body, now, code in (
        (sent, BODY + b" ", NOW, "webhook_forged"),
        ({**sent, ID_HEADER: "msg_2"}, BODY, NOW, "webhook_forged"),
        ({**sent, TIMESTAMP_HEADER: "1780315300"}, BODY, NOW, "webhook_forged"),
        (headers(new_webhook_secret(), "msg_1", NOW, BODY), BODY, NOW, "webhook_forged"),
        (sent, BODY, late, "webhook_stale"),
        (sent, BODY, NOW - timedelta(minutes=6), "webhook_stale"),
        ({}, BODY, NOW, "webhook_unsigned"),
        ({**sent, TIMESTAMP_HEADER: "soon"}, BODY, NOW, "webhook_unsigned"),
        ({**sent, TIMESTAMP_HEADER: "9" * 30}, BODY, NOW, "webhook_unsigned"),
    ):
        with pytest.raises(ForbiddenError) as caught:
            verify(secret, given, body, now)
        assert caught.value.code == code


def test_the_secret_is_in_no_log() -> None:
    secret = new_webhook_secret()
    assert secret not in repr(Webhook("https://x.example", frozenset(), NOW, secret))
