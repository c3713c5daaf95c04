"""On generated records with known truth; ``python -m evals.linkage`` measures it properly."""

import numpy as np

from evals.linkage.generator import generate
from evals.linkage.reading import read
from reunite.kernel.people import Side
from reunite.partners.linkage.blocking import KeyTable, candidate_pairs, keys_of
from reunite.partners.linkage.comparison import weigh
from reunite.partners.linkage.frequencies import Frequencies

RECORDS = 250


def test_most_mates_meet_and_weigh_more_than_strangers() -> None:
    truth = generate(RECORDS, seed=5)
    missing = [read(record) for record in truth.missing]
    found = [read(record) for record in truth.found]
    pairs = candidate_pairs(
        KeyTable.of(keys_of(one, Side.MISSING) for one in missing),
        KeyTable.of(keys_of(one, Side.FOUND) for one in found),
    )
    met = {(a, b) for a, b in pairs.tolist()}
    assert len(met & truth.pairs) > 0.8 * len(truth.pairs)
    assert len(met) < RECORDS * RECORDS / 20
    frequencies = Frequencies.learned([*missing, *found])
    mates = [weigh(missing[a], found[b], frequencies).bits for a, b in met & truth.pairs]
    strangers = [weigh(missing[a], found[b], frequencies).bits for a, b in met - truth.pairs]
    assert np.median(mates) > 15
    assert np.quantile(strangers, 0.9) < 8


def test_the_same_seed_makes_the_same_records() -> None:
    assert generate(40, seed=1) == generate(40, seed=1)
    assert generate(40, seed=1) != generate(40, seed=2)
