"""Webhooks: tell partners' servers what has happened, so that they can trust the words.

The signature covers the time of sending and the body, as in the Standard Webhooks
specification (https://www.standardwebhooks.com): ``v1,`` and the Base64 of HMAC-SHA256 over
``id.timestamp.body``.  Whoever receives one refuses what is older than five minutes, and ids
that were there before: a recorded request is of no use to anybody.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from reunite.kernel.errors import ForbiddenError
from reunite.kernel.ids import WebhookId

TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32
ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
# After so many failures in a row, about two days, nobody is there any more.
GIVE_UP_AFTER = 40


class EventName(StrEnum):
    """What partners can be told of; values are sent."""

    CASE_PUBLISHED = "case.published"
    CASE_CHANGED = "case.changed"
    CASE_CLOSED = "case.closed"
    RECORD_WITHDRAWN = "record.withdrawn"


@dataclass(slots=True)
class Webhook:
    """Somebody's server that wishes to hear."""

    address: str
    events: frozenset[EventName]
    created_at: datetime
    secret: str = field(repr=False)
    failures: int = 0  # in a row
    disabled_at: datetime | None = None
    id: WebhookId = WebhookId(0)


def new_webhook_secret() -> str:
    """A fresh secret, to be shown once."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, sent_at: datetime, body: bytes) -> str:
    """What stands in ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{int(sent_at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secret: str, message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a delivery."""
    return {
        "Content-Type": "application/json",
        ID_HEADER: message_id,
        TIME_HEADER: str(int(sent_at.timestamp())),
        SIGNATURE_HEADER: signature(secret, message_id, sent_at, body),
    }


def verify(secret: str, given: dict[str, str], body: bytes, now: datetime) -> str:
    """The id of a genuine, fresh message; keep it, to refuse the same one later.

    ``given`` are the headers by lower-case name.  Raises ForbiddenError ``webhook_unsigned``,
    ``webhook_stale`` or ``webhook_forged``.
    """
    message_id, stamp = given.get(ID_HEADER, ""), given.get(TIME_HEADER, "")
    if not message_id or not stamp.isdigit() or SIGNATURE_HEADER not in given:
        raise ForbiddenError("webhook_unsigned")
    try:
        sent_at = datetime.fromtimestamp(int(stamp), UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ForbiddenError("webhook_unsigned") from error
    expected = signature(secret, message_id, sent_at, body)
    # Several, while a secret is being replaced.
    if not any(
        hmac.compare_digest(expected.encode(), one.encode())
        for one in given[SIGNATURE_HEADER].split()
    ):
        raise ForbiddenError("webhook_forged")
    if abs(now - sent_at) > TOLERANCE:
        raise ForbiddenError("webhook_stale")
    return message_id
