"""Announcements through a real LISTEN and NOTIFY, beyond what the contract says."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Iterator

import numpy as np
import psycopg
import pytest

from reunite.broker.live import PostgresLive
from reunite.kernel.ids import AccountId
from reunite.ports import Arrival
from reunite.storage.database import PostgresDatabase

SOON_SECONDS = 10.0  # far more than it takes; the machine may be busy
QUIET_SECONDS = 0.15
ANN = AccountId(7)


@pytest.fixture
def live(shared_database_url: str) -> Iterator[PostgresLive]:
    channel = PostgresLive(shared_database_url)
    assert channel.wait_until_listening(SOON_SECONDS)
    yield channel
    channel.close()


def announce(database: PostgresDatabase, *account_ids: int) -> None:
    with database.transaction() as transaction:
        transaction.announce(np.array(account_ids, dtype=np.int64))


async def is_told(pages: AsyncIterator[frozenset[Arrival]], seconds: float = SOON_SECONDS) -> bool:
    try:
        await asyncio.wait_for(anext(pages), seconds)
    except TimeoutError:
        return False
    return True


async def subscribe(live: PostgresLive, account_id: AccountId) -> AsyncIterator[frozenset[Arrival]]:
    """A subscription that has taken what the first connection tells everybody."""
    pages = live.subscribe(account_id)
    await is_told(pages, QUIET_SECONDS)
    return pages


def test_an_audience_larger_than_a_payload_is_told(
    live: PostgresLive, postgres_database: PostgresDatabase
) -> None:
    async def run() -> None:
        pages = [await subscribe_at_once(live, number) for number in range(1, 3001)]
        await asyncio.to_thread(announce, postgres_database, *range(1, 20_001))
        told = await asyncio.gather(*(is_told(page) for page in pages))
        assert all(told)
        assert live.subscriptions() == 3000

    async def subscribe_at_once(
        live: PostgresLive, number: int
    ) -> AsyncIterator[frozenset[Arrival]]:
        return live.subscribe(AccountId(number))

    asyncio.run(run())


def test_a_lost_connection_comes_back_and_lets_everybody_look(
    live: PostgresLive, postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    async def run() -> None:
        ann = await subscribe(live, ANN)
        with psycopg.connect(shared_database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'reunite-live' AND datname = current_database()"
            )
        assert await is_told(ann)
        await asyncio.to_thread(announce, postgres_database, ANN)
        assert await is_told(ann)

    asyncio.run(run())


def test_a_notification_of_somebody_else_does_no_harm(
    live: PostgresLive, postgres_database: PostgresDatabase, shared_database_url: str
) -> None:
    async def run() -> None:
        ann = await subscribe(live, ANN)
        with psycopg.connect(shared_database_url, autocommit=True) as connection:
            for payload in ("", "hello", "n!!", "nAAA", "wAAAA", "n" + "ü"):
                connection.execute("SELECT pg_notify('reunite_live', %s)", [payload])
        await asyncio.to_thread(announce, postgres_database, ANN)
        assert await is_told(ann)

    asyncio.run(run())


def test_subscriptions_end_when_the_channel_closes(live: PostgresLive) -> None:
    async def run() -> None:
        ann = await subscribe(live, ANN)
        waiting = asyncio.ensure_future(collect(ann))
        await asyncio.sleep(0)
        await asyncio.to_thread(live.close)
        assert await asyncio.wait_for(waiting, SOON_SECONDS) == 0
        assert await collect(live.subscribe(ANN)) == 0
        live.close()

    asyncio.run(run())


async def collect(pages: AsyncIterator[frozenset[Arrival]]) -> int:
    return len([item async for item in pages])


def test_a_closed_page_is_forgotten(live: PostgresLive) -> None:
    async def run() -> None:
        kept, closed, dropped = (live.subscribe(ANN) for _ in range(3))
        assert live.subscriptions() == 3
        await closed.aclose()  # type: ignore[attr-defined]
        assert live.subscriptions() == 2
        assert await collect(closed) == 0
        del dropped
        gc.collect()
        assert live.subscriptions() == 1
        del kept

    asyncio.run(run())


def test_a_loop_that_has_ended_does_no_harm(
    live: PostgresLive, postgres_database: PostgresDatabase
) -> None:
    left_open: list[AsyncIterator[frozenset[Arrival]]] = []

    async def leave() -> None:
        left_open.append(live.subscribe(ANN))

    async def run() -> None:
        ann = await subscribe(live, ANN)
        await asyncio.to_thread(announce, postgres_database, ANN)
        assert await is_told(ann)

    asyncio.run(leave())
    asyncio.run(run())


def test_a_channel_without_a_database_closes(tmp_path: object) -> None:
    channel = PostgresLive(f"postgresql://nobody@/nothing?host={tmp_path}")
    assert not channel.wait_until_listening(QUIET_SECONDS)
    with contextlib.closing(channel):
        pass
