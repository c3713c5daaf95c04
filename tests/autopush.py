"""A push service for tests: Mozilla's autopush protocol to the browser, RFC 8030 to senders.

Firefox keeps a WebSocket open and gets JSON messages; senders post encrypted bodies to the
endpoint that it was given.  Keeps nothing for browsers that are away.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.receivers import running

SUBPROTOCOL = "push-notification"


@dataclass
class Autopush:
    """``pushed`` holds the headers of what came, ``acknowledged`` what browsers decrypted."""

    port: int = 0
    said: list[str] = field(default_factory=list)  # kinds of messages that browsers sent
    pushed: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)  # codes: 100 is delivered
    channels: dict[str, web.WebSocketResponse] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def application(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/", self._browser)
        made.router.add_post("/push/{channel}", self._sender)
        return made

    async def _browser(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(socket, json.loads(message.data))
        for channel in [c for c, at in self.channels.items() if at is socket]:
            del self.channels[channel]
        return socket

    async def _answer(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        kind = said.get("messageType", "ping")
        self.said.append(kind)
        if kind == "ping":
            await socket.send_str("{}")
        elif kind == "hello":
            uaid = said.get("uaid") or uuid.uuid4().hex
            await socket.send_json(
                {"messageType": "hello", "uaid": uaid, "status": 200, "use_webpush": True}
            )
        elif kind == "register":
            self.channels[said["channelID"]] = socket
            endpoint = f"http://127.0.0.1:{self.port}/push/{said['channelID']}"
            await socket.send_json(
                {
                    "messageType": "register",
                    "channelID": said["channelID"],
                    "status": 200,
                    "pushEndpoint": endpoint,
                }
            )
        elif kind == "unregister":
            self.channels.pop(said["channelID"], None)
            await socket.send_json(
                {"messageType": "unregister", "channelID": said["channelID"], "status": 200}
            )
        elif kind == "ack":
            self.acknowledged += [update.get("code", 100) for update in said["updates"]]

    async def _sender(self, request: web.Request) -> web.Response:
        socket = self.channels.get(request.match_info["channel"])
        body = await request.read()
        if socket is None:
            return web.Response(status=410)
        if "TTL" not in request.headers or not request.headers["Authorization"].startswith("vapid"):
            return web.Response(status=400)
        self.pushed.append(dict(request.headers))
        self.bodies.append(body)
        version = secrets.token_hex(8)
        await socket.send_json(
            {
                "messageType": "notification",
                "channelID": request.match_info["channel"],
                "version": version,
                "data": base64.urlsafe_b64encode(body).decode().rstrip("="),
                "headers": {"encoding": request.headers["Content-Encoding"]},
            }
        )
        return web.Response(status=201, headers={"Location": f"/message/{version}"})


@contextmanager
def autopush_running() -> Iterator[Autopush]:
    """A push service while the block runs."""
    service = Autopush()
    with running(service.application) as port:
        service.port = port
        yield service
