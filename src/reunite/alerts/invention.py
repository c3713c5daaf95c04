"""Invented volunteers, for trials at full size: nobody is in them."""

from collections.abc import Iterator, Sequence
from math import sqrt

import h3.api.basic_int as h3
import numpy as np

from reunite.alerts.areas import Places, haversine_km
from reunite.alerts.positions import Int64, Positions, cell_centres, opt_in_bits
from reunite.alerts.pushing import DEFAULT_WEEKLY_PUSHES, QuietHours, push_rule
from reunite.kernel.languages import Language
from reunite.kernel.people import Module
from reunite.kernel.places import VOLUNTEER_CELL_RESOLUTION, Town

ZONE_ID = 1  # of all of them
# A town of a million thins out over so many km, others by the root of their people.
SPREAD_OF_A_MILLION_KM = 6.0
FARTHEST_SPREADS = 2.5
LEAST_SPREAD_KM = 0.8
_ZH_SHARE = 0.95
# Cells of this resolution are at least this far apart everywhere.
_STEP_KM = 0.28


def iter_invented(volunteers: int, towns: Sequence[Town], seed: int = 5) -> Iterator[Positions]:
    """So many volunteers in the towns of a country, by their population, town by town.

    Each town thins out from its middle.  Everybody opted in to everything.
    """
    rng = np.random.default_rng(seed)
    people = np.array([town.population for town in towns], dtype=np.float64)
    shares = rng.multinomial(volunteers, people / people.sum())
    ids = rng.permutation(volunteers).astype(np.int64) + 1
    rule = push_rule(DEFAULT_WEEKLY_PUSHES, QuietHours(), ZONE_ID)
    languages = [opt_in_bits(Module, language) for language in (Language.ZH, Language.EN)]
    done = 0
    for town, share in zip(towns, shares.tolist(), strict=True):
        cells = _cells_of(rng, town, share)
        yield Positions(
            ids[done : done + share],
            cells,
            rng.choice(languages, share, p=[_ZH_SHARE, 1 - _ZH_SHARE]).astype(np.uint8),
            push_rules=np.full(share, rule, dtype=np.int32),
        )
        done += share


def _cells_of(rng: np.random.Generator, town: Town, share: int) -> Int64:
    spread_km = max(LEAST_SPREAD_KM, SPREAD_OF_A_MILLION_KM * sqrt(town.population / 1e6))
    middle = h3.latlng_to_cell(town.point.latitude, town.point.longitude, VOLUNTEER_CELL_RESOLUTION)
    disk = h3.grid_disk(middle, int(FARTHEST_SPREADS * spread_km / _STEP_KM))
    cells = np.array(disk, dtype=np.int64)
    away_km = haversine_km(Places.of(cell_centres(cells)), town.point)
    weights = np.exp(-((away_km / spread_km) ** 2) / 2)
    return np.repeat(cells, rng.multinomial(share, weights / weights.sum()))
