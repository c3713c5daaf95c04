"""A million people told: durably enqueued, put into inboxes by two workers, read by one of them.

python -m benchmarks.fanout --json

The yardstick is appending the same ids to a file: once with one fsync for the queue, and in as
many durable steps as the workers make for the inboxes.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import structlog

from benchmarks.lean import lean_services
from benchmarks.rates import seconds
from reunite.alerts.fanout import INBOX_CHUNKS
from reunite.alerts.notices import CHUNK_RECIPIENTS, Notice, NoticeKind, number
from reunite.app.deliver_chunks import deliver_to_inboxes
from reunite.app.handlers import HANDLERS
from reunite.app.services import Services
from reunite.kernel.clock import SystemClock
from reunite.kernel.ids import AccountId
from reunite.ports import Database
from reunite.storage.migrate import upgrade
from reunite.storage.server import PostgresServer
from reunite.testing.factories import store_case

WORKERS = 2
READERS = 200
_READERS = """
    INSERT INTO accounts (id, email, display_name, password_hash, role, language, organisation,
                          disabled, created_at)
    SELECT id, 'v' || id, '', '!', 'volunteer', 'zh', '', false, now()
    FROM unnest(%s::bigint[]) AS id
    ON CONFLICT DO NOTHING
"""


def work(dsn: str, stop: Any) -> None:
    """What a worker does for alerts, as ``worker.loop`` does it."""
    services = lean_services(dsn)
    while not stop.is_set():
        worked = deliver_to_inboxes(services) > 0
        with services.database.transaction() as transaction:
            message = transaction.outbox.claim(services.clock.now())
            if message is not None:
                HANDLERS[message.topic](services, transaction, message.payload)
                transaction.outbox.finish(message)
        if not worked and message is None:
            time.sleep(0.01)


def enqueue(database: Database, case_id: Any, account_ids: Any) -> tuple[Notice, float]:
    """Keep notice and chunks durably; the seconds until the commit has returned."""
    started = time.perf_counter()
    notice = Notice(case_id, NoticeKind.PUBLISHED, SystemClock().now(), 30.0, 0)
    with database.transaction() as transaction:
        transaction.notices.add(notice)
        parts = range(0, len(account_ids), CHUNK_RECIPIENTS)
        recipients = transaction.notices.add_chunks(
            number(notice.id, (account_ids[at : at + CHUNK_RECIPIENTS] for at in parts))
        )
        transaction.notices.set_recipients(notice.id, recipients)
        transaction.outbox.add("open_inboxes", {"notice_id": notice.id})
    return notice, time.perf_counter() - started


def append(folder: Path, account_ids: Any, syncs: int) -> float:
    """Seconds to append the ids to a file, made durable so many times."""
    started = time.perf_counter()
    with (folder / "raw").open("ab") as file:
        for some in np.array_split(account_ids, syncs):
            file.write(some.tobytes())
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - started


def small_notices(services: Services, case_id: Any, count: int, rng: Any) -> None:
    """Other alerts, that a reader has nothing to do with."""
    database = services.database
    for _ in range(count):
        ids = rng.choice(10_000_000, 2_000, replace=False).astype(np.int64) + 1
        notice, _ = enqueue(database, case_id, ids)
        with database.transaction() as transaction:
            transaction.notices.open_inboxes(notice.id, SystemClock().now())
    while deliver_to_inboxes(services):
        pass
    with database.transaction() as transaction:
        while (message := transaction.outbox.claim(SystemClock().now())) is not None:
            transaction.outbox.finish(message)


def run(recipients: int, volunteers: int, others: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Alert ``recipients`` of ``volunteers`` people, ``rounds`` times; medians."""
    rng = np.random.default_rng(7)
    server = PostgresServer(folder / "data").attach_or_start()
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    workers = []
    try:
        upgrade(server.dsn)
        services = lean_services(server.dsn)
        database = services.database
        case_id = store_case(database)[0].id
        strangers = np.arange(volunteers + 1, volunteers + 1 + READERS, dtype=np.int64)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(_READERS, [strangers.tolist()])
        small_notices(services, case_id, others, rng)
        workers = [
            context.Process(target=work, args=(server.dsn, stop), daemon=True)
            for _ in range(WORKERS)
        ]
        figures: dict[str, list[float]] = {}
        for _ in range(rounds):
            ids = rng.choice(volunteers, recipients, replace=False).astype(np.int64) + 1
            readers = ids[:: max(1, recipients // READERS)][:READERS]
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                connection.execute(_READERS, [readers.tolist()])
            figures.setdefault("raw_append_1m_seconds", []).append(append(folder, ids, 1))
            steps = max(1, recipients // CHUNK_RECIPIENTS // INBOX_CHUNKS)
            figures.setdefault("raw_append_in_steps_1m_seconds", []).append(
                append(folder, ids, steps)
            )
            for worker in workers:
                if not worker.is_alive():
                    worker.start()
            time.sleep(2)  # they import and connect
            notice, enqueued = enqueue(database, case_id, ids)
            started = time.perf_counter()
            figures.setdefault("enqueue_1m_seconds", []).append(enqueued)
            while True:
                with database.transaction() as transaction:
                    if transaction.notices.get_progress(notice.id).delivered == recipients:
                        break
                time.sleep(0.02)
            figures.setdefault("inbox_1m_seconds", []).append(time.perf_counter() - started)
            figures.setdefault("first_look_ms", []).extend(look(database, readers, notice))
            figures.setdefault("next_look_ms", []).extend(look(database, readers, notice))
            assert not any(
                entry.notice_id == notice.id
                for stranger in strangers[:20]
                for entry in inbox(database, stranger)
            )
        result: dict[str, Any] = {
            "recipients": recipients,
            "volunteers": volunteers,
            "other_notices": others,
            "workers": WORKERS,
            **{name: statistics.median(values) for name, values in figures.items()},
        }
        result["enqueue_to_raw_append"] = (
            result["enqueue_1m_seconds"] / result["raw_append_1m_seconds"]
        )
        result["inbox_people_per_second"] = recipients / result["inbox_1m_seconds"]
        result["inbox_to_raw_append"] = (
            result["inbox_1m_seconds"] / result["raw_append_in_steps_1m_seconds"]
        )
        return result
    finally:
        stop.set()
        for worker in workers:
            if worker.is_alive():
                worker.join(10)
        server.stop()


def inbox(database: Database, account_id: Any) -> Any:
    with database.transaction() as transaction:
        return transaction.notices.list_inbox(AccountId(int(account_id)))


def look(database: Database, readers: Any, notice: Notice) -> list[float]:
    """Milliseconds to open each of these inboxes; everybody must have the notice once."""
    times = []
    for reader in readers:
        entries: list[Any] = []
        times.append(1000 * seconds(lambda: entries.extend(inbox(database, reader))))  # noqa: B023
        assert sum(entry.notice_id == notice.id for entry in entries) == 1
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=1_000_000)
    parser.add_argument("--volunteers", type=int, default=10_000_000)
    parser.add_argument("--other-notices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="reunite-fanout-") as place:
        Path(place).chmod(0o755)
        result = run(
            arguments.recipients,
            arguments.volunteers,
            arguments.other_notices,
            arguments.rounds,
            Path(place),
        )
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        print(f"{name:32} {value:,.4g}" if isinstance(value, float) else f"{name:32} {value:,}")


if __name__ == "__main__":
    main()
