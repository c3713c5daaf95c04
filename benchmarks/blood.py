"""A ranked list of compatible donors among a million: packed masks beside the engine one by one.

python -m benchmarks.blood --donors 1000000 --json

``bruteforce_ms`` judges donor after donor by ``compatibility.judge`` in the same run.  Lists
are compared whole, for two patients among all donors and for many random ones among a part.
"""

import argparse
import json
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rates import seconds
from evals.blood_people import POPULATIONS, People, invent
from reunite.blood.antigens import ANTIGENS, DERIVED
from reunite.blood.compatibility import Need
from reunite.blood.matching import Donor, DonorPool, Matches, match, match_one_by_one
from reunite.blood.notation import parse_phenotype
from reunite.blood.rules import POLICIES, Component, Grade
from reunite.kernel.errors import InvalidInputError

RESULTS = Path(__file__).parent / "results"
TODAY = date(2026, 3, 15)
ROUNDS = 15
PART = 20_000
# From the easiest patient, whom everybody suits, to those whom hardly anybody does.
PATIENTS = (
    "AB+",
    "O+",
    "O-",
    "A-",
    "Oh RhD+",
    "B+ anti-Jk(a)",
    "B+ Jk(a-b-) anti-Jk3",
    "O+ CCee anti-c anti-E",
    "A+ anti-Fy(a)",
    "A- anti-D",
)


def donors_of(people: People, seed: int) -> list[Donor]:
    rng = np.random.default_rng(seed)
    confirmed = rng.random(len(people.known)) < 0.6
    deferred = rng.random(len(people.known)) < 0.3
    return [
        Donor(
            row,
            phenotype,
            people.point(row),
            TODAY + timedelta(days=30) if deferred[row] else TODAY - timedelta(days=1),
            confirmed=bool(confirmed[row]),
        )
        for row, phenotype in enumerate(people.known)
    ]


def random_need(people: People, rng: np.random.Generator) -> Need:
    """A patient of the population with up to three antibodies."""
    patient = people.truth[int(rng.integers(len(people.truth)))]
    names = sorted(set(ANTIGENS) - DERIVED)
    for name in rng.choice(names, int(rng.integers(4)), replace=False).tolist():
        try:
            patient = patient.with_antibodies(name)
        except InvalidInputError:
            continue
    return Need(
        patient,
        Component(str(rng.choice(list(Component)))),
        childbearing=bool(rng.random() < 0.3),
        policy=POLICIES[str(rng.choice(sorted(POLICIES)))],
    )


def differs(found: Matches, expected: list[tuple[Donor, Grade]]) -> bool:
    """Whether the two ways give other donors, another order or other grades."""
    ids = [donor.id for donor, _ in expected]
    grades = [int(grade) for _, grade in expected]
    return found.ids.tolist() != ids or found.grades.tolist() != grades


def run(n: int, random_patients: int) -> dict[str, Any]:
    started = time.perf_counter()
    people = invent("china", n, 3)
    donors = donors_of(people, 4)
    invented = time.perf_counter()
    pool = DonorPool.pack(donors)
    packed = time.perf_counter()
    print(f"invented in {invented - started:.0f} s", file=sys.stderr)
    here = people.point(0)
    needs = {written: Need(parse_phenotype(written)) for written in PATIENTS}
    match(pool, needs["O+"], here, TODAY)  # compiles
    times: dict[str, list[float]] = {written: [] for written in PATIENTS}
    for _ in range(ROUNDS):
        for written, need in needs.items():
            times[written].append(seconds(lambda need=need: match(pool, need, here, TODAY)))
    medians = {written: 1000 * float(np.median(some)) for written, some in times.items()}
    slowest = needs[max(medians, key=lambda written: medians[written])]
    # Processor time tells what a quiet machine would need, whatever else runs meanwhile.
    before = time.process_time()
    for _ in range(ROUNDS):
        match(pool, slowest, here, TODAY)
    cpu_ms = 1000 * (time.process_time() - before) / ROUNDS
    brute, wrong = [], 0
    for written in ("AB+", "B+ anti-Jk(a)"):
        started = time.perf_counter()
        expected = match_one_by_one(donors, needs[written], here, TODAY)
        brute.append(time.perf_counter() - started)
        wrong += differs(match(pool, needs[written], here, TODAY), expected)
    rng = np.random.default_rng(5)
    compared = 2
    for population in POPULATIONS:
        some = invent(population, min(PART, n), 6)
        part = donors_of(some, 7)
        part_pool = DonorPool.pack(part)
        for _ in range(random_patients):
            need, place = random_need(some, rng), some.point(1)
            expected = match_one_by_one(part, need, place, TODAY)
            wrong += differs(match(part_pool, need, place, TODAY), expected)
            compared += 1
    return {
        "donors": n,
        "match_ms": max(medians.values()),
        "bruteforce_ms": 1000 * float(np.median(brute)),
        "match_best_ms": max(1000 * min(some) for some in times.values()),
        "match_cpu_ms": cpu_ms,
        "match_ms_by_patient": medians,
        "found_by_patient": {
            written: len(match(pool, need, here, TODAY)) for written, need in needs.items()
        },
        "lists_compared": compared,
        "lists_wrong": wrong,
        "pack_seconds": packed - invented,
        "bytes_per_donor": sum(
            getattr(pool, name).nbytes
            for name in (
                "ids",
                "basic",
                "positive",
                "known",
                "antibodies",
                "declared",
                "eligible_day",
                "vectors",
            )
        )
        / max(1, n),
        "machine": {
            "threads": len(os.sched_getaffinity(0)),
            "load": round(os.getloadavg()[0], 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--donors", type=int, default=1_000_000)
    parser.add_argument("--patients", type=int, default=10, help="random ones a population")
    parser.add_argument("--json", action="store_true", help="print JSON in one line")
    asked = parser.parse_args()
    result = run(asked.donors, asked.patients)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    (RESULTS / f"blood-{asked.donors}.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(result) if asked.json else text)


if __name__ == "__main__":
    main()
