"""Open the channels that this machine is configured for."""

import json
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reunite.delivery.chat import ChatChannel
from reunite.delivery.email import EmailChannel, parse_smtp_url
from reunite.delivery.message_services import MessageServiceChannel
from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.vapid import Vapid, load_or_create, load_or_create_key
from reunite.delivery.web_push import POOL_CAPACITY, WebPushChannel
from reunite.delivery.webhook import WebhookChannel
from reunite.kernel.clock import Clock
from reunite.kernel.errors import InvalidInputError
from reunite.kernel.signatures import SECRET_PREFIX
from reunite.ports import Channel, ChannelName, Delivery

SECRET_BYTES = 24
YES = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What an operator may change about channels; see ``docs/configuration.md``."""

    web_push: bool = True
    push_contact: str = ""  # mailto: or https:, for the people who run push services
    push_key_file: Path | None = None  # None: vapid.pem among the keys of the data directory
    push_pool: int = POOL_CAPACITY
    smtp_url: str = ""  # empty: no e-mail
    mail_from: str = ""
    webhooks: bool = True
    message_services: bool = True
    gateways: Mapping[str, str] = field(default_factory=dict)  # by name, URLs of Apprise
    chat_url: str = ""  # of the chat bot; empty: none
    allow_private: bool = False  # receivers in networks of our own; for tests and development


def read_channel_settings(environment: Mapping[str, str]) -> ChannelSettings:
    """The settings that the environment gives.

    Raises InvalidInputError ``gateways_unreadable``.
    """
    key_file = environment.get("REUNITE_PUSH_KEY_FILE")
    return ChannelSettings(
        web_push=environment.get("REUNITE_WEB_PUSH", "1").lower() in YES,
        push_contact=environment.get("REUNITE_PUSH_CONTACT", "").strip(),
        push_key_file=Path(key_file) if key_file else None,
        push_pool=int(environment.get("REUNITE_PUSH_POOL", str(POOL_CAPACITY))),
        smtp_url=environment.get("REUNITE_SMTP_URL", "").strip(),
        mail_from=environment.get("REUNITE_MAIL_FROM", "").strip(),
        webhooks=environment.get("REUNITE_WEBHOOKS", "1").lower() in YES,
        message_services=environment.get("REUNITE_MESSAGE_SERVICES", "1").lower() in YES,
        gateways=_gateways(environment.get("REUNITE_GATEWAYS", "")),
        chat_url=environment.get("REUNITE_CHAT_URL", "").strip(),
        allow_private=environment.get("REUNITE_ALLOW_PRIVATE_RECEIVERS", "").lower() in YES,
    )


def read_channel_rates(text: str) -> dict[ChannelName, float]:
    """Deliveries a second by channel, e.g. from ``email=5 web_push=2000``.

    Raises InvalidInputError ``channel_rates_unreadable``.
    """
    rates: dict[ChannelName, float] = {}
    for said in text.replace(",", " ").split():
        name, _, rate = said.partition("=")
        try:
            rates[ChannelName(name)] = float(rate)
        except ValueError as error:
            raise InvalidInputError("channel_rates_unreadable", got=said[:40]) from error
        # nan is neither more nor less than nothing.
        if not 0 < rates[ChannelName(name)] < math.inf:
            raise InvalidInputError("channel_rates_unreadable", got=said[:40])
    return rates


def open_channels(
    settings: ChannelSettings,
    keys: Path,
    clock: Clock,
    unsubscribe_url: Callable[[Delivery], str] | None,
) -> dict[ChannelName, Channel]:
    """The channels, each with its keys, which are made in ``keys`` where there are none.

    ``unsubscribe_url`` is None where the address of the site is not known.

    Raises ReuniteError ``push_key_unusable``; InvalidInputError ``smtp_url_unreadable``,
    ``smtp_sender_missing``, ``public_url_missing``.
    """
    outbound = OutboundSettings(allow_private=settings.allow_private)
    channels: dict[ChannelName, Channel] = {}
    if settings.web_push:
        key = load_or_create_key(settings.push_key_file or keys / "vapid.pem")
        vapid = Vapid(key, settings.push_contact, clock)
        channels[ChannelName.WEB_PUSH] = WebPushChannel(
            vapid, outbound, pool_capacity=settings.push_pool
        )
    if settings.smtp_url:
        mail = parse_smtp_url(settings.smtp_url, settings.mail_from)
        if unsubscribe_url is None:
            # Mail that cannot be stopped is spam, and is treated as such.
            raise InvalidInputError("public_url_missing")
        channels[ChannelName.EMAIL] = EmailChannel(mail, unsubscribe_url)
    if settings.webhooks:
        channels[ChannelName.WEBHOOK] = WebhookChannel(clock, outbound)
    if settings.message_services:
        channels[ChannelName.APPRISE] = MessageServiceChannel(settings.gateways)
    if settings.chat_url:
        channels[ChannelName.CHAT] = ChatChannel(settings.chat_url, chat_secret(keys), clock)
    return channels


def chat_secret(keys: Path) -> str:
    """What workers and the chat bot of this machine know from one another by."""
    made = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    return load_or_create(keys / "chat.key", made.encode()).decode().strip()


def _gateways(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        said = json.loads(text)
    except ValueError as error:
        raise InvalidInputError("gateways_unreadable") from error
    if not isinstance(said, dict) or not all(
        isinstance(url, str) and "{address}" in url for url in said.values()
    ):
        raise InvalidInputError("gateways_unreadable")
    return said
