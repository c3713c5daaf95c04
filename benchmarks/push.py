"""Web Push: messages encrypted on one core, and sent to a push service on the same machine.

python -m benchmarks.push --json

Rates are messages per second of one thread's processor time, so that other work on the machine
changes them less.  ``pooled`` takes agreements that were made beforehand, one for each browser
and message; making them is ``prepared_per_core``.  ``pywebpush`` is the yardstick.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import http_ece
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPusher

from benchmarks.rates import seconds
from reunite.delivery.outbound import OutboundSettings
from reunite.delivery.vapid import Vapid
from reunite.delivery.web_push import WebPushChannel, payload_of
from reunite.delivery.web_push_encryption import (
    AgreementPool,
    agree,
    encrypt,
    parse_subscription,
)
from reunite.kernel.clock import SystemClock
from reunite.ports import ReceiptStatus
from reunite.testing.channels import make_delivery

ROUNDS = 7
CHECKED = 200


def browser(endpoint: str) -> tuple[ec.EllipticCurvePrivateKey, bytes, str]:
    """The private key, the secret and the subscription of a browser."""
    key, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {
        name: base64.urlsafe_b64encode(value).decode().rstrip("=")
        for name, value in (("p256dh", point), ("auth", auth))
    }
    return key, auth, json.dumps({"endpoint": endpoint, "keys": keys})


def processor_seconds(step: Callable[[], object]) -> float:
    started = time.thread_time()
    step()
    return time.thread_time() - started


def encryption(browsers: int) -> dict[str, Any]:
    """All ways in turn, each message to another browser; the bodies are decrypted at the end."""
    people = [browser(f"https://push.example/{number}") for number in range(browsers)]
    subscriptions = [parse_subscription(text) for _, _, text in people]
    payload = payload_of(make_delivery(people[0][2]))
    pool = AgreementPool(browsers)
    yardsticks = [WebPusher(json.loads(text)) for _, _, text in people]
    steps: dict[str, Callable[[], list[bytes]]] = {
        "fresh": lambda: [encrypt(agree(one), payload) for one in subscriptions],
        "pooled": lambda: [encrypt(pool.take(one), payload) for one in subscriptions],
        "pywebpush": lambda: [one.encode(payload)["body"] for one in yardsticks],
    }
    times: dict[str, list[float]] = {name: [] for name in [*steps, "prepared"]}
    bodies: dict[str, list[bytes]] = {}
    for _ in range(ROUNDS):
        times["prepared"].append(processor_seconds(lambda: pool.prepare(subscriptions)))
        assert len(pool) == browsers
        for name, step in steps.items():
            times[name].append(
                processor_seconds(lambda: bodies.__setitem__(name, step()))  # noqa: B023
            )
        assert len(pool) == 0
    wrong = sum(
        http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm") != payload
        for name in steps
        for (key, auth, _), body in list(zip(people, bodies[name], strict=True))[:CHECKED]
    )
    rates = {f"{name}_per_core": browsers / float(np.median(t)) for name, t in times.items()}
    return {
        "fresh_per_core": rates["fresh_per_core"],
        "pooled_per_core": rates["pooled_per_core"],
        "pywebpush_per_core": rates["pywebpush_per_core"],
        "prepared_per_core": rates["prepared_per_core"],
        "best": {name: browsers / min(t) for name, t in times.items()},
        "payload_bytes": len(payload),
        "body_bytes": len(bodies["pooled"][0]),
        "decrypted": CHECKED * len(steps),
        "decrypted_wrong": wrong,
    }


def push_service(pipe: Connection) -> None:
    """Takes every message and answers 201, in a process of its own."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                start = head.lower().index(b"content-length:") + len(b"content-length:")
                await reader.readexactly(int(head[start : head.index(b"\r\n", start)]))
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(run())


def sending(messages: int) -> dict[str, Any]:
    """Encrypted, sent and answered, by one process, in chunks of a thousand."""
    here, there = multiprocessing.Pipe()
    service = multiprocessing.Process(target=push_service, args=(there,), daemon=True)
    service.start()
    port = here.recv()
    vapid = Vapid(ec.generate_private_key(ec.SECP256R1()), "mailto:x@example.org", SystemClock())
    channel = WebPushChannel(vapid, OutboundSettings(allow_private=True), pool_capacity=messages)
    people = [browser(f"http://127.0.0.1:{port}/{number}")[2] for number in range(messages)]
    deliveries = [make_delivery(address) for address in people]
    rates: dict[str, Any] = {}
    for name in ("fresh", "pooled"):
        if name == "pooled":
            channel.prepare(people)
        sent = 0

        def send() -> None:
            nonlocal sent
            for start in range(0, messages, 1000):
                receipts = channel.send(deliveries[start : start + 1000])
                sent += sum(receipt.status is ReceiptStatus.SENT for receipt in receipts)

        rates[f"{name}_sent_per_second"] = messages / seconds(send)
        assert sent == messages, (sent, messages)
    channel.close()
    here.send("end")
    service.join()
    return {"sending": {**rates, "messages": messages}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=10_000, help="to send; 0 for none")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    asked = parser.parse_args()
    result = encryption(asked.browsers)
    if asked.messages:
        result |= sending(asked.messages)
    result["machine"] = {
        "threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    (results / "push.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write((json.dumps(result) if asked.json else text) + "\n")


if __name__ == "__main__":
    main()
