"""``bot``: the chat bot for QQ and OneBot."""

from importlib import import_module
from typing import Annotated

import typer

from reunite.app.bootstrap import get_chat_secret
from reunite.cli.context import err, opened
from reunite.cli.logs import configure_logs
from reunite.kernel.errors import InvalidInputError

ADAPTERS = ("nonebot.adapters.onebot.v11", "nonebot.adapters.qq")


def bot_command(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8765,
) -> None:
    """Answer in chats, and bring alerts there, until Ctrl-C.  NoneBot reads its own .env file."""
    configure_logs()
    try:
        nonebot = import_module("nonebot")
        adapters = [import_module(name).Adapter for name in ADAPTERS]
        install = import_module("reunite.bot.plugin").install
    except ImportError as error:
        raise InvalidInputError("bot_not_installed") from error
    with opened() as (config, services):
        nonebot.init(driver="~fastapi+~aiohttp", host=host, port=port)
        for adapter in adapters:
            nonebot.get_driver().register_adapter(adapter)
        install(services, get_chat_secret(config))
        err.print(
            f"Workers reach the bot with REUNITE_CHAT_URL=http://{host}:{port}/reunite/deliveries",
            highlight=False,
        )
        nonebot.run()
