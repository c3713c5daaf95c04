"""Alerts on their way into a chat: workers hand them in over HTTP, signed."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

import structlog
from nonebot import get_bots
from nonebot.drivers import Request, Response

from reunite.bot.networks import network_of
from reunite.kernel.clock import Clock
from reunite.kernel.signatures import ID_HEADER, TOLERANCE, is_genuine

PATH = "/reunite/deliveries"

log = structlog.get_logger(__name__)


class Deliveries:
    """Takes one delivery a request; what was sent already is not sent again."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._sent: OrderedDict[str, datetime] = OrderedDict()

    async def take(self, request: Request) -> Response:
        """200 sent, 401 not from our workers, 410 nobody there, 503 later."""
        body = request.content if isinstance(request.content, bytes) else b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not is_genuine(self._secret, headers, body, self._clock.now()):
            return Response(401)
        message_id = headers[ID_HEADER]
        self._forget_old()
        if message_id in self._sent:
            return Response(200)
        status = await self._write(json.loads(body))
        if status == 200:  # noqa: PLR2004
            self._sent[message_id] = self._clock.now()
        return Response(status)

    async def _write(self, said: Mapping[str, str]) -> int:
        prefix, _, user_id = said["to"].partition(":")
        for bot in get_bots().values():
            network = network_of(bot)
            if network is not None and network.prefix == prefix:
                try:
                    await network.write(bot, user_id, said["text"])
                except ValueError:
                    return 410
                except Exception as error:  # noqa: BLE001  (each adapter has errors of its own)
                    log.warning("bot_could_not_write", network=prefix, error=type(error).__name__)
                    return 503
                return 200
        return 503  # not connected just now

    def _forget_old(self) -> None:
        # As long as a signature is good, twice: of clocks that differ either way.
        before = self._clock.now() - 2 * TOLERANCE
        while self._sent and next(iter(self._sent.values())) < before:
            self._sent.popitem(last=False)
