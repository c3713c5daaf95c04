"""The same question to PostgreSQL: a covering index of cells, asked by ranges of cells.

The cover is the cells themselves that the index found (no query in SQL could have fewer),
as stretches of neighbouring integers; the ids come packed into one value, in no order.
"""

import time
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import psycopg

from benchmarks.rates import seconds
from reunite.alerts.areas import Places, haversine_km
from reunite.alerts.positions import Int64, Positions, cell_centres
from reunite.kernel.places import Point
from reunite.storage.server import PostgresServer

_ROUNDS = 5
_RESOLUTION = 9
_QUERY = """
    SELECT string_agg(int4send(found.id), ''::bytea)
    FROM unnest(%s::bigint[], %s::bigint[]) AS stretch(first, last),
    LATERAL (SELECT id FROM places WHERE cell BETWEEN first AND last OFFSET 0) AS found
"""


def stretches(centre: Point, radius_km: float) -> tuple[list[int], list[int]]:
    """Every cell of the circle, those that follow one another as one stretch."""
    start = h3.latlng_to_cell(centre.latitude, centre.longitude, _RESOLUTION)
    # Edges of resolution 9 are over 0.12 km everywhere; a step is at least 1.5 of them.
    reach = h3.grid_disk(start, int(radius_km / 0.18) + 3)
    cells = np.sort(np.array(reach, dtype=np.int64))
    cells = cells[haversine_km(Places.of(cell_centres(cells)), centre) <= radius_km]
    # Siblings of resolution 9 differ in the three bits above the unused digits.
    step = 1 << 18
    breaks = np.flatnonzero(np.diff(cells) != step) + 1
    firsts = cells[np.concatenate([[0], breaks])]
    lasts = cells[np.concatenate([breaks - 1, [len(cells) - 1]])]
    return firsts.tolist(), lasts.tolist()


def measure_postgres(
    folder: Path, positions: Positions, centre: Point, radius_km: float
) -> dict[str, Any]:
    """Load everyone, and ask for the circle a few times."""
    server = PostgresServer(folder / "data", durability="fast").attach_or_start()
    try:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            started = time.perf_counter()
            _load(connection, positions)
            loaded = time.perf_counter() - started
            firsts, lasts = stretches(centre, radius_km)
            connection.execute("SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0")
            got: list[Int64] = []

            def ask() -> None:
                with connection.cursor(binary=True) as cursor:
                    answer: Any = cursor.execute(_QUERY, (firsts, lasts)).fetchone()
                got[:] = [np.frombuffer(answer[0] or b"", dtype=">i4").astype(np.int64)]

            ask()
            times = [seconds(ask) for _ in range(_ROUNDS)]
    finally:
        server.stop()
    return {
        "postgres_users_per_second": len(got[0]) / float(np.median(times)),
        "postgres_ms": 1000 * float(np.median(times)),
        "postgres_people": len(got[0]),
        "postgres_load_seconds": loaded,
    }


def _load(connection: Any, positions: Positions) -> None:
    connection.execute("CREATE UNLOGGED TABLE places (id int NOT NULL, cell bigint NOT NULL)")
    rows = np.zeros(
        len(positions),
        dtype=[("n", ">i2"), ("a", ">i4"), ("id", ">i4"), ("b", ">i4"), ("cell", ">i8")],
    )
    rows["n"], rows["a"], rows["b"] = 2, 4, 8
    rows["id"], rows["cell"] = positions.account_ids, positions.cells
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY places (id, cell) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for part in np.array_split(rows, 1 + len(rows) // 200_000):
            copy.write(part.tobytes())
        copy.write(b"\xff\xff")
    connection.execute("SET maintenance_work_mem = '512MB'")
    connection.execute("CREATE INDEX ON places (cell) INCLUDE (id)")
    connection.execute("VACUUM ANALYZE places")
