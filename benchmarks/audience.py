"""Choosing an audience among ten million: beside brute force and PostgreSQL's cells.

python -m benchmarks.audience --volunteers 10000000 --json

The volunteers are invented: 400 towns, the largest with a quarter of them, each thinning out
from its middle.  All of them opted in to the module that is asked for, as in the measurements
that set the goal; filters are measured apart.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from matplotlib.path import Path as Outline

from benchmarks.audience_plot import plot
from benchmarks.audience_postgres import measure_postgres
from benchmarks.rates import interleaved, reader, seconds
from reunite.alerts.areas import Area, Circle, Places, haversine_km
from reunite.alerts.audience import Wanted, choose_audience
from reunite.alerts.audience_index import AudienceIndex
from reunite.alerts.polygon import Polygon
from reunite.alerts.positions import Int64, Positions, cell_centres, opt_in_bits
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import Point, cell_of

RESULTS = Path(__file__).parent / "results"
TOWNS = 400
CITY = Point(30.2741, 120.1551)
RADII_KM = (1, 5, 10, 20, 50)
ROUNDS = 9
ANYBODY = Wanted(Module.CHILD)
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class People:
    """Invented volunteers, and where each of them is for counting one by one.

    degrees : float64 array of shape (n, 2), centres of their cells
    """

    positions: Positions
    places: Places

    @classmethod
    def invent(cls, n: int) -> "People":
        rng = np.random.default_rng(5)
        weights = 1 / np.arange(1, TOWNS + 1) ** 1.1
        towns = rng.choice(TOWNS, n, p=weights / weights.sum())
        middles = np.stack([rng.uniform(22, 45, TOWNS), rng.uniform(85, 130, TOWNS)], axis=1)
        middles[0] = CITY.latitude, CITY.longitude
        # Two thirds live within 1.5 spreads: 11 km in the largest town, 3 in the smallest.
        spread = np.interp(np.arange(TOWNS), [0, TOWNS], [0.085, 0.02])[towns, None]
        degrees = middles[towns] + rng.standard_normal((n, 2)) * spread * [0.8, 1.0]
        cells = np.fromiter((cell_of(Point(y, x)) for y, x in degrees.tolist()), np.int64, n)
        bits = rng.choice([opt_in_bits(Module, language) for language in Language], n)
        ids = rng.permutation(n).astype(np.int64) + 1
        distinct, where = np.unique(cells, return_inverse=True)
        centres = cell_centres(distinct)[where]
        return cls(Positions(ids, cells, bits.astype(np.uint8)), Places.of(centres))

    def one_by_one(self, area: Area) -> Int64:
        """Rows of everyone in an area, each measured on their own; nearest first."""
        inside, distances_km = area.measure(self.places)
        rows = np.flatnonzero(inside)
        ids = self.positions.account_ids[rows]
        return ids[np.lexsort((ids, distances_km[rows]))]


def _star(rng: np.random.Generator, middle: Point, corners: int, size_km: float) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    ray = size_km / 111.2 * np.clip(1 + 0.25 * np.cumsum(rng.normal(0, 0.2, corners)), 0.4, 1.6)
    outline = zip(ray * np.sin(angles), ray * np.cos(angles), strict=True)
    return Polygon(
        tuple(Point(middle.latitude + y, middle.longitude + x) for y, x in outline), middle
    )


def _random_point(rng: np.random.Generator, people: People) -> Point:
    row = int(rng.integers(len(people.positions)))
    degrees = np.degrees([people.places.latitudes[row], people.places.longitudes[row]])
    return Point(*(degrees + rng.normal(0, 0.05, 2)).tolist())


def members_wrong(index: AudienceIndex, people: People, circles: int, polygons: int) -> int:
    """People too many, too few or out of order, over random areas."""
    rng = np.random.default_rng(6)
    areas: list[Circle | Polygon] = [
        Circle(_random_point(rng, people), float(rng.uniform(0.2, 60))) for _ in range(circles)
    ]
    areas += [
        _star(rng, _random_point(rng, people), int(rng.integers(3, 200)), rng.uniform(2, 40))
        for _ in range(polygons)
    ]
    by_latitude = np.argsort(people.places.latitudes)
    wrong = 0
    for done, area in enumerate(areas):
        ours = choose_audience(index, area, ANYBODY).account_ids()
        theirs = _counted(people, area, by_latitude)
        wrong += len(np.setxor1d(ours, theirs))
        if len(ours) == len(theirs):
            wrong += int(np.count_nonzero(ours != theirs))
        if done % 100 == 0:
            print(f"{done + 1:>6} areas, {wrong} wrong", file=sys.stderr, flush=True)
    return wrong


def _counted(people: People, area: Circle | Polygon, by_latitude: Int64) -> Int64:
    """Everyone in an area, nearest first, without the index and for polygons without our rule.

    Whoever is 0.7 degrees of latitude away is not in any of these areas: that keeps a thousand
    counts of ten million bearable.
    """
    start = area.centre if isinstance(area, Circle) else area.start
    latitudes = people.places.latitudes
    bounds = np.radians([start.latitude - 0.7, start.latitude + 0.7])
    first, end = np.searchsorted(latitudes, bounds, sorter=by_latitude)
    near = by_latitude[first:end]
    places = people.places.take(near)
    distances_km = haversine_km(places, start)
    if isinstance(area, Circle):
        inside = distances_km <= area.radius_km
    else:
        outline = np.radians([(c.longitude, c.latitude) for c in area.corners])
        spots = np.stack([places.longitudes, places.latitudes], axis=1)
        inside = np.zeros(len(near), dtype=np.bool_)
        boxed = np.flatnonzero(
            ((spots >= outline.min(axis=0)) & (spots <= outline.max(axis=0))).all(axis=1)
        )
        inside[boxed] = Outline(outline, closed=False).contains_points(spots[boxed])
    ids = people.positions.account_ids[near[inside]]
    return ids[np.lexsort((ids, distances_km[inside]))]


def _rates(index: AudienceIndex, people: People) -> dict[str, Any]:
    outline = _star(np.random.default_rng(7), CITY, 200, 25)
    areas: dict[str, Area] = {f"{radius}_km": Circle(CITY, radius) for radius in RADII_KM}
    areas["polygon_200"] = outline
    words = np.ones(len(people.positions) * 4 // 8, dtype=np.uint64)
    steps: dict[str, Any] = {
        name: lambda area=area: choose_audience(index, area, ANYBODY).account_ids()
        for name, area in areas.items()
    }
    half = Wanted(Module.CHILD, frozenset({Language.EN}))
    steps["english_only"] = lambda: choose_audience(index, areas["10_km"], half).account_ids()
    told = Wanted(Module.CHILD, told=choose_audience(index, areas["5_km"], ANYBODY).account_ids())
    steps["untold"] = lambda: choose_audience(index, areas["10_km"], told).account_ids()
    steps["first_chunk"] = lambda: next(
        choose_audience(index, areas["10_km"], ANYBODY).iter_chunks(CHUNK)
    )
    steps["all_chunks"] = lambda: list(
        choose_audience(index, areas["10_km"], ANYBODY).iter_chunks(CHUNK)
    )
    times = interleaved(steps | {"read": reader(words, 1)}, ROUNDS)
    people_in = {name: len(steps[name]()) for name in areas}
    brute = [seconds(lambda: people.one_by_one(areas["10_km"])) for _ in range(3)]
    cells = [seconds(lambda: haversine_km(people.places, CITY) <= RADII_KM[2]) for _ in range(2)]
    medians = {name: float(np.median(some)) for name, some in times.items()}
    return {
        "audience": people_in["10_km"],
        "users_per_second": people_in["10_km"] / medians["10_km"],
        "best_users_per_second": people_in["10_km"] / min(times["10_km"]),
        "ms": {name: 1000 * median for name, median in medians.items() if name != "read"},
        "people": people_in,
        "users_per_second_by_area": {
            name: people_in[name] / medians[name] for name in areas if people_in[name]
        },
        "bruteforce_users_per_second": people_in["10_km"] / float(np.median(brute)),
        "bruteforce_unsorted_users_per_second": people_in["10_km"] / float(np.median(cells)),
        "read_bytes_per_second": words.nbytes / medians["read"],
    }


def _life(index: AudienceIndex, people: People) -> dict[str, Any]:
    """Changes and a merge, and searches while the recent ones are many."""
    rng = np.random.default_rng(8)
    n = len(people.positions)
    moved = min(50_000, n // 4)

    def move() -> None:
        rows = rng.choice(n, moved, replace=False)
        cells = people.positions.cells[rng.integers(0, n, moved)]
        index.apply(
            Positions(people.positions.account_ids[rows], cells, people.positions.opt_ins[rows])
        )

    changes = [seconds(move) for _ in range(5)]
    audience = choose_audience(index, Circle(CITY, 10), ANYBODY)
    found = len(audience.account_ids())
    times = interleaved(
        {"moved": lambda: choose_audience(index, Circle(CITY, 10), ANYBODY).account_ids()}, ROUNDS
    )
    return {
        "changes_per_second": moved / float(np.median(changes)),
        "users_per_second_with_recent": found / float(np.median(times["moved"])),
        "merge_seconds": seconds(index.merge),
    }


def run(volunteers: int, circles: int, polygons: int, *, postgres: bool) -> dict[str, Any]:
    """Everything, in one run."""
    started = time.perf_counter()
    people = People.invent(volunteers)
    print(f"invented in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    started = time.perf_counter()
    index = AudienceIndex(people.positions)
    build_seconds = time.perf_counter() - started
    result: dict[str, Any] = {
        "volunteers": volunteers,
        "cells": len(np.unique(people.positions.cells)),
        "build_seconds": build_seconds,
        "bytes_per_volunteer": index.nbytes / volunteers,
    }
    result |= _rates(index, people)
    result["members_wrong"] = members_wrong(index, people, circles, polygons)
    result |= {"circles": circles, "polygons": polygons}
    result |= _life(index, people)
    if postgres:
        with tempfile.TemporaryDirectory(prefix="audience-bench-") as folder:
            Path(folder).chmod(0o755)
            result |= measure_postgres(Path(folder), people.positions, CITY, RADII_KM[2])
        result["ratio_to_postgres"] = (
            result["users_per_second"] / result["postgres_users_per_second"]
        )
    result["machine"] = {
        "threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volunteers", type=int, default=1_000_000)
    parser.add_argument("--circles", type=int, default=1000)
    parser.add_argument("--polygons", type=int, default=100)
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    result = run(asked.volunteers, asked.circles, asked.polygons, postgres=not asked.no_postgres)
    RESULTS.mkdir(exist_ok=True)
    name = f"audience-{asked.volunteers}"
    text = json.dumps(result, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    plot(result, RESULTS / f"{name}.png")
    print(json.dumps(result) if asked.json else text)


if __name__ == "__main__":
    main()
