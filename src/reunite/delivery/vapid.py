"""Tell push services who sends (VAPID, RFC 8292), so that nobody else can use a subscription."""

import base64
import json
import os
import secrets
import threading
from collections import OrderedDict
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from reunite.kernel.clock import Clock
from reunite.kernel.errors import ReuniteError

# RFC 8292, 2: at most 24 hours.  Half of that suits clocks that are hours apart.
TOKEN_TTL = timedelta(hours=12)
RENEWED_BEFORE = timedelta(hours=6)
# Every origin that ever pushed; a stranger can invent subscriptions at any number of them.
MAX_ORIGINS = 1000

_COORDINATE_BYTES = 32


class Vapid:
    """Signs for this server; a token is good for every message to one push service."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str, clock: Clock) -> None:
        self._key = key
        self._contact = contact
        self._clock = clock
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.public_key = _encode(point)  # ``applicationServerKey`` of the browser

    def authorization(self, origin: str) -> str:
        """The header for a push service, e.g. of ``https://push.example`` (RFC 8292, 3)."""
        now = self._clock.now().timestamp()
        with self._lock:
            token, good_until = self._tokens.pop(origin, ("", 0.0))
            if good_until <= now:
                expires = now + TOKEN_TTL.total_seconds()
                token = self._sign(origin, int(expires))
                good_until = expires - RENEWED_BEFORE.total_seconds()
            self._tokens[origin] = (token, good_until)
            while len(self._tokens) > MAX_ORIGINS:
                self._tokens.popitem(last=False)
        return f"vapid t={token}, k={self.public_key}"

    def _sign(self, origin: str, expires: int) -> str:
        claims: dict[str, object] = {"aud": origin, "exp": expires}
        if self._contact:
            claims["sub"] = self._contact
        parts = ({"typ": "JWT", "alg": "ES256"}, claims)
        signed = ".".join(
            _encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts
        )
        # RFC 7518, 3.4: the two numbers side by side, not ASN.1.
        r, s = utils.decode_dss_signature(
            self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        )
        signature = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
        return f"{signed}.{_encode(signature)}"


def load_or_create_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in this PEM file; made where there is none, readable by its owner only.

    Every subscription is tied to it: with another key all browsers have to subscribe anew.
    Raises ReuniteError ``push_key_unusable`` for a file that holds no key of P-256.
    """
    made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        key = serialization.load_pem_private_key(load_or_create(path, made), None)
    except (ValueError, TypeError) as error:
        raise ReuniteError("push_key_unusable", path=str(path)) from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ReuniteError("push_key_unusable", path=str(path))


def load_or_create(path: Path, content: bytes) -> bytes:
    """What the file holds; ``content`` where it did not exist, written for its owner only.

    Of several processes that start at once, all get what the first one wrote.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # Linked and not renamed: the file of another process would be replaced.
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_bytes()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
