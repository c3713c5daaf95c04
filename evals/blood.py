"""How much sooner waves find willing compatible donors than a telephone list, and whom they spare.

python -m evals.blood --json

A register of a million donors with the types of China, India or Europe; requests from the
towns where they live; for each the real engine lists the compatible donors and three ways of
recruiting meet the same people: a telephone list in sequence, a broadcast to every compatible
donor near by, and waves.  ``median_time_reduction`` compares the time until enough willing
compatible donors are found, waves (nobody telephones) against one caller with a list sorted by
distance; more callers and better lists are beside it.  Nothing here is evidence from patients.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.blood import TODAY, donors_of
from benchmarks.rates import seconds
from evals.blood_model import (
    NEVER,
    Assumptions,
    Donors,
    Outcome,
    best_first,
    by_broadcast,
    by_telephone,
    by_waves,
)
from evals.blood_people import POPULATIONS, People, invent
from evals.blood_plot import plot
from reunite.blood.compatibility import Need
from reunite.blood.matching import DonorPool, Matches, match, match_one_by_one
from reunite.blood.notation import parse_phenotype
from reunite.blood.rules import POLICIES
from reunite.blood.waves import Urgency, is_rarest

RESULTS = Path(__file__).parent / "results"
LISTED = 400  # donors at the head of the list who take part; nobody calls more in a day
# A broadcast goes to this radius, or where fewer than 50 live in it, to the whole country.
BROADCAST_KM, BROADCAST_LEAST = 100.0, 50
# Donors needed and how often.  Assumption: a donor in China gives one or two units.
NEEDED = ((1, 0.25), (2, 0.35), (3, 0.20), (4, 0.12), (6, 0.08))
# Requests by population: patients for whom blood is rare there.  The mix is an assumption.
PATIENTS = {
    "china": ("O-", "A-", "B-", "AB-", "Oh RhD+", "A+ Jk(a-b-) anti-Jk3", "O+ CCee anti-c anti-E"),
    "india": ("O-", "B-", "AB-", "Oh RhD+", "Oh RhD+", "B+ CCee anti-c anti-E"),
    "europe": ("AB-", "B- anti-D", "A- Jk(a-) anti-Jk(a)", "O+ K+k- anti-k", "O- anti-Fy(a)"),
}
WAYS = (
    "telephone_1",
    "telephone_2",
    "telephone_4",
    "telephone_2_ranked",
    "broadcast",
    "waves",
    "waves_and_2_callers",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its compatible donors at the head of the list."""

    population: str
    patient: str
    needed: int
    rarest: bool
    found: Matches
    broadcast: int  # people whom the broadcast reaches


@dataclass(frozen=True, slots=True)
class Register:
    """A million donors, packed."""

    population: str
    people: People
    pool: DonorPool

    @classmethod
    def invent(cls, population: str, n: int) -> "Register":
        people = invent(population, n, 11)
        return cls(population, people, DonorPool.pack(donors_of(people, 12)))

    def requests(self, count: int, rng: np.random.Generator) -> list[Request]:
        policy = POLICIES["china" if self.population == "china" else "default"]
        made = []
        for number in range(count):
            written = PATIENTS[self.population][number % len(PATIENTS[self.population])]
            need = Need(parse_phenotype(written), policy=policy)
            here = self.people.point(int(rng.integers(len(self.people.truth))))
            found = match(self.pool, need, here, TODAY)
            near = int(np.count_nonzero(found.distances_km() <= BROADCAST_KM))
            needed = int(rng.choice([n for n, _ in NEEDED], p=[p for _, p in NEEDED]))
            made.append(
                Request(
                    self.population,
                    written,
                    needed,
                    is_rarest(need),
                    found,
                    near if near >= BROADCAST_LEAST else len(found),
                )
            )
        return made


