"""The plug-in: tie conversation and outgoing alerts to a NoneBot that is set up already."""

import asyncio

from nonebot import get_driver, on_message
from nonebot.adapters import Bot, Event
from nonebot.drivers import URL, ASGIMixin, HTTPServerSetup
from nonebot.matcher import Matcher
from nonebot.rule import to_me

from reunite.app.services import Services
from reunite.bot.conversation import Conversation, Said
from reunite.bot.networks import network_of
from reunite.bot.outgoing import PATH, Deliveries
from reunite.bot.pictures import fetch_picture

PRIORITY = 10  # NoneBot's usual one is 1: other plug-ins of the same bot come first


def install(services: Services, secret: str) -> type[Matcher]:
    """Answer messages to the bot, and take alerts from workers where the driver can serve HTTP.

    ``secret`` is what workers sign with.  Raises ValueError where NoneBot was not started.
    """
    driver = get_driver()
    if isinstance(driver, ASGIMixin):
        deliveries = Deliveries(secret, services.clock)
        driver.setup_http_server(HTTPServerSetup(URL(PATH), "POST", "reunite", deliveries.take))
    conversation = Conversation(services)

    def meant_for_us(event: Event) -> bool:
        return conversation.knows(event.get_plaintext()) or not event.get_plaintext().strip()

    matcher = on_message(rule=to_me() & meant_for_us, priority=PRIORITY, block=True)

    @matcher.handle()
    async def answer(bot: Bot, event: Event, matcher: Matcher) -> None:
        network = network_of(bot)
        if network is None:
            return
        urls = network.picture_urls(event)
        pictures = [picture for url in urls if (picture := await fetch_picture(bot, url))]
        said = Said(
            f"{network.prefix}:{event.get_user_id()}",
            event.get_plaintext(),
            pictures,
            picture_lost=len(pictures) < len(urls),
        )
        # The use cases wait for the database and the models; the bot goes on meanwhile.
        await matcher.finish(await asyncio.to_thread(conversation.reply, said))

    return matcher
