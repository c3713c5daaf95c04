"""How blocking grows with the number of records, and what a million by a million would take."""

from time import perf_counter
from typing import Any

import numpy as np

from evals.linkage.generator import generate
from evals.linkage.reading import read
from reunite.kernel.people import Side
from reunite.partners.linkage.blocking import BlockingReport, KeyTable, candidate_pairs, keys_of

MILLION = 1_000_000
SEED = 21


def measure(sizes: list[int]) -> dict[str, Any]:
    """Pairs, completeness and seconds at each size, and the power law through them."""
    points = [_run(size) for size in sorted(sizes)]
    law: dict[str, Any] = {"points": points}
    if len(points) > 1:
        x = np.log([point["records_per_side"] for point in points])
        for what in ("candidate_pairs", "seconds"):
            exponent, factor = np.polyfit(x, np.log([point[what] for point in points]), 1)
            law[f"{what}_exponent"] = round(float(exponent), 3)
            if points[-1]["records_per_side"] < MILLION:
                law[f"{what}_at_a_million"] = round(
                    float(np.exp(factor + exponent * np.log(MILLION)))
                )
    return law


def _run(size: int) -> dict[str, Any]:
    truth = generate(size, SEED)
    started = perf_counter()
    missing = KeyTable.of(keys_of(read(record), Side.MISSING) for record in truth.missing)
    found = KeyTable.of(keys_of(read(record), Side.FOUND) for record in truth.found)
    keyed = perf_counter()
    report = BlockingReport()
    pairs = candidate_pairs(missing, found, report)
    blocked = perf_counter()
    packed = pairs[:, 0] * size + pairs[:, 1]
    mates = np.array(sorted(a * size + b for a, b in truth.pairs))
    return {
        "records_per_side": size,
        "candidate_pairs": len(pairs),
        "pairs_per_record": round(len(pairs) / size, 2),
        "share_of_all_pairs": float(f"{len(pairs) / size**2:.3g}"),
        "pair_completeness": round(float(np.isin(mates, packed).mean()), 4),
        "seconds": round(blocked - started, 2),
        "of_which_keys": round(keyed - started, 2),
        "blocks": report.blocks,
        "largest_block": report.largest,
        "refined": report.refined,
        "dropped": report.dropped,
    }
