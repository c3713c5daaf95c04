"""Signed messages between servers, as Standard Webhooks 1.0 prescribes.

What is signed is the id, the time and the body, so that nobody can change any of them, send the
message again later, or send it as another one.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"  # noqa: S105  (a mark, not a secret)
# Clocks differ; within this time a receiver tells repetitions by the id.
TOLERANCE = timedelta(minutes=5)

_VERSION = "v1"


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove where a message comes from and when it was sent.

    Raises ValueError for what is no secret.
    """
    timestamp = str(int(at.timestamp()))
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: f"{_VERSION},{_signature(secret, message_id, timestamp, body)}",
    }


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether these headers were made with the secret, for this body, not long ago.

    Names of headers in lower case.  The caller remembers ids for ``TOLERANCE``.
    """
    message_id = headers.get(ID_HEADER, "")
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(now.timestamp() - int(timestamp[:15])) > TOLERANCE.total_seconds():
        return False
    expected = _signature(secret, message_id, timestamp, body)
    # Several while a secret is being changed.
    given = (one.partition(",") for one in headers.get(SIGNATURE_HEADER, "").split())
    return any(
        version == _VERSION and hmac.compare_digest(value.encode(), expected.encode())
        for version, _, value in given
    )


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    try:
        # Libraries differ in the alphabet and in the padding that they write.
        text = secret.removeprefix(SECRET_PREFIX).rstrip("=").replace("-", "+").replace("_", "/")
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("no secret") from error
    if not key:
        raise ValueError("no secret")
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
