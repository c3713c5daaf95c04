"""How blocking grows with the number of records, and what a million by a million would take.

Times are those of the processor, so that a busy machine tells little less than a quiet one.
"""

from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.linkage.generator import generate
from evals.linkage.reading import read
from reunite.kernel.people import Side
from reunite.partners.linkage.blocking import BlockingReport, KeyTable, candidate_pairs, keys_of
from reunite.partners.linkage.comparison import weigh
from reunite.partners.linkage.frequencies import Frequencies

MILLION = 1_000_000
SEED = 21
WEIGHED = 20_000  # pairs on which the time of a comparison is measured
LAWS = ("candidate_pairs", "blocking_seconds", "key_seconds")


def measure(sizes: list[int]) -> dict[str, Any]:
    """Pairs, completeness and seconds at each size, and the power laws through them.

    A law is ``y = factor * records ** exponent``, by least squares of the logarithms;
    ``exponent_at_the_end`` is that between the two largest sizes alone.
    """
    points = [_run(size) for size in sorted(sizes)]
    measured: dict[str, Any] = {"points": points}
    if len(points) > 1:
        measured["laws"] = {what: _law(points, what) for what in LAWS}
        pairs = measured["laws"]["candidate_pairs"]
        each = points[-1]["weighing_microseconds_a_pair"]
        measured["at_a_million"] = {
            "keys_hours": round(measured["laws"]["key_seconds"]["at_a_million"] / 3600, 2),
            "blocking_hours": round(measured["laws"]["blocking_seconds"]["at_a_million"] / 3600, 2),
            "weighing_hours_on_one_core": round(pairs["at_a_million"] * each / 3.6e9, 2),
            "weighing_hours_by_the_end": round(pairs["at_a_million_by_the_end"] * each / 3.6e9, 2),
        }
    return measured


def _law(points: list[dict[str, Any]], what: str) -> dict[str, float]:
    x = np.log([point["records_per_side"] for point in points])
    y = np.log([max(point[what], 1e-3) for point in points])
    exponent, factor = np.polyfit(x, y, 1)
    last = float((y[-1] - y[-2]) / (x[-1] - x[-2]))
    off = np.abs(np.expm1(y - (factor + exponent * x)))
    return {
        "exponent": round(float(exponent), 3),
        "factor": float(f"{np.exp(factor):.4g}"),
        "largest_error_of_the_law": round(float(off.max()), 3),
        "exponent_at_the_end": round(last, 3),
        "at_a_million": round(float(np.exp(factor + exponent * np.log(MILLION)))),
        "at_a_million_by_the_end": round(float(np.exp(y[-1] + last * (np.log(MILLION) - x[-1])))),
    }


def _run(size: int) -> dict[str, Any]:
    truth = generate(size, SEED)
    missing = [read(record) for record in truth.missing]
    found = [read(record) for record in truth.found]
    started = process_time()
    missing_keys = KeyTable.of(keys_of(one, Side.MISSING) for one in missing)
    found_keys = KeyTable.of(keys_of(one, Side.FOUND) for one in found)
    keyed = process_time()
    report = BlockingReport()
    pairs = candidate_pairs(missing_keys, found_keys, report)
    blocked = process_time()
    packed = pairs[:, 0] * size + pairs[:, 1]
    mates = np.array(sorted(a * size + b for a, b in truth.pairs))
    chosen: npt.NDArray[np.int64] = np.random.default_rng(SEED).choice(
        pairs, min(WEIGHED, len(pairs)), replace=False
    )
    frequencies = Frequencies()
    weighing = process_time()
    for a, b in chosen.tolist():
        weigh(missing[a], found[b], frequencies)
    weighed = process_time() - weighing
    return {
        "records_per_side": size,
        "candidate_pairs": len(pairs),
        "pairs_per_record": round(len(pairs) / size, 2),
        "share_of_all_pairs": float(f"{len(pairs) / size**2:.3g}"),
        "pair_completeness": round(float(np.isin(mates, packed).mean()), 4),
        "key_seconds": round(keyed - started, 2),
        "blocking_seconds": round(blocked - keyed, 2),
        "weighing_microseconds_a_pair": round(weighed / len(chosen) * 1e6, 1),
        "blocks": report.blocks,
        "largest_block": report.largest,
        "refined": report.refined,
        "dropped": report.dropped,
    }
