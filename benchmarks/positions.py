"""Position updates: durable in PostgreSQL, and how soon the audience index has them.

python -m benchmarks.positions --volunteers 1000000 --json
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import psycopg
import structlog

from benchmarks.rates import seconds
from reunite.app.audience_sync import LiveAudience
from reunite.broker.outbox import PostgresOutbox
from reunite.kernel.ids import AccountId
from reunite.kernel.places import Point, cell_of
from reunite.storage.database import PostgresDatabase
from reunite.storage.migrate import upgrade
from reunite.storage.server import PostgresServer

CITY = Point(30.2741, 120.1551)
MOVES = 100_000
BATCHES = (1_000, 5_000, 20_000)
SHARED = 20_000
REQUESTS_AT_ONCE = 256

_FILL = """
    INSERT INTO accounts (email, display_name, password_hash, role, language, organisation,
                          disabled, created_at)
    SELECT 'v' || n, '', '!', 'volunteer', 'zh', '', false, now()
    FROM generate_series(1, %(n)s) AS n
"""
_JOIN = """
    INSERT INTO volunteers (account_id, modules, language, joined_at, weekly_pushes, quiet_from,
                            quiet_until, time_zone_id)
    SELECT accounts.id, 14, 'zh', now(), 2, 22, 7, time_zones.id FROM accounts, time_zones
"""
_SHARE = """
    INSERT INTO volunteer_places (account_id, kind, cell, place_label, said_at, expires_at)
    SELECT id, 'here', (%(cells)s::bigint[])[1 + (id * 7919) %% %(m)s], '1808926', now(),
        now() + interval '2 days'
    FROM accounts
"""


def shared(audience: LiveAudience, volunteers: int, rng: Any, now: datetime) -> float:
    """Positions a second where each comes as a request of its own, each durable when answered."""
    people = (rng.choice(volunteers, SHARED, replace=False) + 1).tolist()
    points = [
        Point(CITY.latitude + float(dy), CITY.longitude + float(dx))
        for dy, dx in rng.uniform(-0.2, 0.2, (SHARED, 2))
    ]

    def share(number: int) -> bool:
        return audience.batches.share(AccountId(people[number]), points[number], now)

    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        started = time.perf_counter()
        written = sum(pool.map(share, range(SHARED)))
        spent = time.perf_counter() - started
    assert written > 0.99 * SHARED, written
    return SHARED / spent


def run(volunteers: int, folder: Path) -> dict[str, Any]:
    """Fill a database, move people in batches, and look at the index between."""
    cells = np.array(h3.grid_disk(cell_of(CITY), 150), dtype=np.int64)
    rng = np.random.default_rng(3)
    server = PostgresServer(folder / "data").attach_or_start()
    try:
        upgrade(server.dsn)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(_FILL, {"n": volunteers})
            connection.execute(_JOIN)
            connection.execute(_SHARE, {"cells": cells.tolist(), "m": len(cells)})
            connection.execute("VACUUM ANALYZE")
        now = datetime.now(UTC)
        database = PostgresDatabase(server.dsn, PostgresOutbox)
        audience = LiveAudience(database)
        result: dict[str, Any] = {
            "volunteers": volunteers,
            "load_seconds": seconds(audience.index),
            "moves_per_second": {},
        }
        for batch in BATCHES:
            moved, started = 0, time.perf_counter()
            for _ in range(MOVES // batch):
                ids = rng.choice(volunteers, batch, replace=False).astype(np.int64) + 1
                with database.transaction() as transaction:
                    moved += transaction.volunteers.move(ids, rng.choice(cells, batch), now)
            result["moves_per_second"][str(batch)] = moved / (time.perf_counter() - started)
        result["shared_one_by_one_per_second"] = shared(audience, volunteers, rng, now)
        result["durable_moves_per_second"] = max(result["moves_per_second"].values())
        result["seconds_to_index_all_moves"] = seconds(audience.index)
        result["moves_indexed"] = MOVES * len(BATCHES) + SHARED
        result["look_ms"] = 1000 * float(np.median([seconds(audience.index) for _ in range(9)]))
        with database.transaction() as transaction:
            truth = transaction.volunteers.positions()
        index = audience.index()
        while len(index._state.changes):  # noqa: SLF001
            # The one in the background may be under way: then this one does nothing.
            index.merge()
            time.sleep(0.05)
        state = index._state  # noqa: SLF001
        held = state.base.positions(state.base_opt_ins)
        order, other = np.argsort(truth.account_ids), np.argsort(held.account_ids)
        result["positions_wrong"] = int(np.count_nonzero(truth.cells[order] != held.cells[other]))
        database.dispose()
    finally:
        server.stop()
    result["machine"] = {
        "threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volunteers", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="positions-bench-") as folder:
        Path(folder).chmod(0o755)
        result = run(asked.volunteers, Path(folder))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    name = f"positions-{asked.volunteers}.json"
    (results / name).write_text(text + "\n", encoding="utf-8")
    sys.stdout.write((json.dumps(result) if asked.json else text) + "\n")


if __name__ == "__main__":
    main()
