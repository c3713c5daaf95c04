"""Open the channels that this machine is configured for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.vapid import Vapid, load_or_create_key
from reunite.delivery.web_push import POOL_CAPACITY, WebPushChannel
from reunite.kernel.clock import Clock
from reunite.ports import Channel, ChannelName

YES = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What an operator may change about channels; see ``docs/configuration.md``."""

    web_push: bool = True
    push_contact: str = ""  # mailto: or https:, for the people who run push services
    push_key_file: Path | None = None  # None: vapid.pem among the keys of the data directory
    push_pool: int = POOL_CAPACITY
    allow_private: bool = False  # receivers in networks of our own; for tests and development


def read_channel_settings(environment: Mapping[str, str]) -> ChannelSettings:
    """The settings that the environment gives."""
    key_file = environment.get("REUNITE_PUSH_KEY_FILE")
    return ChannelSettings(
        web_push=environment.get("REUNITE_WEB_PUSH", "1").lower() in YES,
        push_contact=environment.get("REUNITE_PUSH_CONTACT", "").strip(),
        push_key_file=Path(key_file) if key_file else None,
        push_pool=int(environment.get("REUNITE_PUSH_POOL", str(POOL_CAPACITY))),
        allow_private=environment.get("REUNITE_ALLOW_PRIVATE_RECEIVERS", "").lower() in YES,
    )


def open_channels(
    settings: ChannelSettings, keys: Path, clock: Clock
) -> dict[ChannelName, Channel]:
    """The channels, each with its keys, which are made in ``keys`` where there are none.

    Raises ReuniteError ``push_key_unusable``.
    """
    outbound = OutboundSettings(allow_private=settings.allow_private)
    channels: dict[ChannelName, Channel] = {}
    if settings.web_push:
        key = load_or_create_key(settings.push_key_file or keys / "vapid.pem")
        vapid = Vapid(key, settings.push_contact, clock)
        channels[ChannelName.WEB_PUSH] = WebPushChannel(
            vapid, outbound, pool_capacity=settings.push_pool
        )
    return channels
