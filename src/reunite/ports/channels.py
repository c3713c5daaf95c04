"""Channels: how a message reaches one person outside the pages of Reunite.

A channel knows one way (Web Push, e-mail, a webhook …) and nothing about alerts.  Fan-out
hands it deliveries and acts on the receipts: a receipt never says more than what the fan-out
has to do next.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from reunite.kernel.ids import AccountId
from reunite.kernel.languages import Language

Int64 = npt.NDArray[np.int64]

ChannelAddressId = NewType("ChannelAddressId", int)

# RFC 8030, 5.4: at most 32 characters of the URL-safe alphabet of RFC 4648.
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TOPIC_BYTES = 18  # 24 characters: no two alerts share a topic by chance


class ChannelName(StrEnum):
    """The ways that lead out of Reunite; values are stored."""

    WEB_PUSH = "web_push"
    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"  # SMS, WeCom, DingTalk, Telegram … through that library
    CHAT = "chat"  # the chat bot, which calls Reunite itself


# Addresses that are JSON, and what in it names the place.
_IDENTITY_KEYS = {ChannelName.WEB_PUSH: "endpoint", ChannelName.WEBHOOK: "url"}


class Urgency(StrEnum):
    """How much a message matters to a device that saves power (RFC 8030, 5.3)."""

    VERY_LOW = "very-low"
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


def topic_of(alert: str) -> str:
    """The topic of everything that is said about one alert, from a name unique to the alert.

    Push services see topics: a digest tells them nothing, not even the case's reference.
    """
    digest = hashlib.sha256(f"reunite alert {alert}".encode()).digest()[:_TOPIC_BYTES]
    return base64.urlsafe_b64encode(digest).decode()


def identity_of(channel: ChannelName, address: str) -> bytes:
    """What makes an address the same one again, as SHA-256.

    A browser that renews its keys keeps the endpoint (W3C Push API, 3.3), and a webhook its
    address; others are compared to the letter.
    """
    known_by = address
    key = _IDENTITY_KEYS.get(channel)
    if key is not None:
        try:
            known_by = str(json.loads(address)[key])
        except (ValueError, KeyError, TypeError):
            known_by = address  # nonsense is the same nonsense again
    return hashlib.sha256(known_by.encode()).digest()


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """What a person is told, in one language.

    Messages of one ``topic`` replace one another on the device: an update, a thank-you or a
    cancellation takes the place of the first.  ``ttl_seconds`` is how long a device that is
    switched off may still get it.  ``kind`` is a code, e.g. of ``NoticeKind``.

    Raises ValueError for a topic or lifetime that RFC 8030 does not allow.
    """

    title: str
    body: str
    url: str  # absolute: it is followed from outside
    language: Language
    topic: str
    urgency: Urgency
    ttl_seconds: int
    kind: str

    def __post_init__(self) -> None:
        if not _TOPIC.fullmatch(self.topic):
            raise ValueError("a topic has 1 to 32 characters of A-Z, a-z, 0-9, - and _")
        if self.ttl_seconds < 0:
            raise ValueError("a lifetime is not negative")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one address.

    ``delivery_id`` is the same at every attempt; whoever can tells duplicates by it.
    ``address`` is what the channel understands: JSON of a push subscription, an e-mail
    address, a URL of a webhook or of ``apprise``.
    """

    delivery_id: str
    volunteer_id: AccountId
    address: str
    message: ChannelMessage