def recruit(
    request: Request, given: Assumptions, seed: int, ways: tuple[str, ...]
) -> dict[str, Outcome]:
    """Every way of recruiting for one request, with the same donors in the same mood."""
    rng = np.random.default_rng(seed)
    found = request.found
    donors = Donors.draw(found.grades[:LISTED], found.distances_km(LISTED), given, rng)
    outcomes = {}
    for way in ways:
        rng = np.random.default_rng(seed + 1)
        match way.split("_"):
            case ["telephone", callers]:
                outcome = by_telephone(
                    donors, request.needed, replace(given, callers=int(callers)), rng
                )
            case ["telephone", callers, _]:
                ranked = _reordered(donors, best_first(donors, given))
                outcome = by_telephone(
                    ranked, request.needed, replace(given, callers=int(callers)), rng
                )
            case ["broadcast"]:
                outcome = by_broadcast(donors, request.needed, request.broadcast)
            case _:
                outcome = by_waves(
                    donors,
                    request.needed,
                    given,
                    rarest=request.rarest,
                    callers=2 if "callers" in way else 0,
                )
        outcomes[way] = outcome
    return outcomes


def _reordered(donors: Donors, order: Any) -> Donors:
    return Donors(
        donors.grades[order],
        donors.distances_km[order],
        donors.says_yes[order],
        donors.says_no[order],
        donors.sees[order],
        donors.valid[order],
        donors.delay[order],
        [donors.histories[row] for row in order.tolist()],
        donors.rested[order],
    )


def _median(values: list[float]) -> float:
    """The median where the needless are infinite: never found is later than anything."""
    return float(np.percentile(values, 50, method="lower")) if values else NEVER


def _finite(value: float) -> float | None:
    return None if value == NEVER else round(value, 2)


def summary(rows: list[dict[str, Outcome]], against: str = "telephone_1") -> dict[str, Any]:
    """Medians of a set of requests, and waves beside one way of telephoning."""
    medians = {
        way: {
            "first_minutes": _median([row[way].first for row in rows]),
            "enough_minutes": _median([row[way].enough for row in rows]),
            "disturbed_mean": float(np.mean([row[way].disturbed for row in rows])),
            "unfilled_share": float(np.mean([row[way].enough == NEVER for row in rows])),
        }
        for way in rows[0]
    }

    def less(key: str, way: str) -> float | None:
        ours, theirs = medians["waves"][key], medians[way][key]
        return None if NEVER in (ours, theirs) else round(1 - ours / theirs, 4)

    ours = sum(row["waves"].disturbed for row in rows)
    broadcast = sum(row["broadcast"].disturbed for row in rows)
    return {
        "requests": len(rows),
        "median_time_reduction": less("enough_minutes", against),
        "median_time_reduction_first": less("first_minutes", against),
        "reduction_against": {
            way: less("enough_minutes", way) for way in medians if way.startswith("telephone")
        },
        "people_disturbed_ratio": round(ours / broadcast, 5),
        "median_of_ratios": round(
            float(
                np.median([r["waves"].disturbed / max(1, r["broadcast"].disturbed) for r in rows])
            ),
            5,
        ),
        "ways": {
            way: {
                name: _finite(value) if "minutes" in name else round(value, 3)
                for name, value in told.items()
            }
            for way, told in medians.items()
        },
    }


def varied(base: Assumptions) -> dict[str, dict[str, Assumptions]]:
    """Each assumption at a low and a high value, the others as they are."""
    return {
        "donors willing, 15 % / 49 %": _pair(base, willing=(0.15, 0.49)),
        "answers, median 15 / 90 min": _pair(base, answer_mu=(log(15), log(90))),
        "spread of answers, 1.0 / 2.0": _pair(base, answer_sigma=(1.0, 2.0)),
        "messages seen, 60 % / 95 %": _pair(base, sees_message=(0.6, 0.95)),
        "calls picked up, 30 % / 80 %": _pair(base, picks_up=(0.3, 0.8)),
        "a talk of 3 / 8 min": _pair(base, talk_minutes=(3.0, 8.0)),
        "ringing out, 0.5 / 2 min": _pair(base, ring_minutes=(0.5, 2.0)),
        "missed calls returned, 0 / 60 %": _pair(base, calls_back=(0.0, 0.6)),
        "callers, 2 / 4": _pair(base, callers=(2, 4)),
        "past requests known, 0 / 10": _pair(base, past_asks=(0, 10)),
        "donors alike / unlike": _pair(base, alikeness=(20.0, 1.5)),
        "refusals said, 0 / 80 %": _pair(base, says_no=(0.0, 0.8)),
        "asked lately, 0 / 30 %": _pair(base, asked_lately=(0.0, 0.3)),
        "urgency, routine / imminent": _pair(base, urgency=(Urgency.ROUTINE, Urgency.IMMINENT)),
    }


