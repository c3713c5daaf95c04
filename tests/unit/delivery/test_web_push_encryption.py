"""Encrypted here, decrypted by http_ece, which shares no code with it."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from reunite.delivery.web_push_encryption import (
    HEADER_BYTES,
    MAX_PLAINTEXT_BYTES,
    RECORD_BYTES,
    Agreement,
    AgreementPool,
    Subscription,
    agree,
    encrypt,
    parse_subscription,
)
from tests.browsers import Subscriber, encode

ANN = Subscriber("https://push.example/ann")
BO = Subscriber("https://push.example/bo")
POOL = 8


def of(subscriber: Subscriber) -> Subscription:
    return parse_subscription(subscriber.subscription)


@given(st.binary(max_size=MAX_PLAINTEXT_BYTES))
@settings(max_examples=30, deadline=None)
def test_the_browser_reads_what_was_encrypted(plaintext: bytes) -> None:
    assert ANN.decrypt(encrypt(agree(of(ANN)), plaintext)) == plaintext


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, MAX_PLAINTEXT_BYTES])
def test_every_length_arrives_in_one_record(length: int) -> None:
    plaintext = b"x" * length
    body = encrypt(agree(of(ANN)), plaintext)
    assert len(body) <= RECORD_BYTES
    assert ANN.decrypt(body) == plaintext


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        encrypt(agree(of(ANN)), bytes(MAX_PLAINTEXT_BYTES + 1))


def test_short_messages_have_one_length() -> None:
    lengths = {len(encrypt(agree(of(ANN)), b"x" * n)) for n in range(1, 257, 51)}
    assert len(lengths) == 1


def test_nobody_else_reads_it() -> None:
    body = encrypt(agree(of(ANN)), b"lost at the lake")
    for reader in (BO, Subscriber(ANN.endpoint, ANN.key), Subscriber(ANN.endpoint, auth=ANN.auth)):
        with pytest.raises(Exception, match=r".*"):  # noqa: B017, PT011, RUF100
            reader.decrypt(body)


def test_the_example_of_the_standard_is_reproduced(monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 8291, appendix A: keys, salt and the body that they must lead to.
    receiver = Subscription(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        decode(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        decode("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    sender = ec.derive_private_key(
        int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    monkeypatch.setattr(
        "reunite.delivery.web_push_encryption.ec.generate_private_key", lambda _: sender
    )
    monkeypatch.setattr(
        "reunite.delivery.web_push_encryption.secrets.token_bytes",
        lambda _: decode("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    monkeypatch.setattr("reunite.delivery.web_push_encryption.PADDING_STEP_BYTES", 1)
    body = encrypt(agree(receiver), b"When I grow up, I want to be a watermelon")
    assert encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"x"',
        "{}",
        '{"endpoint": "https://x.example"}',
        '{"endpoint": "https://x.example", "keys": []}',
        json.dumps({"endpoint": 5, "keys": {"p256dh": encode(ANN.public_key), "auth": "A" * 22}}),
        json.dumps({"endpoint": "x", "keys": {"p256dh": "B" * 87, "auth": encode(ANN.auth)}}),
        json.dumps({"endpoint": "x", "keys": {"p256dh": encode(ANN.public_key), "auth": "AAAA"}}),
        json.dumps({"endpoint": "x", "keys": {"p256dh": "*", "auth": "räuber"}}),
        json.dumps({"endpoint": "x", "keys": {"p256dh": 1, "auth": 2}}),
        # A compressed point, and the point at infinity.
        json.dumps({"endpoint": "x", "keys": {"p256dh": "Ag" + "A" * 42, "auth": "A" * 22}}),
        json.dumps({"endpoint": "x", "keys": {"p256dh": "AA", "auth": "A" * 22}}),
    ],
)
def test_what_is_no_subscription_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_subscription(text)


def test_a_pool_gives_each_agreement_once() -> None:
    pool = AgreementPool(POOL)
    assert pool.prepare([of(ANN), of(BO), of(ANN)]) == 2
    assert len(pool) == 2
    made = [pool.take(of(ANN)) for _ in range(3)]
    assert len(pool) == 1
    assert len({one.sender_public_key for one in made}) == 3
    assert all(ANN.decrypt(encrypt(one, b"x")) == b"x" for one in made)


def test_a_pool_keeps_to_its_size() -> None:
    pool = AgreementPool(POOL)
    crowd = [of(Subscriber(f"https://push.example/{n}")) for n in range(POOL + 3)]
    assert pool.prepare(crowd) == POOL
    assert pool.is_full
    assert pool.prepare(crowd) == 0


def test_new_keys_of_a_browser_need_a_new_agreement() -> None:
    pool = AgreementPool(POOL)
    pool.prepare([of(ANN)])
    renewed = Subscriber(ANN.endpoint)
    assert renewed.decrypt(encrypt(pool.take(of(renewed)), b"x")) == b"x"
    assert len(pool) == 1


def test_no_agreement_is_given_to_two_threads() -> None:
    pool = AgreementPool(POOL)
    for _ in range(20):
        pool.prepare([of(ANN)])
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: pool.take(of(ANN)), range(8)))
        assert len({one.sender_public_key for one in made}) == 8


def test_an_agreement_that_was_copied_never_repeats_key_and_nonce() -> None:
    # As after a fork, or in a restored snapshot of a machine.
    one = agree(of(ANN))
    copy = Agreement(*one)
    first, second = encrypt(one, b"same"), encrypt(copy, b"same")
    assert first[:16] != second[:16]
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]
