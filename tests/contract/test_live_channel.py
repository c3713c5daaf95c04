"""LiveChannel together with ``Transaction.announce``, in memory and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from reunite.broker.live import PostgresLive
from reunite.kernel.ids import AccountId, NoticeId
from reunite.ports import Arrival, Database, LiveChannel
from reunite.testing.factories import NOW
from reunite.testing.memory import MemoryDatabase, MemoryLive
from tests.contract.undoing import undone

SOON_SECONDS = 10.0  # far more than it takes; the machine may be busy
QUIET_SECONDS = 0.1
ANN, BO = AccountId(7), AccountId(5_000_000_000)


@dataclass(frozen=True)
class Wired:
    """A database and the channel that hears of its commits."""

    database: Database
    channel: LiveChannel

    def announce(self, *account_ids: int) -> None:
        with self.database.transaction() as transaction:
            transaction.announce(np.array(account_ids, dtype=np.int64))

    async def subscribe(self, account_id: AccountId) -> AsyncIterator[frozenset[Arrival]]:
        """A subscription that has taken what a new channel may tell everybody."""
        items = self.channel.subscribe(account_id)
        await is_told(items, QUIET_SECONDS)
        return items


@pytest.fixture(params=["memory", "postgres"])
def wired(request: pytest.FixtureRequest) -> Iterator[Wired]:
    if request.param == "memory":
        live = MemoryLive()
        yield Wired(MemoryDatabase(live), live)
        return
    channel = PostgresLive(request.getfixturevalue("shared_database_url"))
    assert channel.wait_until_listening(SOON_SECONDS)
    yield Wired(request.getfixturevalue("postgres_database"), channel)
    channel.close()


async def is_told(items: AsyncIterator[frozenset[Arrival]], seconds: float = SOON_SECONDS) -> bool:
    try:
        await asyncio.wait_for(anext(items), seconds)
    except TimeoutError:
        return False
    return True


def test_somebody_is_told_what_concerns_them(wired: Wired) -> None:
    async def run() -> None:
        ann, bo = await wired.subscribe(ANN), await wired.subscribe(BO)
        wired.announce(ANN, 9)
        assert await is_told(ann)
        assert not await is_told(bo, QUIET_SECONDS)
        wired.announce(BO, ANN)
        assert await is_told(ann)
        assert await is_told(bo)

    asyncio.run(run())


def test_an_undone_transaction_tells_nobody(wired: Wired) -> None:
    async def run() -> None:
        ann = await wired.subscribe(ANN)
        with undone(wired.database) as transaction:
            transaction.announce(np.array([ANN], dtype=np.int64))
        assert not await is_told(ann, QUIET_SECONDS)
        # Waiting may be given up and taken up again: nothing that comes later is lost.
        wired.announce(ANN)
        assert await is_told(ann)

    asyncio.run(run())


def test_every_open_page_of_somebody_is_told(wired: Wired) -> None:
    async def run() -> None:
        pages = [await wired.subscribe(ANN) for _ in range(3)]
        wired.announce(ANN)
        assert all([await is_told(page) for page in pages])

    asyncio.run(run())


def test_what_comes_meanwhile_is_one_item(wired: Wired) -> None:
    async def run() -> None:
        ann, sign = await wired.subscribe(ANN), await wired.subscribe(BO)
        for _ in range(5):
            wired.announce(ANN)
        wired.announce(BO)
        assert await is_told(sign)  # told last: whatever came before has arrived
        assert await is_told(ann)
        assert not await is_told(ann, QUIET_SECONDS)

    asyncio.run(run())


def test_a_page_hears_what_has_arrived_until_it_had_better_look(wired: Wired) -> None:
    first, second = Arrival(NoticeId(1), NOW), Arrival(NoticeId(2), NOW)

    def announce(*arrivals: Arrival | None) -> None:
        for arrival in arrivals:
            with wired.database.transaction() as transaction:
                transaction.announce(np.array([ANN, BO], dtype=np.int64), arrival)

    async def run() -> None:
        ann, sign = await wired.subscribe(ANN), await wired.subscribe(BO)
        for arrivals, said in (
            ((first,), {first}),
            ((first, second), {first, second}),
            ((None, second), set()),
        ):
            announce(*arrivals)
            heard: set[Arrival] = set()
            while not heard >= {one for one in arrivals if one is not None}:
                item = await asyncio.wait_for(anext(sign), SOON_SECONDS)
                heard |= item
                if not item:
                    break
            assert await asyncio.wait_for(anext(ann), SOON_SECONDS) == said

    asyncio.run(run())