def _pair(base: Assumptions, **values: tuple[Any, Any]) -> dict[str, Assumptions]:
    ((name, (low, high)),) = values.items()
    return {"low": replace(base, **{name: low}), "high": replace(base, **{name: high})}


def timing(register: Register, rounds: int = 15) -> dict[str, float]:
    """Matching among all donors beside the engine one by one on the same ones.

    Processor time beside wall time: it tells what a quiet machine needs.
    """
    donors = donors_of(register.people, 12)
    here = register.people.point(0)
    need = Need(parse_phenotype("AB+"))  # everybody suits: the longest list there is
    match(register.pool, need, here, TODAY)  # compiles
    before = time.process_time()
    times = [seconds(lambda: match(register.pool, need, here, TODAY)) for _ in range(rounds)]
    cpu_ms = 1000 * (time.process_time() - before) / rounds
    brute = seconds(lambda: match_one_by_one(donors, need, here, TODAY))
    return {
        "match_ms": 1000 * float(np.median(times)),
        "match_best_ms": 1000 * min(times),
        "match_cpu_ms": cpu_ms,
        "bruteforce_ms": 1000 * brute,
    }


def run(n: int, count: int, *, quick: bool) -> dict[str, Any]:
    given = Assumptions()
    rng = np.random.default_rng(2)
    requests: list[Request] = []
    measured: dict[str, float] = {}
    for population in POPULATIONS:
        register = Register.invent(population, n)
        if not measured:
            measured = timing(register)
        requests += register.requests(count, rng)
        print(f"{population}: {count} requests", file=sys.stderr, flush=True)
    rows = [recruit(request, given, 100 + 7 * i, WAYS) for i, request in enumerate(requests)]
    whole = summary(rows)
    groups: dict[str, list[dict[str, Outcome]]] = {}
    for request, row in zip(requests, rows, strict=True):
        groups.setdefault(f"{request.population}: {request.patient}", []).append(row)
    result: dict[str, Any] = {
        "median_time_reduction": whole["median_time_reduction"],
        "people_disturbed_ratio": whole["people_disturbed_ratio"],
        **measured,
        "donors": n,
        "overall": whole,
        "by_patient": {name: summary(some) for name, some in groups.items()},
        "compatible_donors": {
            name: round(float(np.mean([len(r.found) for r in requests if _name(r) == name])), 1)
            for name in groups
        },
    }
    if not quick:
        result["sensitivity"] = sensitivity(requests[:: max(1, len(requests) // 210)], given)
    result["machine"] = {
        "threads": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    return result


def _name(request: Request) -> str:
    return f"{request.population}: {request.patient}"


def sensitivity(requests: list[Request], base: Assumptions) -> dict[str, Any]:
    """The reduction and the ratio where one assumption is different."""
    told: dict[str, Any] = {}
    for name, ends in varied(base).items():
        told[name] = {}
        for end, given in ends.items():
            telephone = f"telephone_{given.callers}"
            rows = [
                recruit(request, given, 100 + 7 * i, (telephone, "broadcast", "waves"))
                for i, request in enumerate(requests)
            ]
            some = summary(rows, telephone)
            told[name][end] = {
                key: some[key]
                for key in ("median_time_reduction", "people_disturbed_ratio", "median_of_ratios")
            }
        print(f"{name}: {told[name]}", file=sys.stderr, flush=True)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--donors", type=int, default=1_000_000, help="a population")
    parser.add_argument("--requests", type=int, default=210, help="a population")
    parser.add_argument("--quick", action="store_true", help="no sensitivity, nothing written")
    parser.add_argument("--json", action="store_true", help="print JSON in one line")
    asked = parser.parse_args()
    started = time.perf_counter()
    result = run(asked.donors, asked.requests, quick=asked.quick)
    result["seconds"] = round(time.perf_counter() - started, 1)
    text = json.dumps(result, indent=1)
    if not asked.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "blood.json").write_text(text + "\n", encoding="utf-8")
        plot(result, RESULTS / "blood.png")
    print(json.dumps(result) if asked.json else text)


if __name__ == "__main__":
    main()
