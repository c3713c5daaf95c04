"""Chunk work on NATS JetStream, in place of looking for it in PostgreSQL.

A message names a chunk; who its recipients are, how far it has come and whether it is over is
known to the ledger alone.  So a message may be lost (the ledger has it sent again), come twice
(it is leased once), or be too late (then nothing is left to do).
"""

import asyncio
import json
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from typing import Any, TypeVar

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from reunite.alerts.fanout import ChunkTask
from reunite.kernel.errors import ReuniteError
from reunite.kernel.ids import NoticeId
from reunite.ports import Taken

log = structlog.get_logger(__name__)

T = TypeVar("T")

TAKE_SECONDS = 0.05  # how long an idle worker waits for the broker
ANSWER_SECONDS = 5.0  # then the broker is taken to be away
RECONNECT_SECONDS = 0.25
MOST_UNENDED = 20_000  # tasks of one channel that workers may hold at a time

# What shows that the broker, or what we made on it, is not there at the moment.
_AWAY = (NatsError, OSError, TimeoutError, LateError, asyncio.TimeoutError)


@dataclass(frozen=True, slots=True)
class JetStreamSettings:
    """How the broker is used.

    ``ack_wait_seconds`` is when a task is handed out again that its worker neither ended nor
    touched; within ``duplicate_seconds`` a known mark is ignored.
    """

    namespace: str = "reunite"
    ack_wait_seconds: float = 30.0
    duplicate_seconds: float = 120.0


class JetStreamQueue:
    """Implements ``ChunkQueue``.  One thread holds the connection; it reconnects for ever."""

    def __init__(self, url: str, settings: JetStreamSettings | None = None) -> None:
        self._url = url
        self._settings = settings or JetStreamSettings()
        self._stream = f"{self._settings.namespace}-chunks"
        self._client: Client | None = None
        self._ready = False  # the stream is known to be there
        self._consumers: dict[str, JetStreamContext.PullSubscription] = {}
        self._closing = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="jetstream", daemon=True)
        self._thread.start()

    def wait_until_connected(self, timeout_seconds: float) -> bool:
        """Whether the broker answers within that time; nothing needs to wait for it."""
        try:
            return self._ask(self._connected(timeout_seconds), timeout_seconds + 1)
        except _AWAY:
            return False

    def put(self, tasks: Sequence[tuple[ChunkTask, str]]) -> None:
        """Durable when this returns.  Raises ReuniteError ``broker_unreachable``."""
        try:
            self._ask(self._put(tasks), ANSWER_SECONDS + 1)
        except _AWAY as error:
            raise ReuniteError("broker_unreachable") from error

    def take(self, channel: str, limit: int) -> list[Taken] | None:
        """Up to so many tasks; None while the broker does not answer."""
        try:
            return self._ask(self._take(channel, limit), ANSWER_SECONDS + 1)
        except _AWAY:
            return None

    def close(self) -> None:
        """Let go of the connection; what was taken and not ended comes again."""
        if self._closing.is_set():
            return
        self._closing.set()
        try:
            self._ask(self._disconnect(), ANSWER_SECONDS)
        except _AWAY:
            log.warning("broker_connection_left")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)

    def tell(self, action: Coroutine[Any, Any, None]) -> None:
        """Do this in the connection's thread, without waiting for it."""
        if self._closing.is_set():
            action.close()
            return
        asyncio.run_coroutine_threadsafe(_quietly(action), self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        connecting = self._loop.create_task(self._connect())
        try:
            self._loop.run_forever()
        finally:
            connecting.cancel()
            self._loop.run_until_complete(asyncio.gather(connecting, return_exceptions=True))
            self._loop.close()

    def _ask(self, question: Coroutine[Any, Any, T], timeout_seconds: float) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return future.result(timeout_seconds)
        except LateError:
            future.cancel()
            raise

    async def _connect(self) -> None:
        while not self._closing.is_set():
            try:
                self._client = await nats.connect(
                    self._url,
                    name="reunite",
                    connect_timeout=2,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_SECONDS,
                    error_cb=_log_error,
                    disconnected_cb=self._lost,
                )
            except _AWAY as error:
                log.warning("broker_away", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                return

    async def _connected(self, timeout_seconds: float) -> bool:
        end = self._loop.time() + timeout_seconds
        while self._loop.time() < end:
            if self._client is not None and self._client.is_connected:
                return True
            await asyncio.sleep(TAKE_SECONDS)
        return False

    async def _disconnect(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _lost(self) -> None:
        # A broker that comes back may be another one, with nothing of ours on it.
        self._forget()

    def _forget(self) -> None:
        self._ready = False
        self._consumers.clear()

    async def _context(self) -> JetStreamContext:
        """JetStream with our stream on it.  Raises one of ``_AWAY``."""
        if self._client is None or not self._client.is_connected:
            raise ConnectionError
        context = self._client.jetstream(timeout=ANSWER_SECONDS)
        if not self._ready:
            config = StreamConfig(
                name=self._stream,
                subjects=[f"{self._stream}.*"],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                duplicate_window=self._settings.duplicate_seconds,
            )
            try:
                await context.add_stream(config)
            except BadRequestError:  # it is there, made with other settings
                await context.update_stream(config)
            self._ready = True
        return context

    async def _put(self, tasks: Sequence[tuple[ChunkTask, str]]) -> None:
        try:
            context = await self._context()
            await asyncio.gather(*(self._publish(context, task, mark) for task, mark in tasks))
        except _AWAY:
            self._forget()
            raise

    async def _publish(self, context: JetStreamContext, task: ChunkTask, mark: str) -> None:
        await context.publish(
            f"{self._stream}.{task.channel}",
            json.dumps([task.notice_id, task.sequence]).encode(),
            timeout=ANSWER_SECONDS,
            headers={"Nats-Msg-Id": mark},
        )

    async def _take(self, channel: str, limit: int) -> list[Taken]:
        try:
            consumer = await self._consumer(channel)
            messages = await consumer.fetch(limit, timeout=TAKE_SECONDS)
        except nats.errors.TimeoutError:
            return []
        except _AWAY:
            self._forget()
            raise
        return [_Message(self, message, _task(channel, message)) for message in messages]

    async def _consumer(self, channel: str) -> JetStreamContext.PullSubscription:
        consumer = self._consumers.get(channel)
        if consumer is None:
            context = await self._context()
            consumer = await context.pull_subscribe(
                f"{self._stream}.{channel}",
                durable=f"{self._stream}-{channel}",
                stream=self._stream,
                config=ConsumerConfig(
                    ack_wait=self._settings.ack_wait_seconds, max_ack_pending=MOST_UNENDED
                ),
            )
            self._consumers[channel] = consumer
        return consumer


@dataclass(frozen=True, slots=True)
class _Message:
    """Implements ``Taken``."""

    queue: JetStreamQueue
    message: Msg
    task: ChunkTask

    def done(self) -> None:
        self.queue.tell(self.message.ack())

    def later(self, seconds: float) -> None:
        self.queue.tell(self.message.nak(seconds))

    def touch(self) -> None:
        self.queue.tell(self.message.in_progress())


def _task(channel: str, message: Msg) -> ChunkTask:
    notice_id, sequence = json.loads(message.data)
    return ChunkTask(NoticeId(notice_id), sequence, channel)


async def _quietly(action: Coroutine[Any, Any, None]) -> None:
    try:
        await action
    except _AWAY:
        # Then the message comes again, and the ledger knows that nothing is left to do.
        log.info("broker_not_told")


async def _log_error(error: Exception) -> None:
    log.debug("broker_error", error=type(error).__name__)