class ReceiptStatus(StrEnum):
    """What became of a delivery, and so what to do next."""

    SENT = "sent"  # accepted by whoever brings it further
    RETRY = "retry"  # not now; try again later
    GONE = "gone"  # the address is dead: remove it
    REFUSED = "refused"  # this delivery will never work: a dead letter


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one delivery.

    ``retry_after_seconds`` is what the other side asked for; None leaves it to the sender.
    ``reason`` is a snake_case code without anything personal in it.
    """

    status: ReceiptStatus
    retry_after_seconds: float | None = None
    reason: str = ""


class Channel(Protocol):
    """One way out."""

    @property
    def name(self) -> ChannelName: ...

    def refuses(self, address: str) -> str:
        """Why nothing is ever sent to such an address, as a code; empty where it may be.

        Does not ask anybody, so it says nothing about whether the address exists.
        """
        ...

    def send(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        """Try each delivery once, within bounded time; receipts in the same order.

        Never raises for what is wrong with one address, or with the other side.  May be called
        from several threads.
        """
        ...

    def close(self) -> None:
        """Give back connections and threads.  Sends nothing afterwards; may be called twice."""
        ...


@runtime_checkable
class PushChannel(Channel, Protocol):
    """A channel to browsers, which subscribe with its public key."""

    @property
    def public_key(self) -> str:
        """The VAPID key (RFC 8292, 3.2) in URL-safe base64."""
        ...

    def prepare(self, addresses: Sequence[str]) -> bool:
        """Do ahead what can be done before there is a message; whether there is room for more."""
        ...


@runtime_checkable
class ServiceChannel(Channel, Protocol):
    """A channel through message services, of which a server offers some."""

    @property
    def services(self) -> list[str]:
        """What addresses may begin with, e.g. ``tgram`` or ``sms:``."""
        ...


class DigestOption(StrEnum):
    """When somebody wishes to hear by e-mail."""

    AT_ONCE = "at_once"
    DAILY = "daily"  # what has come in a day, in one message


@dataclass(frozen=True, slots=True)
class ChannelAddress:
    """Where somebody wishes to be told.

    ``confirmed_at`` is when the owner of the address agreed; None: nothing but the question
    itself is sent there.  ``failed_count`` counts failures in a row.
    """

    account_id: AccountId
    channel: ChannelName
    address: str
    created_at: datetime
    confirmed_at: datetime | None = None
    digest: DigestOption = DigestOption.AT_ONCE
    digested_at: datetime | None = None
    failed_count: int = 0
    id: ChannelAddressId = ChannelAddressId(0)


class ChannelAddressRepository(Protocol):
    """Where people wish to be told.  An account that goes takes its addresses along."""

    def add(self, address: ChannelAddress) -> ChannelAddressId:
        """Keep an address; the same one of the same account is replaced and keeps its id.

        A Web Push subscription belongs to one browser: whoever had it before loses it.
        """
        ...

    def find(self, address_id: ChannelAddressId) -> ChannelAddress | None: ...

    def list_of(self, account_id: AccountId) -> list[ChannelAddress]:
        """All of somebody's, by id."""
        ...

    def list_for(self, account_ids: Int64, channels: Sequence[ChannelName]) -> list[ChannelAddress]:
        """Confirmed addresses that wish to hear at once, by account and id."""
        ...

    def list_after(
        self, channel: ChannelName, after: ChannelAddressId, limit: int
    ) -> list[ChannelAddress]:
        """Confirmed addresses of a channel, by id, from the one behind ``after`` on."""
        ...

    def find_account(self, channel: ChannelName, address: str) -> AccountId | None:
        """Whose confirmed address that is; the earliest where several have it."""
        ...

    def confirm(self, address_id: ChannelAddressId, at: datetime) -> None: ...

    def count_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        """One more failure in a row for each."""
        ...

    def clear_failures(self, address_ids: Sequence[ChannelAddressId]) -> None:
        """They work."""
        ...

    def remove(self, address_ids: Sequence[ChannelAddressId]) -> int:
        """Forget addresses, as when a receipt says GONE; how many there were."""
        ...

    def remove_unconfirmed_before(self, at: datetime) -> int:
        """Forget addresses whose owner never agreed; how many there were."""
        ...

    def claim_digest(self, due_before: datetime, now: datetime) -> ChannelAddress | None:
        """A confirmed daily address whose last digest (or joining) is older than that.

        Held until the transaction ends, and marked as having had its digest ``now``; what is
        returned still carries the time of the last one.
        """
        ...
