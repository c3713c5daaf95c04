import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from reunite.delivery.vapid import Vapid, load_or_create, load_or_create_key
from reunite.kernel.clock import FixedClock
from reunite.kernel.errors import ReuniteError
from reunite.testing.factories import NOW

ORIGIN = "https://push.example"
CONTACT = "mailto:ops@reunite.example"


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def vapid(clock: FixedClock) -> Vapid:
    return Vapid(ec.generate_private_key(ec.SECP256R1()), CONTACT, clock)


def claims_of(header: str, vapid: Vapid) -> dict[str, object]:
    """What a push service reads, after it has checked the signature."""
    scheme, token, key = header.split(" ")
    assert scheme == "vapid"
    assert key == f"k={vapid.public_key}"
    head, claims, signature = token.removeprefix("t=").removesuffix(",").split(".")
    assert json.loads(decode(head)) == {"typ": "JWT", "alg": "ES256"}
    raw = decode(signature)
    assert len(raw) == 64
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(vapid.public_key))
    public.verify(
        utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )
    read: dict[str, object] = json.loads(decode(claims))
    return read


def test_a_push_service_can_check_who_sends(vapid: Vapid) -> None:
    claims = claims_of(vapid.authorization(ORIGIN), vapid)
    twelve_hours = int((NOW + timedelta(hours=12)).timestamp())
    assert claims == {"aud": ORIGIN, "exp": twelve_hours, "sub": CONTACT}


def test_a_token_is_used_again_until_it_is_half_old(vapid: Vapid, clock: FixedClock) -> None:
    first = vapid.authorization(ORIGIN)
    clock.advance(timedelta(hours=5))
    assert vapid.authorization(ORIGIN) == first
    clock.advance(timedelta(hours=1))
    assert vapid.authorization(ORIGIN) != first


def test_each_push_service_has_its_own(vapid: Vapid) -> None:
    other = claims_of(vapid.authorization("https://other.example:8443"), vapid)
    assert other["aud"] == "https://other.example:8443"
    assert vapid.authorization(ORIGIN) != vapid.authorization("https://other.example:8443")


def test_no_crowd_of_invented_services_fills_the_memory(
    vapid: Vapid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reunite.delivery.vapid.MAX_ORIGINS", 5)
    first = vapid.authorization(ORIGIN)
    for number in range(5):
        vapid.authorization(f"https://{number}.example")
    assert len(vapid._tokens) == 5
    assert vapid.authorization(ORIGIN) != first


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vapid.pem"
    first = load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path).private_numbers() == first.private_numbers()
    assert [one.name for one in path.parent.iterdir()] == ["vapid.pem"]


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda n: load_or_create(path, b"%d" % n), range(40)))
    assert len(found) == 1


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vapid.pem"
    path.write_bytes(content)
    with pytest.raises(ReuniteError, match="push_key_unusable"):
        load_or_create_key(path)
    assert path.read_bytes() == content
