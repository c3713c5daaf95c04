"""Encrypt a message so that only one browser can read it (RFC 8291 with RFC 8188).

Nearly all of the work is the key agreement with the browser's public key, and it does not
depend on the message.  So it can be done beforehand: ``AgreementPool`` keeps agreements that
were made in quiet times.  Each has an ephemeral key pair of its own and is used for one
message; the salt is drawn when the message is encrypted, so that not even a pool that was
copied (a fork, a restored snapshot) can lead to the same key and nonce twice.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096  # RFC 8291, 4: push services need not take more
SALT_BYTES = 16
AUTH_BYTES = 16
TAG_BYTES = 16
PUBLIC_KEY_BYTES = 65  # uncompressed point of P-256
HEADER_BYTES = SALT_BYTES + 4 + 1 + PUBLIC_KEY_BYTES
# One record: header, what is encrypted, the delimiter and the tag fit in it.
MAX_PLAINTEXT_BYTES = RECORD_BYTES - HEADER_BYTES - 1 - TAG_BYTES
# All messages of one step look alike to whoever sees only their length.
PADDING_STEP_BYTES = 256

_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_RECORD_AND_KEY_LENGTHS = RECORD_BYTES.to_bytes(4, "big") + bytes([PUBLIC_KEY_BYTES])
_LAST_RECORD = b"\x02"  # RFC 8188, 2
_KEY_INFO = b"WebPush: info\x00"
_ENCRYPTION_INFO = b"Content-Encoding: aes128gcm\x00\x01"
_NONCE_INFO = b"Content-Encoding: nonce\x00\x01"
_FIRST_BLOCK = b"\x01"  # of HKDF's output; no more than one is ever needed


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser listens, and the keys that only it can answer to."""

    endpoint: str
    public_key: bytes  # 65 bytes
    auth_secret: bytes  # 16 bytes


def parse_subscription(text: str) -> Subscription:
    """Read what ``PushSubscription.toJSON()`` gave (W3C Push API).

    Raises ValueError unless it is one: an address, a point of P-256 and 16 bytes.
    """
    try:
        said = json.loads(text)
        endpoint, keys = said["endpoint"], said["keys"]
        public_key, auth_secret = _decode(keys["p256dh"]), _decode(keys["auth"])
    except (TypeError, KeyError, binascii.Error) as error:
        raise ValueError("no push subscription") from error
    if not isinstance(endpoint, str) or len(auth_secret) != AUTH_BYTES:
        raise ValueError("no push subscription")
    _read_public_key(public_key)
    return Subscription(endpoint, public_key, auth_secret)


class Agreement(NamedTuple):
    """What one message to one browser is encrypted with.  For one message only."""

    sender_public_key: bytes  # of the ephemeral pair, whose private half is forgotten
    key_material: bytes  # IKM of RFC 8291, 3.4


def agree(subscription: Subscription) -> Agreement:
    """Make an ephemeral key pair and agree on a key with the browser (RFC 8291, 3.1 to 3.4).

    Raises ValueError where the browser's key is no point of the curve.
    """
    ephemeral = ec.generate_private_key(_CURVE)
    sender = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = ephemeral.exchange(_ECDH, _read_public_key(subscription.public_key))
    combined = hmac.digest(subscription.auth_secret, shared, "sha256")
    info = _KEY_INFO + subscription.public_key + sender + _FIRST_BLOCK
    return Agreement(sender, hmac.digest(combined, info, "sha256"))


def encrypt(agreement: Agreement, plaintext: bytes) -> bytes:
    """The body of one push message, padded (RFC 8188, 2).

    ``agreement`` is used up.  Raises ValueError for more than ``MAX_PLAINTEXT_BYTES``.
    """
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise ValueError("too long for one record")
    salt = secrets.token_bytes(SALT_BYTES)
    root = hmac.digest(salt, agreement.key_material, "sha256")
    key = hmac.digest(root, _ENCRYPTION_INFO, "sha256")[:16]
    nonce = hmac.digest(root, _NONCE_INFO, "sha256")[:12]
    length = min(-(-len(plaintext) // PADDING_STEP_BYTES) * PADDING_STEP_BYTES, MAX_PLAINTEXT_BYTES)
    padded = plaintext + _LAST_RECORD + bytes(length - len(plaintext))
    sealed = AESGCM(key).encrypt(nonce, padded, None)
    return b"".join((salt, _RECORD_AND_KEY_LENGTHS, agreement.sender_public_key, sealed))


class AgreementPool:
    """Agreements made in quiet times, at most one for each browser.

    Kept in memory only: whoever reads a file of them could read the messages.  About 400 bytes
    each.  May be used from several threads.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._made: dict[bytes, Agreement] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._made)

    @property
    def is_full(self) -> bool:
        return len(self._made) >= self._capacity

    def prepare(self, subscriptions: Iterable[Subscription]) -> int:
        """Make an agreement for each browser that has none; how many were made.

        Stops where the pool is full.
        """
        made = 0
        for subscription in subscriptions:
            if self.is_full:
                break
            name = _name(subscription)
            if name not in self._made:
                self._made[name] = agree(subscription)
                made += 1
        return made

    def take(self, subscription: Subscription) -> Agreement:
        """The agreement made beforehand, which leaves the pool for good; else a fresh one."""
        with self._lock:
            made = self._made.pop(_name(subscription), None)
        return made if made is not None else agree(subscription)


def _name(subscription: Subscription) -> bytes:
    # The keys and not the endpoint: an agreement is worth nothing once they have changed.
    return hashlib.sha256(subscription.auth_secret + subscription.public_key).digest()


def _read_public_key(encoded: bytes) -> ec.EllipticCurvePublicKey:
    if len(encoded) != PUBLIC_KEY_BYTES:
        raise ValueError("no point of P-256")
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, encoded)


def _decode(text: str) -> bytes:
    # Browsers leave the padding of base64 away.
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
