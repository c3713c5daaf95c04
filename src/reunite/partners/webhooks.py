"""Webhooks: tell partners' servers what has happened, so that they can trust the words.

Signed as ``kernel.signatures`` says.  Whoever receives one refuses what is older than five
minutes, and ids that were there before: a recorded request is of no use to anybody.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from reunite.kernel.errors import ForbiddenError
from reunite.kernel.ids import WebhookId
from reunite.kernel.signatures import (
    ID_HEADER,
    SECRET_PREFIX,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE,
    sign,
)

SECRET_BYTES = 32
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


def headers(secret: str, message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a delivery."""
    return {"Content-Type": "application/json", **sign(secret, message_id, sent_at, body)}


def verify(secret: str, given: dict[str, str], body: bytes, now: datetime) -> str:
    """The id of a genuine, fresh message; keep it, to refuse the same one later.

    ``given`` are the headers by lower-case name.  Raises ForbiddenError ``webhook_unsigned``,
    ``webhook_stale`` or ``webhook_forged``.
    """
    message_id, stamp = given.get(ID_HEADER, ""), given.get(TIMESTAMP_HEADER, "")
    if not message_id or not stamp.isdigit() or SIGNATURE_HEADER not in given:
        raise ForbiddenError("webhook_unsigned")
    try:
        sent_at = datetime.fromtimestamp(int(stamp), UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ForbiddenError("webhook_unsigned") from error
    expected = sign(secret, message_id, sent_at, body)[SIGNATURE_HEADER]
    # Several, while a secret is being replaced.
    if not any(
        hmac.compare_digest(expected.encode(), one.encode())
        for one in given[SIGNATURE_HEADER].split()
    ):
        raise ForbiddenError("webhook_forged")
    if abs(now - sent_at) > TOLERANCE:
        raise ForbiddenError("webhook_stale")
    return message_id
