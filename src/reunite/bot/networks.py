"""What differs between chat networks: who wrote, where pictures are, how to write to somebody."""

from collections.abc import Mapping
from typing import Any, Protocol

from nonebot.adapters import Bot, Event


class Network(Protocol):
    """One chat network.  ``prefix`` begins the identities of its people."""

    prefix: str

    def picture_urls(self, event: Event) -> list[str]: ...

    async def write(self, bot: Bot, user_id: str, text: str) -> None: ...


class OneBot:
    """OneBot 11, which most bots for QQ speak (https://github.com/botuniverse/onebot-11)."""

    prefix = "onebot"

    def picture_urls(self, event: Event) -> list[str]:
        return [
            str(segment.data.get("url") or "")
            for segment in event.get_message()
            if segment.type == "image"
        ]

    async def write(self, bot: Bot, user_id: str, text: str) -> None:
        await bot.call_api("send_private_msg", user_id=int(user_id), message=text)


class QqOfficial:
    """The official bots of QQ (https://bot.q.qq.com/wiki)."""

    prefix = "qq"

    def picture_urls(self, event: Event) -> list[str]:
        urls = [
            str(segment.data.get("url") or "")
            for segment in event.get_message()
            if segment.type == "image"
        ]
        # They come without a scheme at times.
        return [f"https://{url}" if url and "://" not in url else url for url in urls]

    async def write(self, bot: Bot, user_id: str, text: str) -> None:
        official: Any = bot
        await official.send_to_c2c(openid=user_id, message=text)


# By the name that an adapter gives itself.
NETWORKS: Mapping[str, Network] = {"OneBot V11": OneBot(), "QQ": QqOfficial()}


def network_of(bot: Bot) -> Network | None:
    """The network that a bot is in; None for one that is not supported."""
    return NETWORKS.get(bot.adapter.get_name())
