"""The plug-in in a real NoneBot, with NoneBot's own test kit."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import nonebot
import pytest
from nonebot.adapters.onebot.v11 import Adapter as OneBotAdapter
from nonebot.adapters.onebot.v11 import Bot as OneBotBot
from nonebot.adapters.onebot.v11 import Message as OneBotMessage
from nonebot.adapters.onebot.v11 import MessageSegment, PrivateMessageEvent
from nonebot.adapters.onebot.v11.event import Sender
from nonebot.adapters.qq import Adapter as QqAdapter
from nonebot.adapters.qq import Bot as QqBot
from nonebot.adapters.qq import C2CMessageCreateEvent
from nonebot.adapters.qq.config import BotInfo
from nonebot.drivers import URL, Request, Response
from nonebot.matcher import Matcher, matchers
from nonebug import App
from nonebug.provider import NoneBugProvider

from reunite.bot.outgoing import PATH, Deliveries
from reunite.bot.pictures import fetch_picture, is_store
from reunite.bot.plugin import install
from reunite.bot.words import say
from reunite.kernel.languages import Language
from reunite.kernel.signatures import sign
from reunite.ports import ChannelName
from reunite.testing.faces import paint_person
from tests.unit.app.world import NOON, World

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PICTURE = "https://multimedia.nt.qq.com.cn/download?appid=1406"


@pytest.fixture(scope="session", autouse=True)
def _nonebot() -> None:
    nonebot.init(driver="~fastapi+~aiohttp", log_level="ERROR", _env_file=None)
    matchers.set_provider(NoneBugProvider)
    for adapter in (OneBotAdapter, QqAdapter):
        nonebot.get_driver().register_adapter(adapter)


@pytest.fixture
def matcher(world: World) -> Iterator[type[Matcher]]:
    installed = install(world.services, SECRET)
    yield installed
    installed.destroy()


def onebot_event(message: OneBotMessage | str, user_id: int = 10001) -> PrivateMessageEvent:
    said = OneBotMessage(message)
    return PrivateMessageEvent(
        time=1,
        self_id=1,
        post_type="message",
        sub_type="friend",
        user_id=user_id,
        message_type="private",
        message_id=1,
        message=said,
        original_message=said,
        raw_message=str(said),
        font=0,
        sender=Sender(),
        to_me=True,
    )


def qq_event(text: str, attachments: list[dict[str, Any]] | None = None) -> C2CMessageCreateEvent:
    return C2CMessageCreateEvent.model_validate(
        {
            "id": "event-1",
            "author": {"id": "ABC", "user_openid": "ABC"},
            "content": text,
            "timestamp": datetime.now(UTC).isoformat(),
            "attachments": attachments,
        }
    )


class Networks:
    """Bots of both networks in one test; ``answers`` is what their picture stores answer."""

    def __init__(self, ctx: Any, pictures: dict[str, bytes] | None = None) -> None:
        self.pictures = pictures or {}
        self.onebot = ctx.create_bot(
            base=OneBotBot, adapter=nonebot.get_adapter(OneBotAdapter), self_id="1"
        )
        self.qq = ctx.create_bot(
            base=QqBot,
            adapter=nonebot.get_adapter(QqAdapter),
            self_id="2",
            bot_info=BotInfo(id="2", secret=""),
        )
        for bot in (self.onebot, self.qq):
            bot.adapter.request = self._request

    async def _request(self, request: Request) -> Response:
        content = self.pictures.get(str(request.url))
        return Response(404) if content is None else Response(200, content=content)


def test_somebody_opts_in_from_onebot(world: World, matcher: type[Matcher]) -> None:
    async def run() -> None:
        async with App().test_matcher(matcher) as ctx:
            bots = Networks(ctx)
            event = onebot_event("订阅 杭州")
            ctx.receive_event(bots.onebot, event)
            ctx.should_call_send(event, say("subscribed", Language.ZH, town="杭州"), None)
            ctx.should_finished(matcher)

    asyncio.run(run())
    with world.database.transaction() as transaction:
        assert transaction.channel_addresses.find_account(ChannelName.CHAT, "onebot:10001")


def test_somebody_opts_in_from_qq(world: World, matcher: type[Matcher]) -> None:
    async def run() -> None:
        async with App().test_matcher(matcher) as ctx:
            bots = Networks(ctx)
            event = qq_event(" subscribe Hangzhou")
            ctx.receive_event(bots.qq, event)
            ctx.should_call_send(event, say("subscribed", Language.EN, town="Hangzhou"), None)
            ctx.should_finished(matcher)

    asyncio.run(run())
    with world.database.transaction() as transaction:
        assert transaction.channel_addresses.find_account(ChannelName.CHAT, "qq:ABC")


def test_a_photo_is_compared_in_either_network(world: World, matcher: type[Matcher]) -> None:
    reference = world.open_public(1)
    world.drain()
    pictures = {PICTURE: paint_person(1, 2)}
    sent: list[str] = []

    async def run() -> None:
        async with App().test_matcher(matcher) as ctx:
            bots = Networks(ctx, pictures)
            image = MessageSegment("image", {"file": "a.jpg", "url": PICTURE})
            attachment = {"content_type": "image/jpeg", "url": PICTURE.removeprefix("https://")}
            for bot, event in (
                (bots.onebot, onebot_event(MessageSegment.text("找人") + image)),
                (bots.qq, qq_event("找人", [attachment])),
            ):

                async def send(*, event: Any, message: Any) -> None:
                    sent.append(str(message))

                bot.send = send
                ctx.receive_event(bot, event)
                ctx.should_finished(matcher)

    asyncio.run(run())
    assert len(sent) == 2
    assert all(f"/zh/cases/{reference}" in text for text in sent)


def test_what_is_not_for_us_is_left_to_other_plugins(matcher: type[Matcher]) -> None:
    async def run() -> None:
        async with App().test_matcher(matcher) as ctx:
            bots = Networks(ctx)
            ctx.receive_event(bots.onebot, onebot_event("天气 杭州"))
            ctx.should_not_pass_rule(matcher)

    asyncio.run(run())


def test_pictures_come_from_the_networks_own_stores_only() -> None:
    async def run() -> None:
        async with App().test_api() as ctx:
            bots = Networks(ctx, {PICTURE: b"x", "https://evil.example/": b"y"})
            assert await fetch_picture(bots.onebot, PICTURE) == b"x"
            assert await fetch_picture(bots.onebot, "https://evil.example/") is None
            assert await fetch_picture(bots.onebot, f"{PICTURE}&gone=1") is None

    asyncio.run(run())
    assert is_store("https://gchat.qpic.cn/x")
    for url in (
        "http://127.0.0.1/x",
        "https://qq.com.evil.example/",
        "https://evilqq.com/",
        "file:///etc/passwd",
        "https://qq.com:8080/",
        "https://[x",
    ):
        assert not is_store(url)


def delivery(number: int, to: str, secret: str = SECRET) -> Request:
    body = json.dumps({"to": to, "text": "走失儿童：王乐乐"}).encode()
    headers = sign(secret, f"notice-1-{number}", NOON, body)
    return Request("POST", URL(PATH), headers=headers, content=body)


def test_alerts_are_written_to_whom_they_are_for(world: World) -> None:
    deliveries = Deliveries(SECRET, world.clock)

    async def run() -> None:
        async with App().test_api() as ctx:
            networks = Networks(ctx)
            written: list[tuple[str, str]] = []

            async def send_to_c2c(*, openid: str, message: str) -> None:
                written.append((openid, message))

            networks.qq.send_to_c2c = send_to_c2c
            ctx.should_call_api(
                "send_private_msg", {"user_id": 10001, "message": "走失儿童：王乐乐"}, None
            )
            assert (await deliveries.take(delivery(1, "onebot:10001"))).status_code == 200
            assert (await deliveries.take(delivery(2, "qq:ABC"))).status_code == 200
            assert written == [("ABC", "走失儿童：王乐乐")]
            # The same again is not written again; a forger's is not written at all.
            assert (await deliveries.take(delivery(2, "qq:ABC"))).status_code == 200
            forged = delivery(3, "qq:ABC", "whsec_AAAA")
            assert (await deliveries.take(forged)).status_code == 401
            assert len(written) == 1
            # No such person can be; no such network is connected.
            assert (await deliveries.take(delivery(4, "onebot:x"))).status_code == 410
            assert (await deliveries.take(delivery(5, "telegram:1"))).status_code == 503
            # Recorded yesterday.
            world.pass_time(hours=1)
            assert (await deliveries.take(delivery(6, "qq:ABC"))).status_code == 401

    asyncio.run(run())
